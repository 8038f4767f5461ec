"""Colours against their definitions."""

import numpy as np
import pytest

from style_transfer import colors


@pytest.fixture
def pair():
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(3, 3)) * 8
    content = generator.normal(size=(40, 50, 3)) @ mixing + (120, 130, 110)
    style = generator.normal(size=(30, 60, 3)) * (9, 14, 11) + (90, 120, 150)
    return np.float32(style), np.float32(content)


def test_matched_colors_have_the_contents_mean_and_covariance(pair):
    style, content = pair
    found = colors.match(style, content).reshape(-1, 3)
    target = content.reshape(-1, 3)
    np.testing.assert_allclose(found.mean(axis=0), target.mean(axis=0), rtol=1e-3)
    expected = np.cov(target, rowvar=False)
    tolerance = 0.01 * np.abs(expected).max()
    np.testing.assert_allclose(np.cov(found, rowvar=False), expected, atol=tolerance)


def test_a_grey_style_can_be_matched(pair):
    grey = np.full((20, 20, 3), 100, np.float32)
    assert np.isfinite(colors.match(grey, pair[1])).all()


def test_matched_luminance_has_the_contents_mean_and_deviation(pair):
    style, content = pair
    found = colors.match_luminance(style, content)[..., 0]
    target = colors.luminance(content)[..., 0]
    np.testing.assert_allclose(found.mean(), target.mean(), rtol=1e-3)
    np.testing.assert_allclose(found.std(), target.std(), rtol=1e-3)


def test_recolored_takes_brightness_here_and_tint_there(pair):
    _, content = pair
    image = np.full_like(content, 120)
    found = colors.recolored(image, content)
    np.testing.assert_allclose(colors.luminance(found), 120, atol=0.5)
    tint = content @ colors.YIQ[1:].T
    np.testing.assert_allclose(found @ colors.YIQ[1:].T, tint, atol=0.5)
    np.testing.assert_allclose(colors.recolored(content, content), content, atol=0.01)

"""The embedded pictures: real, painted, repeatable."""

import numpy as np

from style_transfer import samples


def test_sizes_and_range():
    for image in (samples.photograph(200), samples.painting(200)):
        assert max(image.shape) == 200
        assert image.dtype == np.float32
        assert image.min() >= 0 and image.max() <= 255


def test_photograph_is_a_photograph():
    image = samples.photograph(640)
    assert image.shape == (427, 640, 3)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10_000


def test_painting_follows_the_seed():
    one = samples.painting(128, seed=3)
    np.testing.assert_array_equal(one, samples.painting(128, seed=3))
    assert np.abs(one - samples.painting(128, seed=4)).mean() > 1


def test_painting_is_a_night_with_lights():
    image = samples.painting(400)
    sky, sea = image[:100], image[260:]
    assert sky[..., 2].mean() > sky[..., 0].mean()  # blue
    assert sea[..., 2].mean() > sea[..., 0].mean()
    moon = image[50:70, 310:330].mean(axis=(0, 1))
    assert moon.min() > 150 and moon.min() > sky.mean()

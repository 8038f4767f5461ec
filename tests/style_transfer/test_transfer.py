"""The noise, the scales, and the way down in every mode."""

import functools

import numpy as np
import pytest

from style_transfer import terms, transfer, weights
from style_transfer.config import Config
from style_transfer.terms import Pictures


@functools.lru_cache
def network():
    coarse = np.random.default_rng(0).uniform(0, 255, (8, 8, 3))
    pictures = [np.float32(np.kron(coarse, np.ones((8, 8, 1))))]
    return weights.load("compact", "random", "average", "float32", pictures, 0)[0]


def descend(config, content, style, start, **options):
    """Every step that is made."""
    pictures = Pictures(content, (style,))
    used = None if config.mode == "pixels" else network()
    return list(transfer.paint(config, pictures, used, start, **options))


def test_each_mode_needs_its_layers():
    assert terms.layers(Config(mode="pixels")) == ()
    assert terms.layers(Config(mode="content")) == ("conv4_2",)
    assert len(terms.layers(Config(mode="style"))) == 5
    assert terms.layers(Config(mode="transfer")) == (
        "conv1_1",
        "conv2_1",
        "conv3_1",
        "conv4_1",
        "conv4_2",
        "conv5_1",
    )


def test_noise_is_the_posts():
    noise = transfer.noise(100, 120, seed=0)
    assert noise.shape == (100, 120, 3)
    assert noise.min() >= 0 and noise.max() <= 255
    assert abs(noise.mean() - 255 / 2) < 1
    # A normal distribution cut at two deviations keeps 0.880 of its deviation.
    assert abs(noise.std() - 0.880 * 255 / 4) < 1
    np.testing.assert_array_equal(noise, transfer.noise(100, 120, seed=0))
    assert not np.array_equal(noise, transfer.noise(100, 120, seed=1))


@pytest.mark.parametrize(
    ("scales", "height", "width", "factors"),
    [
        (1, 384, 512, [1.0]),
        (3, 384, 512, [0.25, 0.5, 1.0]),
        (9, 384, 512, [0.25, 0.5, 1.0]),  # an eighth is under 64 pixels
        (3, 48, 64, [1.0]),
    ],
)
def test_scales_halve_down_to_the_coarsest(scales, height, width, factors):
    assert transfer.scale_factors(Config(scales=scales), height, width) == factors


def test_pixels_turn_noise_into_the_picture(content, style):
    config = Config(mode="pixels", optimizer="adam", learning_rate=5.0, steps=150)
    start = transfer.noise(*content.shape[:2], seed=0)
    steps = descend(config, content, style, start)
    assert set(steps[0].losses) == {"pixel_loss", "total_loss"}
    assert np.abs(steps[-1].image - content).mean() < 1


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("mode", ["transfer", "content", "style"])
def test_the_loss_falls(mode, optimizer, content, style):
    config = Config(mode=mode, optimizer=optimizer, steps=8, learning_rate=8.0)
    start = transfer.noise(*content.shape[:2], seed=0)
    steps = descend(config, content, style, start)
    assert [step.step for step in steps] == list(range(1, 9))
    totals = [step.losses["total_loss"] for step in steps]
    assert totals[-1] < 0.8 * totals[0]
    assert steps[-1].image.min() >= 0 and steps[-1].image.max() <= 255


@pytest.fixture
def large():
    """Content and style [128, 160, 3] that two scales fit."""
    generator = np.random.default_rng(3)
    return (
        np.kron(generator.uniform(0, 255, (16, 20, 3)), np.ones((8, 8, 1)))
        .astype(np.float32)
        .copy()
        for _ in range(2)
    )


def test_coarse_scales_come_first_and_lead_to_the_last(large):
    content, style = large
    config = Config(scales=2, steps=3)
    steps = descend(config, content, style, content)
    assert [s.image.shape[:2] for s in steps] == [(64, 80)] * 3 + [(128, 160)] * 3
    alone = descend(Config(scales=1, steps=3), content, style, content)
    assert steps[-1].losses["total_loss"] < alone[-1].losses["total_loss"]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("stop", [2, 3, 5])
def test_goes_on_exactly(optimizer, stop, large):
    """From within each scale, and from the end of the first."""
    content, style = large
    config = Config(scales=2, steps=3, optimizer=optimizer)
    straight = descend(config, content, style, content)
    saved = straight_state(config, content, style, stop)
    rest = descend(config, content, style, content, saved=saved)
    assert [step.step for step in rest] == list(range(stop + 1, 7))
    np.testing.assert_array_equal(rest[-1].image, straight[-1].image)
    assert rest[-1].losses == straight[-1].losses


def straight_state(config, content, style, stop):
    """The state after `stop` steps."""
    pictures = Pictures(content, (style,))
    steps = transfer.paint(config, pictures, network(), content)
    for progress in steps:
        if progress.step == stop:
            return {name: np.array(value) for name, value in progress.state().items()}
    return None

"""The noise, the scales, and the way down in every mode."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from style_transfer import objective, painter
from style_transfer.config import Config
from style_transfer.objective import Pictures


def descend(config, content, style, start, network=None, **options):
    """Every step that is made."""
    return list(
        painter.paint(config, Pictures(content, (style,)), network, start, **options)
    )


def test_each_mode_needs_its_layers():
    needed = {
        mode: objective.needed_layers(Config(mode=mode))
        for mode in ("pixels", "content", "style", "transfer")
    }
    assert needed["pixels"] == ()
    assert needed["content"] == ("conv4_2",)
    assert len(needed["style"]) == 5
    assert needed["transfer"] == tuple(sorted((*needed["style"], "conv4_2")))


def test_noise_is_the_posts():
    noise = painter.noise(100, 120, seed=0)
    assert noise.shape == (100, 120, 3)
    assert noise.min() >= 0 and noise.max() <= 255
    assert abs(noise.mean() - 255 / 2) < 1
    # A normal distribution cut at two deviations keeps 0.880 of its deviation.
    assert abs(noise.std() - 0.880 * 255 / 4) < 1
    np.testing.assert_array_equal(noise, painter.noise(100, 120, seed=0))
    assert not np.array_equal(noise, painter.noise(100, 120, seed=1))


def test_the_authors_noise_has_a_smaller_deviation():
    noise = painter.noise(100, 120, seed=0, recipe="post")
    assert noise.dtype == np.float32
    assert abs(noise.mean() - 255 / 2) < 1 and abs(noise.std() - 255**0.5) < 0.5


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
    parts = painter.phases(Config(scales=scales, steps=20), height, width)
    assert [part.factor for part in parts] == factors
    steps = [part.steps for part in parts]
    assert steps[-1] == 20
    assert steps == sorted(steps, reverse=True)  # coarse steps are cheap


def test_from_noise_the_style_comes_by_and_by():
    config = Config(init="noise", scales=2, steps=20)
    *ramp, first, last = painter.phases(config, 384, 512)
    assert (first.factor, last.factor) == (0.5, 1.0)
    assert sum(part.steps for part in (*ramp, first)) == 30 and last.steps == 20
    weights = [part.config.style_weight for part in (*ramp, first, last)]
    assert weights == sorted(weights) and weights[0] < 1e-3 * config.style_weight
    assert first.config == last.config == config
    author = Config.of_recipe("post", steps=20)
    assert painter.phases(author, 384, 512) == [painter.Phase(1.0, 20, author)]


def test_the_authors_pixels_are_not_clipped(content, style, network):
    """Nor are they in a step alone; what is written is, see `images.to_picture`."""
    network = dataclasses.replace(network, pooling="stride1")
    config = Config.of_recipe("post", steps=3, learning_rate=200.0)
    start = painter.noise(*content.shape[:2], seed=0)
    found = descend(config, content, style, start, network)[-1].image
    assert found.min() < 0 and found.max() > 255


def test_pixels_turn_noise_into_the_picture(content, style):
    config = Config(mode="pixels", optimizer="adam", learning_rate=5.0, steps=150)
    start = painter.noise(*content.shape[:2], seed=0)
    steps = descend(config, content, style, start)
    assert set(steps[0].losses) == {"pixel_loss", "total_loss"}
    assert np.abs(steps[-1].image - content).mean() < 1


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("mode", ["transfer", "content", "style"])
def test_the_loss_falls(mode, optimizer, content, style, network):
    config = Config(mode=mode, optimizer=optimizer, steps=8, learning_rate=8.0)
    start = painter.noise(*content.shape[:2], seed=0)
    steps = descend(config, content, style, start, network)
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


def test_coarse_scales_come_first_and_lead_to_the_last(large, network):
    content, style = large
    config = Config(scales=2, steps=4)
    steps = descend(config, content, style, content, network)
    assert [s.image.shape[:2] for s in steps] == [(64, 80)] * 6 + [(128, 160)] * 4
    alone = descend(Config(scales=1, steps=4), content, style, content, network)
    assert steps[-1].losses["total_loss"] < alone[-1].losses["total_loss"]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_goes_on_exactly_and_yields_values(optimizer, large, network):
    """From within each scale, and from the end of the first."""
    content, style = large
    config = Config(scales=2, steps=4, optimizer=optimizer)
    pictures = Pictures(content, (style,))
    kept, straight = [], []
    for progress in painter.paint(config, pictures, network, content):
        straight.append(progress)
        kept.append({name: np.array(x) for name, x in progress.arrays().items()})
    for progress, arrays in zip(straight, kept, strict=True):
        for name, array in progress.arrays().items():
            np.testing.assert_array_equal(array, arrays[name])
        np.testing.assert_array_equal(progress.image, arrays["image"])
    for stop in (2, 6, 8):
        rest = descend(config, content, style, content, network, saved=kept[stop - 1])
        assert [step.step for step in rest] == list(range(stop + 1, 11))
        np.testing.assert_array_equal(rest[-1].image, straight[-1].image)
        assert rest[-1].losses == straight[-1].losses


def test_a_finished_run_goes_on_with_more_steps(large, network):
    content, style = large
    steps = descend(Config(scales=1, steps=3), content, style, content, network)
    more = Config(scales=1, steps=5)
    rest = descend(more, content, style, content, network, saved=steps[-1].arrays())
    straight = descend(more, content, style, content, network)
    assert [step.step for step in rest] == [4, 5]
    np.testing.assert_array_equal(rest[-1].image, straight[-1].image)


def test_a_paintings_pale_margin_can_be_left_out(tmp_path):
    inside = np.random.default_rng(0).integers(0, 200, (190, 250, 3), dtype=np.uint8)
    image = np.pad(inside, ((3, 3), (3, 3), (0, 0)), constant_values=255)
    path = str(tmp_path / "scan.png")
    Image.fromarray(image).save(path)
    sources = painter.Sources(styles=(path,))
    for share, brightest in ((0.015, 199), (0.0, 255)):
        config = Config(style_margin=share, mode="pixels", size=256)
        run = painter.prepare(config, sources)
        assert run.pictures.styles[0].max() == brightest
        assert run.shown[1].max() == 255

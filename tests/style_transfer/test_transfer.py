"""The sum of the losses, the noise, and the way down in every mode."""

import numpy as np
import pytest
import tensorflow as tf

from style_transfer import features, losses, transfer
from style_transfer.config import Config


@pytest.fixture(scope="module")
def networks():
    """Networks by the layers that they return, each built once."""
    pictures = [np.random.default_rng(0).uniform(0, 255, (40, 40, 3)).astype("f4")]
    filters = features.random_filters(pictures, "average", seed=0)
    built = {}

    def network(config):
        layers = transfer.layers(config)
        if layers not in built:
            built[layers] = features.build(layers, "average", filters, "random", 1e5)
        return built[layers]

    return network


def descend(config, content, style, network, start):
    """The losses of each step, and the last picture."""
    objective = transfer.make_objective(config, content, style, network)
    rows, pictures = [], [start]
    transfer.run(
        config,
        objective,
        start,
        lambda step, losses, image: (rows.append(losses), pictures.append(image)),
    )
    return rows, pictures[-1]


def test_each_mode_needs_its_layers():
    assert transfer.layers(Config(mode="pixels")) == ()
    assert transfer.layers(Config(mode="content")) == ("conv4_2",)
    assert len(transfer.layers(Config(mode="style"))) == 5
    assert transfer.layers(Config(mode="transfer")) == (
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


def test_total_is_the_weighted_sum_of_the_posts_losses(content, style, networks):
    weights = (0.5, 0.2, 0.1, 0.1, 0.1)
    config = Config(
        content_weight=2.0,
        style_weight=3.0,
        style_layer_weights=weights,
        total_variation_weight=4.0,
    )
    network = networks(config)
    image = content[::-1].copy()
    found, gradient = transfer.make_objective(config, content, style, network)(image)

    maps, targets, styles = (
        network.features(tf.constant(i)) for i in (image, content, style)
    )
    expected_content = losses.content_loss(maps["conv4_2"], targets["conv4_2"])
    expected_style = sum(
        weight
        * losses.style_layer_loss(maps[name], losses.mean_gram_matrix(styles[name]))
        for weight, name in zip(weights, config.style_layers, strict=True)
    )
    variation = losses.total_variation(tf.constant(image))
    np.testing.assert_allclose(found["content_loss"], expected_content, rtol=1e-5)
    np.testing.assert_allclose(found["style_loss"], expected_style, rtol=1e-5)
    total = 2.0 * expected_content + 3.0 * 1e5 * expected_style + 4.0 * variation
    np.testing.assert_allclose(found["total_loss"], total, rtol=1e-5)
    assert gradient.shape == image.shape


def test_the_content_picture_has_no_content_loss(content, style, networks):
    config = Config()
    objective = transfer.make_objective(config, content, style, networks(config))
    assert objective(content)[0]["content_loss"] == 0
    assert objective(content)[0]["style_loss"] > 0


def test_pixels_turn_noise_into_the_picture(content, style):
    config = Config(mode="pixels", learning_rate=5.0, steps=150)
    start = transfer.noise(*content.shape[:2], seed=0)
    rows, picture = descend(config, content, style, None, start)
    assert set(rows[0]) == {"pixel_loss", "total_loss"}
    assert np.abs(picture - content).mean() < 1


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("mode", ["transfer", "content", "style"])
def test_the_loss_falls(mode, optimizer, content, style, networks):
    config = Config(mode=mode, optimizer=optimizer, steps=8, learning_rate=8.0)
    start = transfer.noise(*content.shape[:2], seed=0)
    rows, picture = descend(config, content, style, networks(config), start)
    totals = [row["total_loss"] for row in rows]
    assert totals[-1] < 0.8 * totals[0]
    assert picture.min() >= 0 and picture.max() <= 255


def test_content_from_several_layers(content, style, networks):
    layers = ("conv1_2", "conv3_1")
    config = Config(mode="content", content_layers=layers)
    network = networks(config)
    image = content[::-1].copy()
    found, _ = transfer.make_objective(config, content, style, network)(image)
    maps, targets = (network.features(tf.constant(i)) for i in (image, content))
    expected = sum(losses.content_loss(maps[name], targets[name]) for name in layers)
    np.testing.assert_allclose(found["content_loss"], expected, rtol=1e-5)

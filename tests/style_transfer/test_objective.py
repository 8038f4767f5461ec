"""The weighted sum, its gradient, tiles, regions, blends and normalisation."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from style_transfer import losses, objective, tiles
from style_transfer.config import Config
from style_transfer.objective import REFERENCE_PIXELS, Objective, Pictures


def grams(network, image, layers):
    maps = network.features(tf.constant(image), layers)
    return {
        name: losses.mean_gram_matrix(m, m.shape[0] * m.shape[1])
        for name, m in maps.items()
    }


def test_total_is_the_weighted_sum_of_the_posts_losses(content, style, network):
    config = Config(
        content_weight=2.0,
        style_weight=3.0,
        style_layer_weights=(0.5, 0.2, 0.1, 0.1, 0.1),
        total_variation_weight=4.0,
    )
    image = content[::-1].copy()
    pictures = Pictures(content, (style,))
    found, gradient = Objective(config, pictures, network)(image)
    ours, target = (
        network.features(tf.constant(i), ["conv4_2"])["conv4_2"]
        for i in (image, content)
    )
    expected_content = losses.content_loss(ours, target)
    made, aimed = (grams(network, i, config.style_layers) for i in (image, style))
    expected_style = sum(
        weight * losses.style_layer_loss(made[name], aimed[name])
        for weight, name in zip(
            config.style_layer_weights, config.style_layers, strict=True
        )
    )
    variation = losses.total_variation(tf.constant(image))
    np.testing.assert_allclose(found["content_loss"], expected_content, rtol=1e-5)
    np.testing.assert_allclose(found["style_loss"], expected_style, rtol=1e-5)
    share = REFERENCE_PIXELS["modern"] / (32 * 48)
    total = 2.0 * share * expected_content + 4.0 * share * variation
    total += 3.0 * expected_style
    np.testing.assert_allclose(found["total_loss"], total, rtol=1e-5)
    assert gradient.shape == image.shape


def test_the_content_picture_has_no_content_loss(content, style, network):
    found_by = Objective(Config(), Pictures(content, (style,)), network)
    assert found_by(content)[0]["content_loss"] == 0
    assert found_by(content)[0]["style_loss"] > 0


def test_content_from_several_layers(content, style, network):
    layers = ("conv2_1", "conv3_1")
    config = Config(mode="content", content_layers=layers)
    image = content[::-1].copy()
    found_by = Objective(config, Pictures(content, (style,)), network)
    maps, targets = (network.features(tf.constant(i), layers) for i in (image, content))
    expected = sum(losses.content_loss(maps[name], targets[name]) for name in layers)
    np.testing.assert_allclose(found_by(image)[0]["content_loss"], expected, rtol=1e-5)


def random_picture(height, width, seed):
    small = np.random.default_rng(seed).uniform(0, 255, (height, width, 3))
    return np.float32(small)


@pytest.mark.parametrize(
    ("masked", "pooling"), [(False, "average"), (True, "average"), (True, "stride1")]
)
def test_tiles_give_what_the_whole_gives(masked, pooling, network):
    """Sizes that are no multiple of anything, and tiles that need their margins."""
    content, style = random_picture(203, 300, 1), random_picture(170, 181, 2)
    mask = np.linspace(0, 1, 300, dtype=np.float32) * np.ones((203, 1), np.float32)
    masks = (mask,) if masked else ()
    config = Config(total_variation_weight=0.01, pooling=pooling)
    network = dataclasses.replace(network, pooling=pooling)
    pictures = Pictures(content, (style,), masks)
    image = random_picture(203, 300, 3)
    whole, gradient = Objective(config, pictures, network)(image)
    tiled = Objective(config, pictures, network, side=64)
    found, found_gradient = tiled(image)
    for name, loss in whole.items():
        np.testing.assert_allclose(found[name], loss, rtol=1e-4)
    largest = np.abs(gradient).max()
    np.testing.assert_allclose(found_gradient, gradient, atol=1e-4 * largest)


def test_cores_cover_the_picture_once():
    seen = np.zeros((203, 300), int)
    for tile in tiles.cut(203, 300, 64, 90):
        top, left, bottom, right = tile.core
        seen[top:bottom, left:right] += 1
        outer = tile.outer
        assert outer[0] % 16 == outer[1] % 16 == 0
        assert outer[0] in (0, top - 96) and outer[2] in (203, bottom + 96)
    assert (seen == 1).all()


def test_a_blend_aims_between_its_styles(content, style, network):
    other = content[:, ::-1].copy()
    pictures = Pictures(content, (style, other))
    made = objective.make_terms(
        Config(mode="style", style_blend=(3.0, 1.0)), pictures, network
    )
    first, second = (grams(network, i, ["conv3_1"])["conv3_1"] for i in (style, other))
    target = next(term.target for term in made if term.layer == "conv3_1")
    np.testing.assert_allclose(target, 0.75 * first + 0.25 * second, rtol=1e-4)
    assert len(made) == 5


def test_masks_give_each_region_its_style(network):
    """Styles from the picture's own halves: only the right pairing has no loss."""
    image = random_picture(64, 256, 1)
    image[:, :128] *= 0.3
    left = np.zeros((64, 256), np.float32)
    left[:, :128] = 1
    styles = image[:, :128], image[:, 128:]
    found = [
        float(
            Objective(
                Config(mode="style", style_layers=("conv1_1",)),
                Pictures(image, styles, masks),
                network,
            )(image)[0]["style_loss"]
        )
        for masks in ((left, 1 - left), (1 - left, left))
    ]
    assert found[0] < 0.01 * found[1]


def test_outside_all_masks_style_has_no_gradient(style, network):
    image = random_picture(64, 256, 1)
    mask = np.zeros((64, 256), np.float32)
    mask[:, :64] = 1
    config = Config(mode="style", style_layers=("conv2_1",))
    found_by = Objective(config, Pictures(image, (style,), (mask,)), network)
    gradient = np.abs(found_by(image)[1])
    assert gradient[:, :60].max() > 0
    assert gradient[:, 80:].max() == 0

"""Feature maps: against Keras's VGG-16, against NumPy, and in half precision."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from style_transfer import vgg
from style_transfer.vgg import LAYERS, Network


def test_preprocessing_is_kerass(content):
    expected = tf.keras.applications.vgg16.preprocess_input(content.copy())
    np.testing.assert_allclose(vgg.preprocess(tf.constant(content)), expected)


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_layers_are_kerass(name):
    make = {"vgg16": tf.keras.applications.VGG16, "vgg19": tf.keras.applications.VGG19}
    model = make[name](include_top=False, weights=None)
    theirs = [layer for layer in model.layers if "conv" in layer.name]
    for layer, keras_layer in zip(
        vgg.filter_shapes(name).items(), theirs, strict=False
    ):
        keras_name = layer[0].replace("conv", "block").replace("_", "_conv")
        assert (keras_layer.name, tuple(keras_layer.kernel.shape)) == (
            keras_name,
            layer[1],
        )


def test_max_pooling_is_kerass_vgg16_away_from_the_border(network):
    """On a picture that is its own continuation, zeros or mirrors do not matter."""
    image = np.random.default_rng(0).uniform(0, 255, (96, 112, 3)).astype("f4")
    found = dataclasses.replace(network, pooling="max").features(image, ["conv3_1"])
    maps = vgg.preprocess(tf.constant(image))[tf.newaxis]
    for name in LAYERS["vgg16"][:5]:
        if vgg.begins_block(name):
            maps = tf.keras.layers.MaxPooling2D(2)(maps)
        kernel, bias = network.filters[name]
        maps = tf.nn.relu(tf.nn.conv2d(maps, kernel, 1, "SAME") + bias)
    inner = slice(4, -4)
    np.testing.assert_allclose(
        found["conv3_1"][inner, inner], maps[0, inner, inner], rtol=1e-4, atol=1e-4
    )


def test_the_authors_maps_are_as_large_as_the_picture(content, network):
    """Against NumPy: zeros at every edge, and averages that leave them out."""
    network = dataclasses.replace(network, pooling="stride1")
    found = network.features(tf.constant(content), ["conv2_1", "conv5_1"])
    assert found["conv5_1"].shape[:2] == content.shape[:2]
    maps = content[..., ::-1] - np.array(vgg.BGR_MEAN)
    for name in LAYERS["vgg16"][:2]:
        maps = convolve(maps, *network.filters[name], "constant")
    ones = np.ones_like(maps)
    total, count = (
        sum(
            np.pad(array, ((1, 1), (1, 1), (0, 0)))[
                down : down + array.shape[0], across : across + array.shape[1]
            ]
            for down in range(3)
            for across in range(3)
        )
        for array in (maps, ones)
    )
    expected = convolve(total / count, *network.filters["conv2_1"], "constant")
    np.testing.assert_allclose(found["conv2_1"], expected, rtol=1e-4, atol=1e-4)


def convolve(maps, kernel, bias, mode):
    """ReLU of a 3x3 convolution in NumPy, padded by `mode`."""
    height, width, _ = maps.shape
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)), mode)
    total = bias + sum(
        padded[dy : dy + height, dx : dx + width] @ kernel[dy, dx]
        for dy in range(3)
        for dx in range(3)
    )
    return np.maximum(total, 0)


def test_maps_are_numpys(content, network):
    """The picture is mirrored beyond its edges; deeper maps are 0 there."""
    maps = content[..., ::-1] - np.array([103.939, 116.779, 123.68])
    found = network.features(tf.constant(content), ["conv1_1", "conv2_1"])
    first = convolve(maps, *network.filters["conv1_1"], "reflect")
    np.testing.assert_allclose(found["conv1_1"], first, rtol=1e-4, atol=1e-4)
    maps = convolve(first, *network.filters["conv1_2"], "constant")
    height, width, count = maps.shape
    maps = maps.reshape(height // 2, 2, width // 2, 2, count).mean(axis=(1, 3))
    expected = convolve(maps, *network.filters["conv2_1"], "constant")
    np.testing.assert_allclose(found["conv2_1"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", ["conv2_1", "conv5_1"])
def test_half_precision_is_close(content, network, layer):
    half = dataclasses.replace(network, precision="bfloat16")
    expected, found = (n.features(content, [layer])[layer] for n in (network, half))
    assert found.dtype == tf.bfloat16
    found = np.float32(found)
    assert 0 < np.linalg.norm(found - expected) < 0.02 * np.linalg.norm(expected)


@pytest.mark.parametrize("pooling", ["average", "stride1"])
@pytest.mark.parametrize("layer", ["conv1_1", "conv3_1", "conv5_1"])
def test_reach_covers_what_a_position_sees(layer, pooling):
    """The gradient of one position says which pixels it sees."""
    filters = {
        name: (
            np.ones((3, 3, 1 + 2 * (name == "conv1_1"), 1), "f4") / 9,
            np.ones(1, "f4"),
        )
        for name in LAYERS["vgg16"]
    }
    step = vgg.stride(layer, pooling)
    with tf.GradientTape() as tape:
        pixels = tf.Variable(np.full((256, 256, 3), 255, np.float32))
        network = Network("vgg16", filters, "test", pooling)
        maps = network.features(pixels, [layer])[layer]
        one = maps[128 // step, 128 // step, 0]
    seen = np.nonzero(np.any(tape.gradient(one, pixels).numpy() != 0, axis=-1))
    reach = vgg.reach([layer], "vgg16", pooling)
    assert min(map(min, seen)) >= 128 - reach
    assert max(map(max, seen)) <= 128 + step - 1 + reach
    assert reach <= max(map(max, seen)) - 128 + 2 * step  # and not much more

"""Feature maps: against Keras's VGG-19, against NumPy, and in half precision."""

import numpy as np
import pytest
import tensorflow as tf

from style_transfer import features
from style_transfer.config import LAYERS
from style_transfer.features import Network


def test_preprocessing_is_kerass(content):
    expected = tf.keras.applications.vgg19.preprocess_input(content.copy())
    np.testing.assert_allclose(features.preprocess(tf.constant(content)), expected)


def test_max_pooling_is_kerass_vgg19(content, keras_vgg, filters):
    network = Network("vgg19", filters, "test", "max")
    maps = network.features(tf.constant(content), ["conv2_2", "conv5_1"])
    inputs = features.preprocess(tf.constant(content))[tf.newaxis]
    for name, keras_name in (("conv2_2", "block2_conv2"), ("conv5_1", "block5_conv1")):
        output = keras_vgg.get_layer(keras_name).output
        expected = tf.keras.Model(keras_vgg.input, output)(inputs)[0]
        np.testing.assert_allclose(maps[name], expected, rtol=1e-5, atol=1e-5)


def convolve(maps, kernel, bias):
    """ReLU of a 3x3 convolution with zero padding, in NumPy."""
    height, width, _ = maps.shape
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
    total = bias + sum(
        padded[dy : dy + height, dx : dx + width] @ kernel[dy, dx]
        for dy in range(3)
        for dx in range(3)
    )
    return np.maximum(total, 0)


def test_average_pooling_is_numpys(content, filters):
    network = Network("vgg19", filters, "test")
    maps = content[..., ::-1] - np.array([103.939, 116.779, 123.68])
    for name in ("conv1_1", "conv1_2"):
        kernel, bias = filters[name]
        maps = convolve(maps, kernel, bias)
    height, width, count = maps.shape
    maps = maps.reshape(height // 2, 2, width // 2, 2, count).mean(axis=(1, 3))
    expected = convolve(maps, *filters["conv2_1"])
    found = network.features(tf.constant(content), ["conv2_1"])["conv2_1"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_layers_are_vgg19s():
    assert tuple(features.CHANNELS["vgg19"]) == LAYERS
    assert set(features.CHANNELS["compact"]) < set(LAYERS)


@pytest.mark.parametrize("layer", ["conv2_1", "conv5_1"])
def test_half_precision_is_close(content, filters, layer):
    exact = Network("vgg19", filters, "test")
    half = Network("vgg19", filters, "test", precision="bfloat16")
    expected, found = (n.features(content, [layer])[layer] for n in (exact, half))
    assert found.dtype == tf.float32
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert 0 < error < 0.02


@pytest.mark.parametrize("name", ["vgg19", "compact"])
@pytest.mark.parametrize("layer", ["conv1_1", "conv3_1", "conv5_1"])
def test_reach_covers_what_a_position_sees(name, layer):
    """The gradient of one position says which pixels it sees."""
    image = np.full((256, 256, 3), 255, np.float32)
    shapes = features.filter_shapes(name)
    filters = {
        n: (np.ones(s, "f4") / 99, np.ones(s[-1], "f4")) for n, s in shapes.items()
    }
    step = features.stride(layer)
    with tf.GradientTape() as tape:
        pixels = tf.Variable(image)
        maps = Network(name, filters, "test").features(pixels, [layer])[layer]
        one = maps[128 // step, 128 // step, 0]
    seen = np.nonzero(np.any(tape.gradient(one, pixels).numpy() != 0, axis=-1))
    reach = features.reach([layer], name)
    assert min(map(min, seen)) >= 128 - reach
    assert max(map(max, seen)) <= 128 + step - 1 + reach
    assert reach <= max(map(max, seen)) - 128 + 2 * step  # and not much more

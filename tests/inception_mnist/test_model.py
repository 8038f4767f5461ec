"""The network: each branch by hand, its sizes, its files, its batch normalization."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from inception_mnist import model
from inception_mnist.config import Config
from inception_mnist.model import InceptionModule, build_model
from inception_mnist.operations import counts


def convolve(x, kernel, bias):
    """Same padding and stride 1, a window at a time: [H, W, C] to [H, W, D]."""
    size = len(kernel)
    padded = np.pad(x, [(size // 2, size // 2)] * 2 + [(0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (0, 1))
    return np.einsum("hwcij,ijcd->hwd", windows, kernel) + bias


def largest(x):
    """The maximum of each 3x3 neighbourhood, [H, W, C]."""
    padded = np.pad(x, [(1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    return windows.max(axis=(-1, -2))


@pytest.mark.parametrize("kind", ["reduced", "naive"])
def test_module_is_what_the_post_draws(kind):
    keras.utils.set_random_seed(0)
    layer = InceptionModule(4, 3, kind, initialization="printed")
    x = np.random.default_rng(0).normal(size=(7, 6, 5)).astype(np.float32)
    found = layer(x[np.newaxis])[0]

    def conv(name, x):
        return convolve(x, *(w.numpy() for w in getattr(layer, name).weights))

    def reduced(name):
        return np.maximum(conv(name, x), 0) if kind == "reduced" else x

    pooled = largest(x)
    branches = [
        conv("conv_1x1", x),
        conv("conv_3x3", reduced("reduce_3x3")),
        conv("conv_5x5", reduced("reduce_5x5")),
        conv("project", pooled) if kind == "reduced" else pooled,
    ]
    expected = np.maximum(np.concatenate(branches, axis=-1), 0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert layer.compute_output_shape((1, 7, 6, 5)) == (1, *expected.shape)


def test_another_kind_is_refused():
    for name in ("module", "normalization", "initialization"):
        with pytest.raises(ValueError, match=f"{name}='wide': not one of"):
            InceptionModule(4, 3, **{name: "wide"})
    with pytest.raises(ValueError):
        InceptionModule(0, 3)


def test_printed_initialization_is_the_posts():
    layer = InceptionModule(64, 64, initialization="printed")
    layer.build((1, 28, 28, 128))
    np.testing.assert_array_equal(layer.conv_5x5.bias, np.full(64, 0.1, np.float32))
    for values in (layer.conv_3x3.bias, layer.reduce_5x5.bias, layer.conv_5x5.kernel):
        values = values.numpy()
        assert abs(values).max() <= 0.2  # two standard deviations
        assert 0.06 < values.std() < 0.12


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"head": "gap"},
        {"module": "naive", "head": "gap", "pool": 2},
        {"recipe": "modern", "pool": 3},
        {"recipe": "modern", "head": "dense"},
    ],
)
def test_counts_what_the_arithmetic_counts(options):
    config = Config.of_recipe(**options, map1=4, map2=6, reduce1x1=2, hidden=5)
    network = build_model(config)
    layers = counts.model_layers(
        config.map1,
        config.map2,
        config.reduce1x1,
        config.hidden,
        config.head,
        config.module,
        config.pool,
    )
    counted = sum(layer.parameters for layer in layers)
    if config.normalization == "batch":  # two a map instead of one, and two averages
        maps = [network.get_layer(f"inception{n}").output.shape[-1] for n in (1, 2)]
        counted += 4 * sum(maps) - 4 * (config.map1 + config.map2)
        counted += 4 * maps[1]  # of their means
    assert network.count_params() == counted
    assert network(np.zeros((3, 28, 28, 1))).shape == (3, 10)


def test_sizes_that_the_readme_names():
    assert build_model(Config(head="gap")).count_params() == 260_158
    dense = counts.model_layers(32, 64, 16, 700, "dense", "reduced", 1)
    assert sum(layer.parameters for layer in dense) == 140_573_758


def test_pixels():
    config = Config(head="gap", map1=2, map2=2, hidden=9, precision="float32")
    unit = build_model(Config(**{**vars(config), "pixels": "unit"}))
    raw = build_model(config)
    raw.set_weights(unit.get_weights())
    images = np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 1))
    np.testing.assert_allclose(raw(images / 255), unit(images), rtol=1e-4)


def test_global_average_pooling_is_the_mean():
    x = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype(np.float32)
    found = model.GlobalAveragePooling()(x)
    np.testing.assert_allclose(found, x.mean(axis=(1, 2)), atol=1e-6)


def test_survives_keras_files(tmp_path):
    network = build_model(Config.of_recipe("modern", map1=2, map2=3, hidden=4))
    path = tmp_path / "model.keras"
    network.save(path)
    again = keras.saving.load_model(path)
    images = np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 1))
    np.testing.assert_array_equal(network(images), again(images))
    layer = network.get_layer("inception1")
    assert InceptionModule.from_config(layer.get_config()).filters == 2


def test_bfloat16_is_near_and_ends_in_float32():
    sizes = {"map1": 8, "map2": 8, "hidden": 20, "recipe": "modern", "head": "dense"}
    exact = build_model(Config.of_recipe(**sizes, precision="float32"))
    rounded = build_model(Config.of_recipe(**sizes, precision="bfloat16"))
    rounded.set_weights(exact.get_weights())
    assert rounded.get_layer("hidden").kernel.dtype == "bfloat16"
    assert rounded.get_layer("inception1").conv_3x3.kernel.dtype == "float32"
    images = np.random.default_rng(0).uniform(0, 255, (4, 28, 28, 1))
    one, two = exact(images), rounded(images)
    assert two.dtype == tf.float32
    assert 0 < np.abs(one - two).max() < 0.05 * np.abs(one).max()

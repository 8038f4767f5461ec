"""VGG-19: against Keras's own, against NumPy, and from every kind of file."""

import functools
import hashlib
import http.server
import os
import pathlib
import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest
import tensorflow as tf

from style_transfer import features
from style_transfer.config import LAYERS

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def keras_vgg():
    tf.keras.utils.set_random_seed(0)
    return tf.keras.applications.VGG19(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )


@pytest.fixture(scope="module")
def filters(keras_vgg):
    convolutions = [layer for layer in keras_vgg.layers if "conv" in layer.name]
    return [tuple(layer.get_weights()) for layer in convolutions[: len(LAYERS)]]


@pytest.fixture(scope="module")
def classic_file(filters, tmp_path_factory):
    """The layout of ..._notop.h5: block1_conv1/block1_conv1_W_1:0 and so on."""
    path = tmp_path_factory.mktemp("weights") / "notop.h5"
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in zip(LAYERS, filters, strict=True):
            keras_name = f"block{name[4]}_conv{name[6]}"
            group = file.create_group(keras_name)
            group[f"{keras_name}_W_1:0"] = kernel
            group[f"{keras_name}_b_1:0"] = bias
        file["fc1/fc1_W_1:0"] = np.zeros((4, 2), np.float32)  # with the classifier
        file["fc1/fc1_b_1:0"] = np.zeros(2, np.float32)
    return str(path)


def assert_same(found, expected):
    for found_pair, expected_pair in zip(found, expected, strict=True):
        for one, other in zip(found_pair, expected_pair, strict=True):
            np.testing.assert_array_equal(one, other)


def test_preprocessing_is_kerass(content):
    expected = tf.keras.applications.vgg19.preprocess_input(content.copy())
    np.testing.assert_allclose(features.preprocess(tf.constant(content)), expected)


def test_max_pooling_is_kerass_vgg19(content, keras_vgg, filters):
    network = features.build(["conv2_2", "conv5_1"], "max", filters, "test")
    maps = network.features(tf.constant(content))
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
    network = features.build(["conv2_1"], "average", filters, "test")
    maps = content[..., ::-1] - np.array([103.939, 116.779, 123.68])
    for kernel, bias in filters[:2]:
        maps = convolve(maps, kernel, bias)
    height, width, count = maps.shape
    maps = maps.reshape(height // 2, 2, width // 2, 2, count).mean(axis=(1, 3))
    expected = convolve(maps, *filters[2])
    found = network.features(tf.constant(content))["conv2_1"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_random_filters_are_calibrated(content, style, pooling):
    filters = features.random_filters([content, style], pooling, seed=0)
    network = features.build(LAYERS, pooling, filters, "random")
    inputs = [network.features(tf.constant(image)) for image in (content, style)]
    checked = 0
    for index, name in enumerate(LAYERS):
        if name.endswith("_1"):  # its input is pooled and not at hand
            continue
        kernel, bias = filters[index]
        before = [
            tf.nn.conv2d(maps[LAYERS[index - 1]][tf.newaxis], kernel, 1, "SAME") + bias
            for maps in inputs
        ]
        flat = np.concatenate([np.reshape(b, [-1, b.shape[-1]]) for b in before])
        np.testing.assert_allclose(flat.mean(axis=0), 0.0, atol=2e-3)
        np.testing.assert_allclose(flat.std(axis=0), 1.0, atol=2e-3)
        checked += 1
    assert checked == 8


def test_random_filters_follow_the_seed(content):
    one, same, other = (
        features.random_filters([content], "average", seed) for seed in (1, 1, 2)
    )
    assert_same(one, same)
    assert not np.array_equal(one[0][0], other[0][0])


def test_random_filters_survive_a_flat_picture():
    flat = np.full((32, 32, 3), 127.0, np.float32)
    for kernel, bias in features.random_filters([flat], "average", 0):
        assert np.isfinite(kernel).all() and np.isfinite(bias).all()


def test_reads_the_classic_file(classic_file, filters):
    assert_same(features.read_filters(classic_file), filters)


def test_reads_kerass_weights_file(keras_vgg, filters, tmp_path):
    path = str(tmp_path / "vgg19.weights.h5")
    keras_vgg.save_weights(path)
    assert_same(features.read_filters(path), filters)


def test_refuses_another_networks_file(tmp_path):
    path = str(tmp_path / "other.weights.h5")
    tf.keras.Sequential(
        [tf.keras.layers.Input([32, 32, 3]), tf.keras.layers.Conv2D(8, 3)]
    ).save_weights(path)
    message = r"conv1_1's kernel is \(3, 3, 3, 8\), VGG-19's is \(3, 3, 3, 64\)"
    with pytest.raises(ValueError, match=message):
        features.read_filters(path)


def test_refuses_a_file_that_ends_early(classic_file, tmp_path):
    path = tmp_path / "short.h5"
    with open(classic_file, "rb") as file:
        path.write_bytes(file.read(100_000))
    with pytest.raises(OSError, match=r"short\.h5: not a readable HDF5 file"):
        features.read_filters(str(path))


def test_refuses_a_missing_file():
    with pytest.raises(OSError, match="none.h5: no such file"):
        features.read_filters("none.h5")


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(classic_file):
    """The URL of `classic_file` on a server of our own."""
    folder, name = os.path.split(classic_file)
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/{name}"
        httpd.shutdown()


def load_auto(url, md5, home):
    """What `auto` finds with an empty Keras cache in `home`."""
    code = f"""
import numpy as np
from style_transfer import features
features.IMAGENET_URL = {url!r}
features.IMAGENET_MD5 = {md5!r}
image = np.zeros([32, 32, 3], np.float32)
network, reason = features.load("auto", ["conv1_1"], "average", [image], 0)
print("RESULT", network.weights, reason)
"""
    environment = os.environ | {"KERAS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("RESULT")[1].strip()


def test_auto_fetches_and_caches_imagenets_weights(server, classic_file, tmp_path):
    with open(classic_file, "rb") as file:
        md5 = hashlib.md5(file.read()).hexdigest()
    assert load_auto(server, md5, tmp_path) == "imagenet"
    assert (tmp_path / "models" / "notop.h5").exists()
    gone = "http://127.0.0.1:9/notop.h5"
    assert load_auto(gone, md5, tmp_path) == "imagenet"


def test_auto_falls_back_and_says_why(server, tmp_path):
    gone = load_auto("http://127.0.0.1:9/notop.h5", "0" * 32, tmp_path)
    assert gone.startswith("random ImageNet's VGG-19 weights did not arrive")
    damaged = load_auto(server, "0" * 32, tmp_path)
    assert damaged.startswith("random ImageNet's VGG-19 weights did not arrive")

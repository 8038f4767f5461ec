"""Filters from every kind of file and from a server, and the file that ships."""

import functools
import hashlib
import http.server
import os
import threading

import h5py
import numpy as np
import pytest
import tensorflow as tf

from style_transfer import quantize, vgg, weights


@pytest.fixture(scope="module")
def model():
    tf.keras.utils.set_random_seed(0)
    return tf.keras.applications.VGG19(include_top=False, weights=None)


@pytest.fixture(scope="module")
def filters(model):
    """Keras's filters before training, for each layer through conv5_1."""
    pairs = [layer.get_weights() for layer in model.layers if "conv" in layer.name]
    return dict(zip(vgg.LAYERS["vgg19"], map(tuple, pairs), strict=False))


@pytest.fixture(scope="module")
def classic_file(filters, tmp_path_factory):
    """The layout of ..._notop.h5: block1_conv1/block1_conv1_W_1:0 and so on."""
    path = tmp_path_factory.mktemp("weights") / "notop.h5"
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in filters.items():
            keras_name = f"block{name[4]}_conv{name[6]}"
            group = file.create_group(keras_name)
            group[f"{keras_name}_W_1:0"] = kernel
            group[f"{keras_name}_b_1:0"] = bias
        file["fc1/fc1_W_1:0"] = np.zeros((4, 2), np.float32)  # with the classifier
        file["fc1/fc1_b_1:0"] = np.zeros(2, np.float32)
    return str(path)


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, pair in expected.items():
        for one, other in zip(found[name], pair, strict=True):
            np.testing.assert_array_equal(one, other)


def test_reads_every_file_of_keras(model, filters, classic_file, tmp_path):
    paths = [classic_file]
    for name in ("vgg.weights.h5", "vgg.keras", "vgg.h5"):
        paths.append(str(tmp_path / name))
        (model.save_weights if "weights" in name else model.save)(paths[-1])
    for path in paths:
        network, found = weights.read(path)
        assert network == "vgg19", path
        assert_same(found, filters)
    with pytest.raises(
        ValueError, match=f"--network=vgg16: {classic_file} holds vgg19"
    ):
        weights.load("vgg16", classic_file, "average", "auto")


def test_the_authors_network_leaves_out_two_convolutions(filters, classic_file):
    network = weights.load("vgg19_short", classic_file, "stride1", "float32")
    assert (network.name, network.pooling) == ("vgg19_short", "stride1")
    left_out = {"conv3_4", "conv4_4"}
    assert_same(
        network.filters, {k: v for k, v in filters.items() if k not in left_out}
    )


def test_other_files_are_refused_in_one_line(classic_file, tmp_path):
    other = str(tmp_path / "other.weights.h5")
    tf.keras.Sequential(
        [tf.keras.layers.Input([32, 32, 3]), tf.keras.layers.Conv2D(8, 3)]
    ).save_weights(other)
    short = tmp_path / "short.h5"
    with open(classic_file, "rb") as file:
        short.write_bytes(file.read(100_000))
    damaged = tmp_path / "damaged.npz"
    with open(weights.SHIPPED, "rb") as file:
        damaged.write_bytes(file.read(100_000))
    for path, error, message in (
        (other, ValueError, "its 1 convolutions are neither VGG-16's nor VGG-19's"),
        (str(short), OSError, "no Keras file, or it is damaged"),
        (str(damaged), OSError, "damaged"),
        ("none.h5", OSError, "none.h5: no such file"),
        ("vgg16.pth", ValueError, "PyTorch files are not read: save Keras's own"),
        ("imagenet-vgg.mat", ValueError, "MATLAB files are not read"),
        ("VGG_ILSVRC.caffemodel", ValueError, "Caffe files are not read"),
    ):
        with pytest.raises(error, match=message) as raised:
            weights.read(path)
        assert "\n" not in str(raised.value)


def test_vgg16_ships(monkeypatch):
    """Without a look at the net, and in at most 8.5 MB."""
    monkeypatch.setattr(tf.keras.utils, "get_file", None)
    network = weights.load("auto", "auto", "average", "float32")
    assert (network.name, network.weights) == ("vgg16", "vgg16")
    assert os.path.getsize(weights.SHIPPED) <= 8_500_000
    shapes = {name: kernel.shape for name, (kernel, _) in network.filters.items()}
    assert shapes == vgg.filter_shapes("vgg16")
    # The first kernel of the original, of which 8 bits keep about two digits.
    first = network.filters["conv1_1"][0][0, :, 0, 0]
    np.testing.assert_allclose(first, (0.429471, 0.373467, -0.061360), atol=0.003)
    with pytest.raises(ValueError, match="--network=vgg19: this package has VGG-16's"):
        weights.load("vgg19", "auto", "average", "float32")


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_imagenet_is_fetched_once_and_checked(classic_file, tmp_path, monkeypatch):
    folder, name = os.path.split(classic_file)
    handler = functools.partial(Handler, directory=folder)
    with open(classic_file, "rb") as file:
        md5 = hashlib.md5(file.read()).hexdigest()
    fetch = functools.partial(tf.keras.utils.get_file, cache_dir=str(tmp_path))
    monkeypatch.setattr(tf.keras.utils, "get_file", fetch)
    monkeypatch.setattr(weights, "IMAGENET_MD5", {"vgg19": "0" * 32})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{httpd.server_port}/{name}"
        monkeypatch.setattr(weights, "IMAGENET_URL", url)
        with pytest.raises(OSError, match="Keras's file of vgg19 did not arrive"):
            weights.load("vgg19", "imagenet", "average", "float32")
        monkeypatch.setattr(weights, "IMAGENET_MD5", {"vgg19": md5})
        network = weights.load("vgg19", "imagenet", "average", "float32")
        assert (network.name, network.weights) == ("vgg19", "imagenet")
        httpd.shutdown()
    monkeypatch.setattr(weights, "IMAGENET_URL", "http://127.0.0.1:9/notop.h5")
    assert weights.load("vgg19", "imagenet", "average", "float32").name == "vgg19"


def test_quantised_kernels_are_near_and_no_scale_is_better():
    generator = np.random.default_rng(0)
    kernel = np.float32(generator.standard_t(4, (3, 3, 16, 8)))
    whole, scale = quantize.quantized_kernel(kernel)
    assert whole.dtype == np.int8 and np.abs(whole).max() <= 127

    def error(scale):
        rounded = np.clip(np.round(kernel / scale), -127, 127) * scale
        return np.square(rounded - kernel).sum(axis=(0, 1, 2))

    np.testing.assert_allclose(error(scale), error(scale * 1), rtol=1e-3)
    for other in (0.7, 1.3):
        assert (error(scale) <= 1.05 * error(scale * other)).all()


def test_biases_take_up_what_rounding_changes_on_average(network):
    pictures = [np.random.default_rng(0).normal(0, 60, (136, 144, 3))]
    arrays = quantize.quantized(network.filters, pictures)
    kernel, bias = network.filters["conv1_1"]
    rounded = np.float32(arrays["conv1_1/kernel"]) * arrays["conv1_1/scale"]
    maps = [
        tf.nn.conv2d(pictures[0][np.newaxis], np.float64(k), 1, "VALID") + b
        for k, b in ((kernel, bias), (rounded, arrays["conv1_1/bias"]))
    ]
    means = [np.mean(m, axis=(0, 1, 2)) for m in maps]
    np.testing.assert_allclose(means[0], means[1], atol=1e-5)
    assert np.abs(maps[0] - maps[1]).max() < 0.05 * np.abs(maps[0]).max()

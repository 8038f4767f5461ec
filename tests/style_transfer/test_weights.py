"""Filters from every kind of file, from a server, and by chance."""

import functools
import hashlib
import http.server
import itertools
import os
import pathlib
import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest
import tensorflow as tf

from style_transfer import weights
from style_transfer.features import Network

ROOT = pathlib.Path(__file__).parents[2]


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


@pytest.mark.parametrize("name", ["vgg19", "compact"])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_random_filters_are_calibrated(content, style, pooling, name):
    filters = weights.random_filters(name, [content, style], pooling, seed=0)
    layers = list(filters)
    network = Network(name, filters, "random", pooling)
    inputs = [network.features(tf.constant(i), layers) for i in (content, style)]
    checked = 0
    for before_it, layer in itertools.pairwise(layers):
        if layer.endswith("_1"):  # its input is pooled and not at hand
            continue
        kernel, bias = filters[layer]
        before = [
            tf.nn.conv2d(maps[before_it][tf.newaxis], kernel, 1, "SAME") + bias
            for maps in inputs
        ]
        flat = np.concatenate([np.reshape(b, [-1, b.shape[-1]]) for b in before])
        np.testing.assert_allclose(flat.mean(axis=0), 0.0, atol=2e-3)
        np.testing.assert_allclose(flat.std(axis=0), 1.0, atol=2e-3)
        checked += 1
    assert checked == {"vgg19": 8, "compact": 3}[name]


def test_random_filters_follow_the_seed(content):
    one, same, other = (
        weights.random_filters("compact", [content], "average", seed)
        for seed in (1, 1, 2)
    )
    assert_same(one, same)
    assert not np.array_equal(one["conv1_1"][0], other["conv1_1"][0])


def test_random_filters_survive_a_flat_picture():
    flat = np.full((32, 32, 3), 127.0, np.float32)
    found = weights.random_filters("compact", [flat], "average", 0)
    for kernel, bias in found.values():
        assert np.isfinite(kernel).all() and np.isfinite(bias).all()


def test_reads_the_classic_file(classic_file, filters):
    assert_same(weights.read_vgg19(classic_file), filters)


def test_reads_kerass_weights_file(keras_vgg, filters, tmp_path):
    path = str(tmp_path / "vgg19.weights.h5")
    keras_vgg.save_weights(path)
    assert_same(weights.read_vgg19(path), filters)


def test_refuses_another_networks_file(tmp_path):
    path = str(tmp_path / "other.weights.h5")
    tf.keras.Sequential(
        [tf.keras.layers.Input([32, 32, 3]), tf.keras.layers.Conv2D(8, 3)]
    ).save_weights(path)
    message = r"conv1_1's kernel is \(3, 3, 3, 8\), VGG-19's is \(3, 3, 3, 64\)"
    with pytest.raises(ValueError, match=message):
        weights.read_vgg19(path)


def test_refuses_a_file_that_ends_early(classic_file, tmp_path):
    path = tmp_path / "short.h5"
    with open(classic_file, "rb") as file:
        path.write_bytes(file.read(100_000))
    with pytest.raises(OSError, match=r"short\.h5: not a readable HDF5 file"):
        weights.read_vgg19(str(path))


def test_refuses_a_missing_file():
    with pytest.raises(OSError, match="none.h5: no such file"):
        weights.read_vgg19("none.h5")


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


def load_auto(url, md5, home, network="auto"):
    """What `auto` finds with an empty Keras cache in `home`."""
    code = f"""
import numpy as np
from style_transfer import weights
weights.IMAGENET_URL = {url!r}
weights.IMAGENET_MD5 = {md5!r}
image = np.zeros([32, 32, 3], np.float32)
network, reason = weights.load("{network}", "auto", "average", "auto", [image], 0)
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
    missing = "http://127.0.0.1:9/notop.h5"
    for url, network, found in (
        (missing, "auto", "compact"),
        (missing, "vgg19", "random"),
        (server, "auto", "compact"),  # damaged: another checksum
    ):
        told = load_auto(url, "0" * 32, tmp_path, network)
        assert told.startswith(f"{found} ImageNet's VGG-19 weights did not arrive")


def test_the_compact_network_ships(content):
    network, reason = weights.load("auto", "compact", "average", "auto", [content], 0)
    assert (network.name, network.weights, reason) == ("compact", "compact", "")
    size = os.path.getsize(weights.COMPACT_PATH)
    assert size <= 3_000_000
    assert {"conv1_1", "conv4_2", "conv5_1"} <= set(network.filters)
    for kernel, bias in network.filters.values():
        assert kernel.dtype == bias.dtype == np.float32
        assert np.isfinite(kernel).all() and np.isfinite(bias).all()


def test_compact_needs_no_download(content):
    """A network asked for by name is not looked for elsewhere."""
    found = weights.load("compact", "auto", "average", "auto", [content], 0)
    assert (found[0].weights, found[1]) == ("compact", "")


@pytest.mark.parametrize(
    ("network", "name"), [("vgg19", "compact"), ("compact", "imagenet")]
)
def test_weights_of_the_other_network_are_refused(network, name, content):
    with pytest.raises(ValueError, match=f"--network={network} does not fit"):
        weights.load(network, name, "average", "auto", [content], 0)


def test_refuses_a_damaged_compact_file(tmp_path, content):
    path = tmp_path / "compact.npz"
    with open(weights.COMPACT_PATH, "rb") as file:
        path.write_bytes(file.read(100_000))
    with pytest.raises(OSError, match=r"compact\.npz: not a readable .npz"):
        weights.read_compact(str(path))
    np.savez(path, **{"conv1_1/kernel": np.zeros((3, 3, 3, 8))})
    with pytest.raises(ValueError, match="conv1_1's kernel is nothing"):
        weights.read_compact(str(path))

"""Where a network's filters come from: shipped, Keras, a file, or chance.

Post, "Convolutional neural networks": "a modified version of VGG 19 ... trained on
ImageNet".
"""

import contextlib
import os
import re
import socket
import zipfile
from collections.abc import Iterator, Sequence

import h5py
import numpy as np
import tensorflow as tf

from style_transfer import features
from style_transfer.features import Filters, Network

# Keras's own file, cache folder and checksum (keras.applications.VGG19).
IMAGENET_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
IMAGENET_MD5 = "253f8cb515780f3b799900260a226db6"
DOWNLOAD_TIMEOUT = 15.0  # seconds without a byte
COMPACT_PATH = os.path.join(os.path.dirname(__file__), "data", "compact.npz")

# Scaling a layer's features by s scales its style loss by s^4, so one beta means one
# look only for one s. ImageNet's filters answer with hundreds, random and compact ones
# with about one: their style loss is multiplied by these, for each of the five blocks.
STYLE_SCALES = {
    "imagenet": (1.0,) * 5,
    "random": (1e6,) * 5,
    "compact": (1e5, 5e5, 2.5e5, 2.5e4, 2.5e3),
}


def load(
    network: str,
    weights: str,
    pooling: str,
    precision: str,
    images: Sequence[np.ndarray],
    seed: int,
) -> tuple[Network, str]:
    """The network that `network` and `weights` name.

    Args:
        network: "auto", "vgg19" or "compact".
        weights: "auto", "compact", "imagenet", "random" or a file.
        pooling: "average" or "max".
        precision: "auto", "bfloat16" or "float32".
        images: what random filters are calibrated on.
        seed: of random filters.

    Returns:
        The network, and why "auto" fell back ("" where it did not).

    Raises:
        OSError: weights that cannot be had or read.
        ValueError: weights of the wrong shape, or of the other network.
    """
    reason = ""
    if weights == "auto":
        weights, reason = _best(network)
    name = network if network != "auto" else _network_of(weights)
    if weights in ("compact", "imagenet") and name != _network_of(weights):
        raise ValueError(f"--network={network} does not fit --weights={weights}")
    if weights == "random":
        filters = random_filters(name, images, pooling, seed)
    elif name == "compact":
        filters = read_compact(COMPACT_PATH if weights == "compact" else weights)
    else:
        filters = read_vgg19(imagenet_path() if weights == "imagenet" else weights)
    if precision == "auto":
        precision = features.fastest_precision()
    kind = {"compact": "compact", "vgg19": "imagenet"}[name]
    scales = STYLE_SCALES["random" if weights == "random" else kind]
    return Network(name, filters, weights, pooling, precision, scales), reason


def check_layers(network: Network, layers: Sequence[str]) -> None:
    """Raise a ValueError unless `network` has all of `layers`."""
    for layer in layers:
        if layer not in network.filters:
            raise ValueError(
                f"no layer {layer!r} in the {network.name} network: choose from "
                f"{', '.join(network.filters)}"
            )


def _best(network: str) -> tuple[str, str]:
    """What "auto" means, and why it is not ImageNet's filters where they were meant."""
    if network == "compact":
        return "compact", ""
    try:
        imagenet_path()
    except OSError as error:
        return {"auto": "compact", "vgg19": "random"}[network], str(error)
    return "imagenet", ""


def _network_of(weights: str) -> str:
    compact = weights == "compact" or weights.endswith(".npz")
    return "compact" if compact else "vgg19"


def imagenet_path() -> str:
    """The file with ImageNet's filters: Keras's cached copy, fetched if missing.

    Raises:
        OSError: it is not cached and did not arrive whole.
    """
    name = os.path.basename(IMAGENET_URL)
    try:
        with _socket_timeout(DOWNLOAD_TIMEOUT):
            return tf.keras.utils.get_file(
                name, IMAGENET_URL, cache_subdir="models", file_hash=IMAGENET_MD5
            )
    except Exception as error:  # Keras raises bare Exception and ValueError here
        reason = str(error).splitlines()[0]
        raise OSError(f"ImageNet's VGG-19 weights did not arrive ({reason})") from error


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def read_vgg19(path: str) -> Filters:
    """Filters through conv5_1 from a Keras VGG-19 file.

    Args:
        path: a `.weights.h5` of Keras 3, or the classic `..._notop.h5`, with or
            without the classifier. In both, sorting the data sets by name puts the
            convolutions in order.

    Raises:
        OSError: no such file, or not HDF5.
        ValueError: its convolutions are not VGG-19's.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"weights file {path}: no such file")
    arrays: list[tuple[list, np.ndarray]] = []

    def collect(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            arrays.append((_natural(name), item[()]))

    try:
        with h5py.File(path, "r") as file:
            file.visititems(collect)
    except OSError as error:
        raise OSError(
            f"weights file {path}: not a readable HDF5 file: {error}"
        ) from error
    ordered = [array for _, array in sorted(arrays, key=lambda pair: pair[0])]
    kernels = [array for array in ordered if array.ndim == 4]
    biases = [array for array in ordered if array.ndim == 1]
    names = features.CHANNELS["vgg19"]
    found = dict(zip(names, zip(kernels, biases, strict=False), strict=False))
    return _checked(path, "vgg19", found, "VGG-19's", "a Keras VGG-19 file")


def _natural(name: str) -> list:
    """A sort key by which conv2d_2 comes before conv2d_10."""
    return [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", name)]


def read_compact(path: str) -> Filters:
    """Filters of the compact network from a file of `style_transfer.pretrain`.

    Raises:
        OSError: no such file, or damaged.
        ValueError: its convolutions are not the compact network's.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"weights file {path}: no such file")
    try:
        with np.load(path) as file:
            arrays = {name: np.float32(file[name]) for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise OSError(f"weights file {path}: not a readable .npz file") from error
    found = {
        name: (arrays[f"{name}/kernel"], arrays[f"{name}/bias"])
        for name in features.CHANNELS["compact"]
        if f"{name}/kernel" in arrays and f"{name}/bias" in arrays
    }
    source = "a file of style_transfer.pretrain"
    return _checked(path, "compact", found, "the compact network's", source)


def _checked(
    path: str, network: str, found: Filters, whose: str, source: str
) -> Filters:
    for name, shape in features.filter_shapes(network).items():
        arrays = found.get(name, (np.empty(0), np.empty(0)))
        needed = (shape, shape[-1:])
        for kind, array, shape_ in zip(("kernel", "bias"), arrays, needed, strict=True):
            if array.shape != shape_:
                got = array.shape if array.size else "nothing"
                raise ValueError(
                    f"weights file {path}: {name}'s {kind} is {got}, {whose} is "
                    f"{shape_}: give {source}"
                )
    return found


def _smooth_noise(
    generator: np.random.Generator, shape: tuple[int, int, int, int]
) -> np.ndarray:
    """White noise less its finest frequencies, float32 [3, 3, in, out].

    Like trained filters these answer to coarse structure most; white ones answer to
    single pixels, and pictures made with them are covered in noise.
    """
    _, _, ins, outs = shape
    noise = generator.standard_normal((5, 5, ins, outs), dtype=np.float32)
    noise = noise[:-2] + 2 * noise[1:-1] + noise[2:]
    return noise[:, :-2] + 2 * noise[:, 1:-1] + noise[:, 2:]


def random_filters(
    network: str, images: Sequence[np.ndarray], pooling: str, seed: int
) -> Filters:
    """Seeded filters, each calibrated to zero mean and unit variance on `images`.

    An untrained network whose responses are balanced still carries colour and coarse
    stroke (Ustyuzhaninov et al., "Texture Synthesis Using Shallow Convolutional
    Networks with Random Filters", 2016). Calibration (after Mishkin and Matas, "All
    You Need Is a Good Init", 2015) goes layer by layer, before the ReLU.

    Args:
        network: "vgg19" or "compact".
        images: pictures [height, width, 3], RGB in [0, 255], of any sizes.
        pooling: "average" or "max".
        seed: of the filters.
    """
    generator = np.random.default_rng(seed)
    inputs = [features.preprocess(tf.constant(i, tf.float32)) for i in images]
    maps = [image[tf.newaxis] for image in inputs]
    filters = {}
    for name, shape in features.filter_shapes(network).items():
        if features.begins_block(name):
            maps = [features.pool(m, pooling) for m in maps]
        kernel = _smooth_noise(generator, shape)
        maps = [tf.nn.conv2d(m, kernel, 1, "SAME") for m in maps]
        flat = tf.concat([tf.reshape(m, [-1, shape[-1]]) for m in maps], axis=0)
        mean, variance = tf.nn.moments(flat, axes=0)
        scale = 1.0 / tf.sqrt(variance + 1e-6 * tf.reduce_mean(variance) + 1e-12)
        maps = [tf.nn.relu((m - mean) * scale) for m in maps]
        filters[name] = kernel * scale.numpy(), (-mean * scale).numpy()
    return filters

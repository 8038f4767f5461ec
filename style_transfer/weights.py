"""Where a network's filters come from: this package, Keras, or a file.

Post, "Convolutional neural networks": "a modified version of VGG 19 ... trained on
ImageNet". The package ships VGG-16, which `quantize` wrote; see `data/NOTICE`.
"""

import contextlib
import io
import os
import re
import socket
import zipfile
from collections.abc import Iterator

import h5py
import numpy as np
import tensorflow as tf

from runkit import checkpoint
from style_transfer import vgg
from style_transfer.vgg import Filters, Network

# Keras's own files and checksums (keras.applications.VGG16 and VGG19).
IMAGENET_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/{0}/"
    "{0}_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
IMAGENET_MD5 = {
    "vgg16": "6d6bbae143d832006294945121d1f1fc",
    "vgg19": "253f8cb515780f3b799900260a226db6",
}
DOWNLOAD_TIMEOUT = 15.0  # seconds without a byte
SHIPPED = os.path.join(os.path.dirname(__file__), "data", "vgg16.npz")
FORMAT = checkpoint.Format("style_transfer.quantize", 1)

KERAS_FILE = (
    "save Keras's own by keras.applications.VGG16(include_top=False)"
    '.save_weights("vgg16.weights.h5"), or leave --weights out for the VGG-16 that '
    "comes with this package"
)
FOREIGN = {  # endings of files that other programs write
    ".pth": "PyTorch",
    ".pt": "PyTorch",
    ".t7": "Torch",
    ".mat": "MATLAB",
    ".caffemodel": "Caffe",
    ".onnx": "ONNX",
    ".safetensors": "safetensors",
}


def load(network: str, weights: str, pooling: str, precision: str) -> Network:
    """Loads the network that `network` and `weights` name.

    Args:
        network: "auto", or one of `vgg.CONVOLUTIONS`.
        weights: "auto" for the VGG-16 of this package, "imagenet" for Keras's
            download, or a file.
        pooling: "average", "max" or "stride1".
        precision: "auto", "bfloat16" or "float32".

    Raises:
        OSError: The weights cannot be had or read.
        ValueError: They are of no VGG, or of the other one.
    """
    if weights == "auto":
        if network.startswith("vgg19"):
            raise ValueError(
                f"--network={network}: this package has VGG-16's filters alone: give "
                "--weights=imagenet (a download of 80 MB) or a Keras file of VGG-19"
            )
        path, weights = SHIPPED, "vgg16"
    elif weights == "imagenet":
        path = imagenet_path(
            "vgg16" if network == "auto" else network.removesuffix("_short")
        )
    else:
        path = weights
    found, filters = read(path)
    if network == "vgg19_short" and found == "vgg19":
        found = network
        filters = {name: filters[name] for name in vgg.LAYERS[network]}
    if network not in ("auto", found):
        raise ValueError(f"--network={network}: {path} holds {found}'s filters")
    if precision == "auto":
        precision = vgg.fastest_precision()
    return Network(found, filters, weights, pooling, precision)


def imagenet_path(network: str) -> str:
    """Returns Keras's cached file of ImageNet's filters, fetched if it is missing.

    Args:
        network: "vgg16" or "vgg19".

    Raises:
        OSError: It is not cached and did not arrive whole.
    """
    url = IMAGENET_URL.format(network)
    try:
        with _socket_timeout(DOWNLOAD_TIMEOUT):
            return tf.keras.utils.get_file(
                os.path.basename(url),
                url,
                cache_subdir="models",
                file_hash=IMAGENET_MD5[network],
            )
    except Exception as error:  # Keras raises bare Exception and ValueError here.
        reason = str(error).splitlines()[0]
        raise OSError(
            f"--weights=imagenet: Keras's file of {network} did not arrive ({reason}): "
            "leave --weights out for the VGG-16 that comes with this package"
        ) from error


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def read(path: str) -> tuple[str, Filters]:
    """Reads filters through conv5_1 from a file of Keras or of `quantize`.

    Args:
        path: A `.weights.h5`, a classic `..._notop.h5` or a `.keras` file, with or
            without a classifier; or an `.npz` file of `style_transfer.quantize`.

    Returns:
        The network's name, "vgg16" or "vgg19", and the filters in float32.

    Raises:
        OSError: There is no such file, or it is damaged or of another kind.
        ValueError: Its convolutions are those of neither network.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending in FOREIGN:
        raise ValueError(
            f"weights file {path}: {FOREIGN[ending]} files are not read: {KERAS_FILE}"
        )
    if not os.path.isfile(path):
        raise FileNotFoundError(f"weights file {path}: no such file")
    arrays = _read_quantized(path) if ending == ".npz" else _read_keras(path)
    for name, shapes in ((name, vgg.filter_shapes(name)) for name in vgg.LAYERS):
        needed = [(shape, shape[-1:]) for shape in shapes.values()]
        pairs = arrays[: len(needed)]
        if [(kernel.shape, bias.shape) for kernel, bias in pairs] == needed:
            return name, dict(zip(shapes, pairs, strict=True))
    raise ValueError(
        f"weights file {path}: its {len(arrays)} convolutions are neither VGG-16's nor "
        f"VGG-19's: {KERAS_FILE}"
    )


def _read_keras(path: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of each convolution of a Keras file, in order."""
    arrays: list[tuple[list, np.ndarray]] = []

    def collect(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            arrays.append((_natural(name), item[()]))

    try:
        source: str | io.BytesIO = path
        if zipfile.is_zipfile(path):  # .keras
            with zipfile.ZipFile(path) as archive:
                source = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(source, "r") as file:
            file.visititems(collect)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise OSError(
            f"weights file {path}: this is no Keras file, or it is damaged ({error}): "
            f"{KERAS_FILE}"
        ) from error
    # In each of the layouts, sorting by name puts the convolutions in order.
    ordered = [array for _, array in sorted(arrays, key=lambda pair: pair[0])]
    kernels = [np.float32(array) for array in ordered if array.ndim == 4]
    biases = [np.float32(array) for array in ordered if array.ndim == 1]
    return list(zip(kernels, biases, strict=False))


def _natural(name: str) -> list:
    """A sort key by which conv2d_2 comes before conv2d_10."""
    return [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", name)]


def _read_quantized(path: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of each layer of a file of `quantize`."""
    header, arrays = checkpoint.read(path, FORMAT)
    return [
        (
            np.float32(arrays[f"{layer}/kernel"]) * arrays[f"{layer}/scale"],
            arrays[f"{layer}/bias"],
        )
        for layer in header["layers"]
    ]

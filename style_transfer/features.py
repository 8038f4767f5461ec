"""VGG-19's feature maps: which layers, which filters, and where the filters come from.

Simonyan and Zisserman, "Very Deep Convolutional Networks" (2014), configuration E;
post, "Convolutional neural networks".
"""

import contextlib
import dataclasses
import os
import re
import socket
from collections.abc import Iterator, Sequence

import h5py
import numpy as np
import tensorflow as tf

from style_transfer.config import LAYERS

# Keras's own file, cache folder and checksum (keras.applications.VGG19).
IMAGENET_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
IMAGENET_MD5 = "253f8cb515780f3b799900260a226db6"
DOWNLOAD_TIMEOUT = 15.0  # seconds without a byte
BGR_MEAN = (103.939, 116.779, 123.68)  # of ImageNet, in the order that Caffe used

# Scaling features by s scales the content loss by s^2 and the style loss by s^4, so
# one beta means one look only for one s. ImageNet's filters answer with hundreds,
# calibrated ones with about one: their style loss is multiplied by this.
RANDOM_STYLE_SCALE = 1e6

Filters = list[tuple[np.ndarray, np.ndarray]]  # kernel [3, 3, in, out], bias [out]


@dataclasses.dataclass(frozen=True)
class Network:
    """A feature extractor and how its style loss compares with ImageNet's VGG-19.

    Attributes:
        model: maps BGR pixels less their mean [1, height, width, 3] to the feature
            maps of the layers that were asked for, by name, [1, h, w, N_l] each.
        weights: where the filters came from: "imagenet", "random" or a file.
        style_scale: the factor on the style loss that makes beta comparable.
    """

    model: tf.keras.Model
    weights: str
    style_scale: float = 1.0

    def features(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Feature maps F^l [height, width, N_l] of `image`, by layer.

        Args:
            image: [height, width, 3], RGB in [0, 255].
        """
        maps = self.model(preprocess(image)[tf.newaxis], training=False)
        return {name: batch[0] for name, batch in maps.items()}


def preprocess(image: tf.Tensor) -> tf.Tensor:
    """RGB in [0, 255] to what VGG-19 was trained on: BGR less ImageNet's mean."""
    return image[..., ::-1] - tf.constant(BGR_MEAN, image.dtype)


def build(
    layers: Sequence[str],
    pooling: str,
    filters: Filters,
    weights: str,
    style_scale: float = 1.0,
) -> Network:
    """VGG-19 up to the deepest of `layers`, with the given filters, frozen.

    Args:
        layers: names out of `LAYERS`.
        pooling: "average" or "max".
        filters: one kernel and bias for each of `LAYERS`, in order.
        weights: the name of the filters.
        style_scale: see `Network`.
    """
    model = _vgg19(pooling)
    for name, (kernel, bias) in zip(LAYERS, filters, strict=True):
        model.get_layer(_keras_name(name)).set_weights([kernel, bias])
    outputs = {name: model.get_layer(_keras_name(name)).output for name in layers}
    model = tf.keras.Model(model.input, outputs)
    model.trainable = False
    return Network(model, weights, style_scale)


def _vgg19(pooling: str) -> tf.keras.Model:
    """keras.applications' VGG-19 without classifier, pooled as asked."""

    def clone(layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
        if pooling == "average" and isinstance(layer, tf.keras.layers.MaxPooling2D):
            return tf.keras.layers.AveragePooling2D(2, strides=2, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    vgg = tf.keras.applications.VGG19(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    return tf.keras.models.clone_model(vgg, clone_function=clone)


def _keras_name(layer: str) -> str:
    return re.sub(r"conv(\d)_(\d)", r"block\1_conv\2", layer)


def filter_shapes() -> dict[str, tuple[int, int, int, int]]:
    """The kernel shape [3, 3, in, out] of each of `LAYERS`."""
    maps = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}
    outs = [maps[int(name[4])] for name in LAYERS]
    ins = [3, *outs[:-1]]
    return {name: (3, 3, i, o) for name, i, o in zip(LAYERS, ins, outs, strict=True)}


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


def read_filters(path: str) -> Filters:
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
    for index, (name, shape) in enumerate(filter_shapes().items()):
        for kind, found, needed in (
            ("kernel", kernels, shape),
            ("bias", biases, shape[-1:]),
        ):
            got = found[index].shape if index < len(found) else "nothing"
            if got != needed:
                raise ValueError(
                    f"weights file {path}: {name}'s {kind} is {got}, VGG-19's is "
                    f"{needed}: give a Keras VGG-19 file"
                )
    count = len(LAYERS)
    return list(zip(kernels[:count], biases[:count], strict=True))


def _natural(name: str) -> list:
    """A sort key by which conv2d_2 comes before conv2d_10."""
    return [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", name)]


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


def random_filters(images: Sequence[np.ndarray], pooling: str, seed: int) -> Filters:
    """Seeded filters, each calibrated to zero mean and unit variance on `images`.

    An untrained network whose responses are balanced still carries colour and coarse
    stroke (Ustyuzhaninov et al., "Texture Synthesis Using Shallow Convolutional
    Networks with Random Filters", 2016). Calibration (after Mishkin and Matas, "All
    You Need Is a Good Init", 2015) goes layer by layer, before the ReLU.

    Args:
        images: pictures [height, width, 3], RGB in [0, 255], of any sizes.
        pooling: "average" or "max".
        seed: of the filters.

    Returns:
        Filters for each of `LAYERS`.
    """
    generator = np.random.default_rng(seed)
    maps = [preprocess(tf.constant(image, tf.float32))[tf.newaxis] for image in images]
    filters = []
    for name, shape in filter_shapes().items():
        if name.endswith("_1") and name != "conv1_1":
            pool = {"average": "AVG", "max": "MAX"}[pooling]
            maps = [tf.nn.pool(m, [2, 2], pool, [2, 2], "VALID") for m in maps]
        kernel = _smooth_noise(generator, shape)
        maps = [tf.nn.conv2d(m, kernel, 1, "SAME") for m in maps]
        flat = tf.concat([tf.reshape(m, [-1, shape[-1]]) for m in maps], axis=0)
        mean, variance = tf.nn.moments(flat, axes=0)
        scale = 1.0 / tf.sqrt(variance + 1e-6 * tf.reduce_mean(variance) + 1e-12)
        maps = [tf.nn.relu((m - mean) * scale) for m in maps]
        filters.append((kernel * scale.numpy(), (-mean * scale).numpy()))
    return filters


def load(
    weights: str,
    layers: Sequence[str],
    pooling: str,
    images: Sequence[np.ndarray],
    seed: int,
) -> tuple[Network, str]:
    """The network that `weights` names.

    Args:
        weights: "auto", "imagenet", "random" or a file for `read_filters`.
        layers: names out of `LAYERS`.
        pooling: "average" or "max".
        images: what random filters are calibrated on.
        seed: of random filters.

    Returns:
        The network, and why "auto" fell back ("" where it did not).

    Raises:
        OSError: weights that cannot be had or read.
        ValueError: weights of the wrong shape.
    """
    reason = ""
    if weights in ("auto", "imagenet"):
        try:
            filters = read_filters(imagenet_path())
            return build(layers, pooling, filters, "imagenet"), reason
        except OSError as error:
            if weights == "imagenet":
                raise
            reason = str(error)
            weights = "random"
    if weights == "random":
        filters = random_filters(images, pooling, seed)
        return build(layers, pooling, filters, weights, RANDOM_STYLE_SCALE), reason
    return build(layers, pooling, read_filters(weights), weights), reason

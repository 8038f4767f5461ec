"""Feature maps F^l of VGG-16 and VGG-19.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition" (2014), configurations D and E; post, "Convolutional neural networks".

The first convolution sees the picture mirrored at its edges. VGG was trained with zeros
there, which are ImageNet's mean colour: every picture then ends in an edge that counts
as style, and transfers get a pale frame.
"""

import dataclasses
import functools
from collections.abc import Collection, Sequence

import numpy as np
import tensorflow as tf

# Convolutions in each of the five blocks, of which the last counts to conv5_1 only.
CONVOLUTIONS = {
    "vgg16": (2, 2, 3, 3, 1),
    "vgg19": (2, 2, 4, 4, 1),
    "vgg19_short": (2, 2, 3, 3, 1),  # as in the author's notebooks
}
MAPS = (64, 128, 256, 512, 512)  # N_l in each block
LAYERS = {
    network: tuple(
        f"conv{block}_{index}"
        for block, count in enumerate(counts, start=1)
        for index in range(1, count + 1)
    )
    for network, counts in CONVOLUTIONS.items()
}
ALIGNMENT = 16  # pixels that the four poolings make one
BGR_MEAN = (103.939, 116.779, 123.68)  # of ImageNet, in the order that Caffe used

# Kernel [3, 3, in, out] and bias [out] of each layer through conv5_1, in order.
Filters = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Network:
    """A frozen feature extractor.

    Attributes:
        name: One of `CONVOLUTIONS`.
        filters: Those of every layer through conv5_1.
        weights: Where they came from: "vgg16", "imagenet" or a file.
        pooling: "average", "max" or "stride1".
        precision: "bfloat16" or "float32", of the convolutions alone.
    """

    name: str
    filters: Filters
    weights: str
    pooling: str = "average"
    precision: str = "float32"

    def features(
        self, image: tf.Tensor, layers: Collection[str]
    ) -> dict[str, tf.Tensor]:
        """Returns the feature maps F^l of a picture by layer, [height, width, N_l].

        They have the dtype of `precision`.

        Args:
            image: float32 [height, width, 3], RGB in [0, 255].
            layers: The names of the layers that are wanted.
        """
        maps = tf.cast(preprocess(image)[tf.newaxis], self.precision)
        mirrored = self.pooling != "stride1"  # The author's network sees zeros.
        if mirrored:
            maps = tf.pad(maps, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
        found: dict[str, tf.Tensor] = {}
        for name, (kernel, bias) in self._tensors.items():
            if len(found) == len(set(layers)):
                break
            if begins_block(name):
                maps = pool(maps, self.pooling)
            padding = "VALID" if mirrored and name == "conv1_1" else "SAME"
            maps = tf.nn.bias_add(tf.nn.conv2d(maps, kernel, 1, padding), bias)
            maps = tf.nn.relu(maps)
            if name in layers:
                found[name] = tf.squeeze(maps, 0)  # A slice's gradient is a copy.
        return found

    @functools.cached_property
    def _tensors(self) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        """The filters in that precision; graphs share them, and are traced sooner."""
        with tf.init_scope():
            return {
                name: tuple(tf.constant(array, self.precision) for array in arrays)
                for name, arrays in self.filters.items()
            }


def begins_block(layer: str) -> bool:
    """Tells whether a pooling comes before `layer`."""
    return layer.endswith("_1") and layer != "conv1_1"


def pool(maps: tf.Tensor, pooling: str) -> tf.Tensor:
    """Returns maps [n, height, width, N_l] at half their height and width, or whole."""
    if pooling == "stride1":
        return tf.nn.avg_pool2d(maps, 3, 1, "SAME")
    kind = {"average": "AVG", "max": "MAX"}[pooling]
    return tf.nn.pool(maps, [2, 2], kind, [2, 2], "VALID")


def preprocess(image: tf.Tensor) -> tf.Tensor:
    """Turns RGB in [0, 255] into what VGG was trained on: BGR less ImageNet's mean."""
    return image[..., ::-1] - tf.constant(BGR_MEAN, image.dtype)


def filter_shapes(network: str) -> dict[str, tuple[int, int, int, int]]:
    """Returns the kernel shape [3, 3, in, out] of each layer of a network."""
    shapes, ins = {}, 3
    for name in LAYERS[network]:
        out = MAPS[block(name) - 1]
        shapes[name] = (3, 3, ins, out)
        ins = out
    return shapes


def block(layer: str) -> int:
    """Returns the number of the layer's block, from 1."""
    return int(layer[4])


def stride(layer: str, pooling: str) -> int:
    """Returns the pixels of the picture from one position of the layer to the next."""
    return 1 if pooling == "stride1" else 2 ** (block(layer) - 1)


def shape(layer: str, height: int, width: int, pooling: str) -> tuple[int, int]:
    """Returns the height and width of the layer's maps of a picture of that size."""
    step = stride(layer, pooling)
    return height // step, width // step


def reach(layers: Sequence[str], network: str, pooling: str) -> int:
    """Returns how many pixels the deepest of `layers` sees beyond its own, at most."""
    total, deepest = 0, max(layers)
    for name in LAYERS[network]:
        total += stride(name, pooling)  # a 3x3 convolution
        if begins_block(name):
            total += stride(name, pooling)  # at most, for the pooling
        if name == deepest:
            break
    return total


def fastest_precision() -> str:
    """Returns "bfloat16" where the device multiplies it natively, else "float32"."""
    for device in tf.config.get_visible_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        capability = details.get("compute_capability", (0, 0))
        return "bfloat16" if capability >= (8, 0) else "float32"
    try:
        with open("/proc/cpuinfo", encoding="ascii") as file:
            text = file.read()
    except OSError:  # not Linux
        return "float32"
    native = "avx512_bf16" in text or "amx_bf16" in text
    return "bfloat16" if native else "float32"

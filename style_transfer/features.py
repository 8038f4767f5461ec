"""Feature maps F^l: VGG-19's, and those of a compact network of the same shape.

Simonyan and Zisserman, "Very Deep Convolutional Networks" (2014), configuration E;
post, "Convolutional neural networks". The compact network has VGG's blocks and names.
Its first block has one convolution, because work at full resolution costs most; its
deep blocks are wide, because they are cheap.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

CHANNELS = {  # N_l, in order
    "vgg19": {
        f"conv{block}_{index}": maps
        for block, convolutions, maps in (
            (1, 2, 64),
            (2, 2, 128),
            (3, 4, 256),
            (4, 4, 512),
            (5, 1, 512),
        )
        for index in range(1, convolutions + 1)
    },
    "compact": {
        "conv1_1": 32,
        "conv2_1": 64,
        "conv2_2": 64,
        "conv3_1": 128,
        "conv3_2": 128,
        "conv4_1": 192,
        "conv4_2": 192,
        "conv5_1": 320,
    },
}
ALIGNMENT = 16  # pixels that the four poolings make one
BGR_MEAN = (103.939, 116.779, 123.68)  # of ImageNet, in the order that Caffe used

# Kernel [3, 3, in, out] and bias [out] of each layer, in order.
Filters = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Network:
    """A frozen feature extractor.

    Attributes:
        name: "vgg19" or "compact".
        filters: of every layer through conv5_1.
        weights: where they came from: "imagenet", "compact", "random" or a file.
        pooling: "average" or "max".
        precision: "bfloat16" or "float32", of the convolutions alone.
        style_scales: the factors on the style loss of each block that make beta
            comparable, see `weights.STYLE_SCALES`.
    """

    name: str
    filters: Filters
    weights: str
    pooling: str = "average"
    precision: str = "float32"
    style_scales: tuple[float, ...] = (1.0,) * 5

    def features(self, image: tf.Tensor, layers: Sequence[str]) -> dict[str, tf.Tensor]:
        """Feature maps F^l of `image`, float32 [height, width, N_l], by layer.

        Args:
            image: float32 [height, width, 3], RGB in [0, 255].
            layers: the names that are wanted.
        """
        inputs = tf.cast(preprocess(image)[tf.newaxis], self.precision)
        maps = feature_maps(self.filters, inputs, layers, self.pooling)
        return {name: tf.cast(batch[0], tf.float32) for name, batch in maps.items()}


def feature_maps(
    filters: Filters, inputs: tf.Tensor, layers: Sequence[str], pooling: str
) -> dict[str, tf.Tensor]:
    """Feature maps [n, h, w, N_l] of preprocessed pictures, by layer.

    Args:
        filters: of the network.
        inputs: [n, height, width, 3], of the type in which to convolve.
        layers: the names that are wanted.
        pooling: "average" or "max".
    """
    maps, found = inputs, {}
    for name, (kernel, bias) in filters.items():
        if len(found) == len(layers):
            break
        if begins_block(name):
            maps = pool(maps, pooling)
        # Constants, so that oneDNN arranges them once.
        maps = tf.nn.conv2d(maps, tf.constant(kernel, maps.dtype), 1, "SAME")
        maps = tf.nn.relu(tf.nn.bias_add(maps, tf.constant(bias, maps.dtype)))
        if name in layers:
            found[name] = maps
    return found


def begins_block(layer: str) -> bool:
    """Whether a pooling comes before `layer`."""
    return layer.endswith("_1") and layer != "conv1_1"


def pool(maps: tf.Tensor, pooling: str) -> tf.Tensor:
    """Maps [n, height, width, N_l] at half the height and width."""
    kind = {"average": "AVG", "max": "MAX"}[pooling]
    return tf.nn.pool(maps, [2, 2], kind, [2, 2], "VALID")


def preprocess(image: tf.Tensor) -> tf.Tensor:
    """RGB in [0, 255] to what VGG-19 was trained on: BGR less ImageNet's mean."""
    return image[..., ::-1] - tf.constant(BGR_MEAN, image.dtype)


def filter_shapes(network: str) -> dict[str, tuple[int, int, int, int]]:
    """The kernel shape [3, 3, in, out] of each layer of the network of that name."""
    outs = list(CHANNELS[network].values())
    return {
        name: (3, 3, ins, out)
        for name, ins, out in zip(CHANNELS[network], [3, *outs[:-1]], outs, strict=True)
    }


def block(layer: str) -> int:
    """The number of the layer's block, from 1."""
    return int(layer[4])


def stride(layer: str) -> int:
    """Pixels of the image from one position of a feature map to the next."""
    return 2 ** (block(layer) - 1)


def reach(layers: Sequence[str], network: str) -> int:
    """Pixels that the deepest of `layers` sees beyond its own, at most."""
    total, deepest = 0, max(layers)
    for name in CHANNELS[network]:
        total += stride(name)  # a 3x3 convolution
        if begins_block(name):
            total += stride(name)  # at most, for the 2x2 pooling
        if name == deepest:
            break
    return total


def fastest_precision() -> str:
    """ "bfloat16" where the processor multiplies it natively, else "float32"."""
    try:
        with open("/proc/cpuinfo", encoding="ascii") as file:
            text = file.read()
    except OSError:  # not Linux
        return "float32"
    native = "avx512_bf16" in text or "amx_bf16" in text
    return "bfloat16" if native else "float32"

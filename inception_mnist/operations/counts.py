"""Multiplications and parameters of Inception modules, by layer, counted exactly.

Post, "Dimensionality reduction"; Szegedy et al., "Going deeper with convolutions"
(2015), Figure 2 and Table 1. An operation is one multiplication of a weight by a value
and its addition to a sum, as in the post. Padding is "same" and the stride is 1; a
weight that falls on the padding counts too. Biases, pooling and activations need only
additions and comparisons, so they do not count.
"""

import dataclasses
import math
from collections.abc import Iterable

REDUCED, NAIVE = MODULES = ("reduced", "naive")  # the paper's Figures 2(b) and 2(a)
DENSE, GAP = HEADS = ("dense", "gap")
BRANCHES = ("1x1", "3x3", "5x5", "pool")
SIZE, PICTURE_CHANNELS, CLASSES = 28, 1, 10  # MNIST's
SIZES = ("kernel", "height", "width", "channels_in", "channels_out")  # of a layer


def _check(choices: tuple[str, ...] = (), **values: int | str) -> None:
    """Raise a `ValueError` for what is neither a choice nor a whole number from 1."""
    for name, value in values.items():
        if choices and value not in choices:
            raise ValueError(f"{name}={value!r}: must be one of {', '.join(choices)}")
        if not choices and (type(value) is not int or value < 1):
            raise ValueError(f"{name}={value!r}: must be a whole number from 1")


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution that keeps the height and the width of its input.

    A fully connected layer is a 1x1 convolution of a picture of one pixel. A size that
    is not a whole number from 1 raises a `ValueError`.
    """

    kernel: int  # pixels a side
    height: int  # of the input and the output
    width: int
    channels_in: int
    channels_out: int
    name: str = ""  # such as "5x5 reduce"
    branch: str = ""  # one of `BRANCHES`, or "head"
    first: bool = True  # whether it reads its module's input, not another layer of it
    module: int = 0  # 1, 2, ... within a model; 0 for a module alone and for a head

    def __post_init__(self) -> None:
        _check(**{name: getattr(self, name) for name in SIZES})

    @property
    def weights(self) -> int:
        """Parameters without the biases."""
        return self.kernel**2 * self.channels_in * self.channels_out

    @property
    def parameters(self) -> int:
        """Weights, and one bias for each output channel."""
        return self.weights + self.channels_out

    @property
    def multiplications(self) -> int:
        """For one picture: every weight once for every pixel."""
        return self.weights * self.height * self.width

    @property
    def formula(self) -> str:
        """The multiplications as the post spells them; in * out for a dense layer."""
        channels = f"{self.channels_in} * {self.channels_out}"
        if self.kernel == self.height == self.width == 1:
            return channels
        same = self.height == self.width
        pixels = f"{self.height}^2" if same else f"{self.height} * {self.width}"
        return f"{self.kernel}^2 * {pixels} * {channels}"


@dataclasses.dataclass(frozen=True)
class Inception:
    """An Inception module; the widths are the columns of the paper's Table 1.

    A number that is not whole and at least 1 raises a `ValueError`.
    """

    height: int  # of the input and the output
    width: int
    channels_in: int
    ones: int  # "#1x1"
    reduce3: int  # "#3x3 reduce"; as reduce5 and pool, it is ignored in naive modules
    threes: int  # "#3x3"
    reduce5: int  # "#5x5 reduce"
    fives: int  # "#5x5"
    pool: int  # "pool proj", the 1x1 convolution after the max pooling

    def __post_init__(self) -> None:
        _check(**vars(self))

    def layers(self, module: str = REDUCED) -> list[Layer]:
        """Return the convolutions, branch by branch.

        Args:
            module: "reduced" as in the paper's Figure 2(b), the post's Figure 3; or
                "naive" as in 2(a), the post's Figure 4: every convolution reads the
                module's input, and the output of the max pooling is passed on as it is.

        Raises:
            ValueError: The module is neither of the two.
        """
        _check(MODULES, module=module)
        if module == NAIVE:
            return [
                self._layer("1x1", "1x1", 1, self.ones),
                self._layer("3x3", "3x3", 3, self.threes),
                self._layer("5x5", "5x5", 5, self.fives),
            ]
        return [
            self._layer("1x1", "1x1", 1, self.ones),
            self._layer("3x3 reduce", "3x3", 1, self.reduce3),
            self._layer("3x3", "3x3", 3, self.threes, self.reduce3),
            self._layer("5x5 reduce", "5x5", 1, self.reduce5),
            self._layer("5x5", "5x5", 5, self.fives, self.reduce5),
            self._layer("pool projection", "pool", 1, self.pool),
        ]

    def channels_out(self, module: str = REDUCED) -> int:
        """Return the channels of all branches together, for a kind of module."""
        _check(MODULES, module=module)
        pooled = self.channels_in if module == NAIVE else self.pool
        return self.ones + self.threes + self.fives + pooled

    def _layer(
        self, name: str, branch: str, kernel: int, channels: int, reduced: int = 0
    ) -> Layer:
        sizes = kernel, self.height, self.width, reduced or self.channels_in, channels
        return Layer(*sizes, name, branch, first=not reduced)


GOOGLENET = {
    "3a": Inception(28, 28, 192, 64, 96, 128, 16, 32, 32),
    "3b": Inception(28, 28, 256, 128, 128, 192, 32, 96, 64),
    "4a": Inception(14, 14, 480, 192, 96, 208, 16, 48, 64),
    "4b": Inception(14, 14, 512, 160, 112, 224, 24, 64, 64),
    "4c": Inception(14, 14, 512, 128, 128, 256, 24, 64, 64),
    "4d": Inception(14, 14, 512, 112, 144, 288, 32, 64, 64),
    "4e": Inception(14, 14, 528, 256, 160, 320, 32, 128, 128),
    "5a": Inception(7, 7, 832, 256, 160, 320, 32, 128, 128),
    "5b": Inception(7, 7, 832, 384, 192, 384, 48, 128, 128),
}
# "params" and "ops" of Table 1: weights in units of 1024, and millions.
PARAMS = (159, 380, 364, 437, 463, 580, 840, 1072, 1388)
OPS = (128, 304, 73, 88, 100, 119, 170, 54, 71)
PAPER = dict(zip(GOOGLENET, zip(PARAMS, OPS, strict=True), strict=True))


def stack(modules: Iterable[Inception], module: str) -> list[Inception]:
    """Return the modules with each one reading what the one before it gives.

    The post compares the two kinds on one input, that of Table 1. Naive modules upon
    one another cost more than that: each passes its input on through its pooling, so
    the channels grow from module to module. Poolings between modules keep them.

    Args:
        modules: The widths, and the heights and widths of the inputs; only the first
            module keeps its `channels_in`.
        module: "reduced" or "naive".
    """
    stacked: list[Inception] = []
    for each in modules:
        if stacked:
            channels = stacked[-1].channels_out(module)
            each = dataclasses.replace(each, channels_in=channels)
        stacked.append(each)
    return stacked


def model_layers(
    map1: int = 32,
    map2: int = 64,
    reduce1x1: int = 16,
    hidden: int = 700,
    head: str = DENSE,
    module: str = REDUCED,
    pool: int = 1,
) -> list[Layer]:
    """Return this project's model: two modules, a hidden layer and the logits.

    Args:
        map1: Channels of each branch of the first module, which reads [28, 28, 1].
        map2: Channels of each branch of the second module.
        reduce1x1: Channels after each 1x1 convolution before a large one.
        hidden: Units of the hidden layer.
        head: "dense" reads every value of every channel, as in the post; "gap" reads
            the mean of each channel.
        module: "reduced" or "naive".
        pool: Stride of a 3x3 max pooling between the modules, 1 for none; the sides
            shrink to 28 / pool, rounded up.

    Raises:
        ValueError: A number is not whole or below 1, or there is no such head or
            module.
    """
    _check(HEADS, head=head)
    _check(map1=map1, map2=map2, reduce1x1=reduce1x1, hidden=hidden, pool=pool)
    side = math.ceil(SIZE / pool)
    widths = [(m, reduce1x1, m, reduce1x1, m, m) for m in (map1, map2)]
    first = Inception(SIZE, SIZE, PICTURE_CHANNELS, *widths[0])
    second = Inception(side, side, first.channels_out(module), *widths[1])
    channels = second.channels_out(module)
    flat = channels * side**2 if head == DENSE else channels
    return [
        *(dataclasses.replace(layer, module=1) for layer in first.layers(module)),
        *(dataclasses.replace(layer, module=2) for layer in second.layers(module)),
        Layer(1, 1, 1, flat, hidden, "hidden", "head"),
        Layer(1, 1, 1, hidden, CLASSES, "logits", "head", first=False),
    ]


def multiplications(layers: Iterable[Layer]) -> int:
    """Return the multiplications of all layers for one picture."""
    return sum(layer.multiplications for layer in layers)


def parameters(layers: Iterable[Layer]) -> int:
    """Return the parameters of all layers, biases included."""
    return sum(layer.parameters for layer in layers)


def training_multiplications(layers: Iterable[Layer]) -> int:
    """Return the multiplications of a forward and a backward pass of one picture.

    The gradient of a convolution takes its multiplications once for the weights and
    once for the input; the layers that read the picture need no gradient of it.
    """
    factors = ((3 - (each.module == 1 and each.first), each) for each in layers)
    return sum(factor * each.multiplications for factor, each in factors)


def by_branch(layers: Iterable[Layer]) -> dict[str, list[int]]:
    """Return each branch's multiplications: of its 1x1 reduction, and of the rest."""
    counts = {branch: [0, 0] for branch in BRANCHES}
    for layer in layers:
        if layer.branch in counts:
            rest = not layer.name.endswith("reduce")
            counts[layer.branch][rest] += layer.multiplications
    return counts

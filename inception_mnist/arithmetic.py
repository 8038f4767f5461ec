"""Multiplications and parameters of Inception modules, by layer, counted exactly.

Post, "Dimensionality reduction"; Szegedy et al., "Going deeper with convolutions"
(2015), Figure 2 and Table 1. An operation is one multiplication of a weight by a value
and its addition to a sum, as in the post. Padding is the same and the stride 1, and a
weight that falls on the padding counts too. Biases, pooling and activations take
additions and comparisons only and do not count.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence

REDUCED, NAIVE = MODULES = ("reduced", "naive")  # the paper's Figures 2(b) and 2(a)
DENSE, GAP = HEADS = ("dense", "gap")
BRANCHES = ("1x1", "3x3", "5x5", "pool")

SIZE, PICTURE_CHANNELS, CLASSES = 28, 1, 10  # of MNIST


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}={value!r}: a whole number from 1 is needed")


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name}={value!r}: one of {', '.join(choices)} is needed")


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A convolution that keeps the height and the width of its input.

    Raises:
        ValueError: a number that is not whole or below 1.
    """

    kernel: int  # pixels a side
    height: int
    width: int
    channels_in: int
    channels_out: int

    def __post_init__(self) -> None:
        _check_counts(**vars(self))

    @property
    def weights(self) -> int:
        """Parameters without the biases."""
        return self.kernel**2 * self.channels_in * self.channels_out

    @property
    def parameters(self) -> int:
        """Weights and a bias for every channel out."""
        return self.weights + self.channels_out

    @property
    def multiplications(self) -> int:
        """For one picture: every weight once for every pixel."""
        return self.weights * self.height * self.width

    @property
    def formula(self) -> str:
        """The multiplications as the post spells them; of a dense layer, in * out."""
        if self.kernel == self.height == self.width == 1:
            return f"{self.channels_in} * {self.channels_out}"
        pixels = f"{self.height}^2"
        if self.height != self.width:
            pixels = f"{self.height} * {self.width}"
        return f"{self.kernel}^2 * {pixels} * {self.channels_in} * {self.channels_out}"


def dense(units_in: int, units_out: int) -> Convolution:
    """A fully connected layer: a 1x1 convolution of a picture of one pixel."""
    return Convolution(1, 1, 1, units_in, units_out)


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution by name.

    Attributes:
        name: such as "5x5 reduce".
        branch: one of `BRANCHES`, or "head".
        convolution: what is counted.
        first: whether it reads the module's input, not another layer of it.
        module: 1, 2, ... within a model; 0 for a module alone and for a head.
    """

    name: str
    branch: str
    convolution: Convolution
    first: bool
    module: int = 0

    @property
    def multiplications(self) -> int:
        """For one picture."""
        return self.convolution.multiplications

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.convolution.parameters


@dataclasses.dataclass(frozen=True)
class Inception:
    """An Inception module; the widths are the columns of the paper's Table 1.

    Raises:
        ValueError: a number that is not whole or below 1.
    """

    height: int
    width: int
    channels_in: int
    ones: int  # "#1x1"
    reduce3: int  # "#3x3 reduce"; of the reduced module alone, as reduce5 and pool
    threes: int  # "#3x3"
    reduce5: int  # "#5x5 reduce"
    fives: int  # "#5x5"
    pool: int  # "pool proj": the 1x1 convolution after the max pooling

    def __post_init__(self) -> None:
        _check_counts(**vars(self))

    def layers(self, module: str = REDUCED) -> list[Layer]:
        """The convolutions, branch by branch.

        Args:
            module: reduced as in the paper's Figure 2(b), the post's 3; or naive as in
                2(a), the post's 4: every convolution reads the module's input, and
                what the max pooling gives is passed on as it is.

        Raises:
            ValueError: another module.
        """
        _check_choice("module", module, MODULES)
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
        """Of the branches side by side; a `ValueError` for another module."""
        _check_choice("module", module, MODULES)
        pooled = self.channels_in if module == NAIVE else self.pool
        return self.ones + self.threes + self.fives + pooled

    def _layer(
        self,
        name: str,
        branch: str,
        kernel: int,
        channels_out: int,
        reduced: int | None = None,
    ) -> Layer:
        channels_in = reduced or self.channels_in
        sides = self.height, self.width
        convolution = Convolution(kernel, *sides, channels_in, channels_out)
        return Layer(name, branch, convolution, reduced is None)


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
PAPER = {
    "3a": (159, 128),
    "3b": (380, 304),
    "4a": (364, 73),
    "4b": (437, 88),
    "4c": (463, 100),
    "4d": (580, 119),
    "4e": (840, 170),
    "5a": (1072, 54),
    "5b": (1388, 71),
}


def stack(modules: Iterable[Inception], module: str) -> list[Inception]:
    """The same widths, each module reading what the one before gives.

    The post compares the two kinds on one input, that of Table 1. Naive modules upon
    one another cost more than that: each passes its input on through its pooling, so
    the channels grow from module to module. Poolings between modules keep them.

    Args:
        modules: with the heights and widths of their inputs; the channels into the
            first are kept.
        module: reduced or naive.

    Returns:
        As many modules, with the channels into each.

    Raises:
        ValueError: another module.
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
    """This project's model: two modules, a hidden layer and the logits of ten digits.

    Args:
        map1: channels of each branch of the first module, which reads [28, 28, 1].
        map2: of the second.
        reduce1x1: channels after each 1x1 convolution before a large one.
        hidden: units.
        head: dense reads every value of every channel, as in the post; gap the mean of
            each channel.
        module: reduced or naive.
        pool: stride of a 3x3 max pooling between the modules, 1 for none; the sides
            shrink to 28 / pool, rounded up.

    Raises:
        ValueError: a number that is not whole or below 1; another head or module.
    """
    _check_choice("head", head, HEADS)
    _check_counts(map1=map1, map2=map2, reduce1x1=reduce1x1, hidden=hidden, pool=pool)
    side = math.ceil(SIZE / pool)
    widths = [(m, reduce1x1, m, reduce1x1, m, m) for m in (map1, map2)]
    first = Inception(SIZE, SIZE, PICTURE_CHANNELS, *widths[0])
    second = Inception(side, side, first.channels_out(module), *widths[1])
    channels = second.channels_out(module)
    flat = channels * side**2 if head == DENSE else channels
    return [
        *(dataclasses.replace(layer, module=1) for layer in first.layers(module)),
        *(dataclasses.replace(layer, module=2) for layer in second.layers(module)),
        Layer("hidden", "head", dense(flat, hidden), True),
        Layer("logits", "head", dense(hidden, CLASSES), False),
    ]


def multiplications(layers: Iterable[Layer]) -> int:
    """Of all the layers, for one picture."""
    return sum(layer.multiplications for layer in layers)


def parameters(layers: Iterable[Layer]) -> int:
    """Of all the layers, with biases."""
    return sum(layer.parameters for layer in layers)


def weights(layers: Iterable[Layer]) -> int:
    """Of all the layers, without biases."""
    return sum(layer.convolution.weights for layer in layers)


def training_multiplications(layers: Iterable[Layer]) -> int:
    """Of a forward and a backward pass of one picture.

    The gradient of a convolution takes its multiplications once for the weights and
    once for the input; the layers that read the picture need no gradient of it.
    """
    factors = ((3 - (each.module == 1 and each.first), each) for each in layers)
    return sum(factor * each.multiplications for factor, each in factors)


def by_branch(layers: Iterable[Layer]) -> dict[str, tuple[int, int]]:
    """Multiplications of each branch: of its 1x1 reduction, and of what follows."""
    layers = list(layers)
    return {
        branch: tuple(
            multiplications(
                layer
                for layer in layers
                if layer.branch == branch and layer.name.endswith("reduce") is reduction
            )
            for reduction in (True, False)
        )
        for branch in BRANCHES
    }

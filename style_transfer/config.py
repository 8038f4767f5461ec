"""What one run does: every setting, its default, and where the default comes from."""

import dataclasses
import math

MODES = ("transfer", "content", "style", "pixels")
OPTIMIZERS = ("adam", "lbfgs")
POOLINGS = ("average", "max")
# VGG-19 through conv5_1: 2, 2, 4, 4 and 1 convolutions in the five blocks.
LAYERS = tuple(
    f"conv{block}_{index}"
    for block, convolutions in enumerate((2, 2, 4, 4, 1), start=1)
    for index in range(1, convolutions + 1)
)
# Five poolings halve 32 pixels to one; below that, deep feature maps vanish.
SMALLEST_SIDE = 32


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; a `ValueError` names the first that is wrong.

    "Post" is the section "Generating stylish images with content" of the post,
    "paper" is Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015).
    """

    mode: str = "transfer"
    init: str = "auto"  # "content" when transferring (peers), else the post's noise
    weights: str = "auto"
    pooling: str = "average"  # paper: gives slightly more appealing results than max
    content_layers: tuple[str, ...] = ("conv4_2",)  # post: l_c
    style_layers: tuple[str, ...] = (  # post: lambda
        "conv1_1",
        "conv2_1",
        "conv3_1",
        "conv4_1",
        "conv5_1",
    )
    style_layer_weights: tuple[float, ...] = ()  # w_l; empty: equal, the post's 1/5
    content_weight: float = 1.0  # alpha
    style_weight: float = 1e3  # beta; post: alpha / beta = 1e-3
    total_variation_weight: float = 0.0  # the post has none
    optimizer: str = "adam"  # post; the paper used L-BFGS
    learning_rate: float = 2.0  # post: "about 1-5"
    steps: int = 500  # post: "roughly 500 to 2000 iterations"
    size: int = 384  # longest side, pixels: about a second a step on two cores
    save_every: int = 25
    seed: int = 0

    def __post_init__(self):
        _choice("mode", self.mode, MODES)
        _choice("optimizer", self.optimizer, OPTIMIZERS)
        _choice("pooling", self.pooling, POOLINGS)
        _layers("content_layer", self.content_layers)
        _layers("style_layers", self.style_layers)
        for name in ("content_weight", "style_weight", "total_variation_weight"):
            _number(name, getattr(self, name), at_least=0.0)
        for weight in self.style_layer_weights:
            _number("style_layer_weights", weight, at_least=0.0)
        if self.style_layer_weights:
            if len(self.style_layer_weights) != len(self.style_layers):
                raise ValueError(
                    f"--style_layer_weights has {len(self.style_layer_weights)} values "
                    f"for {len(self.style_layers)} layers: give one for each layer"
                )
        else:
            equal = (1.0 / len(self.style_layers),) * len(self.style_layers)
            object.__setattr__(self, "style_layer_weights", equal)
        _number("learning_rate", self.learning_rate, above=0.0)
        _number("steps", self.steps, at_least=1)
        _number("size", self.size, at_least=SMALLEST_SIDE)
        _number("save_every", self.save_every, at_least=0)
        _number("seed", self.seed, at_least=0)
        if self.init == "auto":
            start = "content" if self.mode == "transfer" else "noise"
            object.__setattr__(self, "init", start)


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"--{name}={value}: choose one of {', '.join(choices)}")


def _layers(name: str, layers: tuple[str, ...]) -> None:
    if not layers or len(set(layers)) != len(layers):
        raise ValueError(f"--{name}={','.join(layers)}: name each layer once")
    for layer in layers:
        if layer not in LAYERS:
            raise ValueError(
                f"--{name}: no layer {layer!r}: choose from {', '.join(LAYERS)}"
            )


def _number(
    name: str, value: float, at_least: float | None = None, above: float | None = None
) -> None:
    if not math.isfinite(value):
        raise ValueError(f"--{name}={value}: a finite number is needed")
    if at_least is not None and value < at_least:
        raise ValueError(f"--{name}={value}: must be at least {at_least:g}")
    if above is not None and value <= above:
        raise ValueError(f"--{name}={value}: must be above {above:g}")

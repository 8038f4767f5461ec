"""What a run does: every setting, its default, and where the default comes from."""

import dataclasses
import math

CHOICES = {
    "mode": ("transfer", "content", "style", "pixels"),
    "network": ("auto", "vgg19", "compact"),
    "pooling": ("average", "max"),
    "precision": ("auto", "bfloat16", "float32"),
    "preserve_colors": ("no", "luminance", "match"),
    "optimizer": ("lbfgs", "adam"),
}
# VGG-19 through conv5_1: 2, 2, 4, 4 and 1 convolutions in the five blocks.
LAYERS = tuple(
    f"conv{block}_{index}"
    for block, convolutions in enumerate((2, 2, 4, 4, 1), start=1)
    for index in range(1, convolutions + 1)
)
# Five poolings halve 32 pixels to one; below that, deep feature maps vanish.
SMALLEST_SIDE = 32
LEAST = {
    "content_weight": 0.0,
    "style_weight": 0.0,
    "total_variation_weight": 0.0,
    "scales": 1,
    "steps": 1,
    "size": SMALLEST_SIDE,
    "save_every": 0,
    "seed": 0,
}


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; a `ValueError` names the first that is wrong.

    "Post" is the section "Generating stylish images with content" of the post,
    "paper" is Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015).
    """

    mode: str = "transfer"
    init: str = "auto"  # "content" when transferring (peers), else the post's noise
    network: str = "auto"  # of the weights
    weights: str = "auto"
    pooling: str = "average"  # paper: gives slightly more appealing results than max
    precision: str = "auto"  # of the convolutions alone: the fastest there is
    content_layers: tuple[str, ...] = ("conv4_2",)  # post: l_c
    style_layers: tuple[str, ...] = (  # post: lambda
        "conv1_1",
        "conv2_1",
        "conv3_1",
        "conv4_1",
        "conv5_1",
    )
    style_layer_weights: tuple[float, ...] = ()  # w_l; empty: equal, the post's 1/5
    style_blend: tuple[float, ...] = ()  # shares of the styles; empty: equal
    style_scale: float = 1.0  # of the style picture's longest side to the content's
    content_weight: float = 1.0  # alpha
    style_weight: float = 1e3  # beta; post: alpha / beta = 1e-3
    total_variation_weight: float = 0.0  # the post has none
    normalize_gradients: bool = False  # neither have the post and the paper
    preserve_colors: str = "no"  # the post takes the style's
    optimizer: str = "lbfgs"  # paper; the post's adam needs several times as long
    learning_rate: float = 2.0  # post, for adam: "about 1-5"
    scales: int = 3  # the post has one
    steps: int = 100  # at each scale; post, with adam: "roughly 500 to 2000"
    size: int = 384  # longest side, pixels
    save_every: int = 25
    seed: int = 0

    def __post_init__(self):
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(
                    f"--{name}={value}: choose one of {', '.join(choices)}"
                )
        _layers("content_layer", self.content_layers)
        _layers("style_layers", self.style_layers)
        for name, least in LEAST.items():
            _number(name, getattr(self, name), least)
        for name in ("learning_rate", "style_scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"--{name}={getattr(self, name)}: must be above 0")
        for name in ("style_layer_weights", "style_blend"):
            for weight in getattr(self, name):
                _number(name, weight, 0.0)
        if self.style_blend and not sum(self.style_blend):
            raise ValueError("--style_blend: one share must be above 0")
        if not self.style_layer_weights:
            equal = (1.0 / len(self.style_layers),) * len(self.style_layers)
            object.__setattr__(self, "style_layer_weights", equal)
        if len(self.style_layer_weights) != len(self.style_layers):
            raise ValueError(
                f"--style_layer_weights has {len(self.style_layer_weights)} values "
                f"for {len(self.style_layers)} layers: give one for each layer"
            )
        if self.init == "auto":
            start = "content" if self.mode == "transfer" else "noise"
            object.__setattr__(self, "init", start)


@dataclasses.dataclass(frozen=True)
class Training:
    """The settings of a training run."""

    epochs: int = 60
    batch: int = 128
    crops: tuple[int, ...] = (32, 32, 40, 48)  # pixels, by quarter of the run
    learning_rate: float = 0.1  # peak; usual for this batch with batch norm
    weight_decay: float = 5e-4  # usual for nets of this kind on small data
    label_smoothing: float = 0.1
    smallest_crop: float = 0.35  # share of the picture's area
    jitter: float = 0.2  # of brightness and of contrast
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch", "learning_rate"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"--{name}={value}: must be above 0")
        if self.seed < 0:
            raise ValueError(f"--seed={self.seed}: must be at least 0")


def _layers(name: str, layers: tuple[str, ...]) -> None:
    if not layers or len(set(layers)) != len(layers):
        raise ValueError(f"--{name}={','.join(layers)}: name each layer once")
    for layer in layers:
        if layer not in LAYERS:
            raise ValueError(
                f"--{name}: no layer {layer!r}: choose from {', '.join(LAYERS)}"
            )


def _number(name: str, value: float, least: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"--{name}={value}: a finite number is needed")
    if value < least:
        raise ValueError(f"--{name}={value}: must be at least {least:g}")

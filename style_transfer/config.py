"""What a run does: every setting, its default, and where the default comes from."""

import dataclasses
from typing import Any

from runkit.settings import check, setting

BLOCKS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
SMALLEST_SIDE = 32  # pixels; below that, deep feature maps vanish

# What the author's notebooks have, by mode; the modern recipe is the defaults below.
_POST = {"pooling": "stride1", "optimizer": "adam", "scales": 1, "init": "noise"}
_PART = _POST | {"size": 400, "aspect": 1.25, "steps": 1000, "learning_rate": 0.5}
RECIPES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "transfer"): _POST
    | {"size": 350, "aspect": 1.0, "steps": 2000, "learning_rate": 5.0}
    | {"content_weight": 0.01, "style_weight": 3e4},
    ("post", "content"): _PART | {"content_layers": ("conv5_1",)},
    ("post", "style"): _PART | {"style_layers": BLOCKS[:3]},
    ("post", "pixels"): _PART,
}


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; a `ValueError` names the first that is wrong.

    "Post" is the section "Generating stylish images with content" of the post,
    "paper" is Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015).
    """

    recipe: str = setting(
        "modern",
        "Source of the settings that are not given: the author's notebooks, whose "
        "noise, edges and unclipped pixels come with it, or the best found since.",
        choices=("post", "modern"),
    )
    size: int = setting(
        512, "Longest side of the picture in pixels; 0 keeps the content's own.", low=0
    )
    aspect: float = setting(
        0.0,
        "Width over height to which content and style are cropped around their "
        "middle; 0 crops nothing.",
        low=0,
    )
    steps: int = setting(  # Post, with Adam: "roughly 500 to 2000".
        36,
        "Steps of the optimizer at the finest scale; each coarser scale, which costs a "
        "quarter of the next, gets half as many again. More steps go on from a "
        "finished run with --resume.",
        low=1,
    )
    scales: int = setting(  # The post has one.
        3, "Number of sizes from coarse to fine; each is twice the one before.", low=1
    )
    style_weight: float = setting(  # The post's alpha / beta is 1e-3.
        1.25e4, "Weight beta of the style: more of it gives more style.", low=0
    )
    content_weight: float = setting(1.0, "Weight alpha of the content.", low=0)
    total_variation_weight: float = setting(  # The post has none.
        0.0, "Weight of a penalty on differences of neighbouring pixels.", low=0
    )
    style_scale: float = setting(
        1.0,
        "Size of the style picture as a share of the content's; larger values make "
        "larger strokes.",
        above=0,
    )
    style_margin: float = setting(
        0.0,
        "Share of a painting's shorter side to leave out at each edge, as scans may "
        "end in pale paper.",
        low=0,
        high=0.25,
    )
    style_blend: tuple[float, ...] = setting(
        (), "Share of each style in a mixture; without shares, all are equal.", low=0
    )
    preserve_colors: str = setting(  # The post takes the style's.
        "no",
        "How to keep the content's colours: luminance transfers brightness alone, and "
        "match gives the style the content's colours first.",
        choices=("no", "luminance", "match"),
    )
    mode: str = setting(
        "transfer",
        "What to make: the transfer, one of the two reconstructions that it joins, or "
        "with pixels the content picture by its pixels alone.",
        choices=("transfer", "content", "style", "pixels"),
    )
    init: str = setting(
        "auto",
        "Where to start: noise, content, style or a picture file. auto means content "
        "for a transfer, and the post's noise for everything else.",
    )
    content_layers: tuple[str, ...] = setting(  # post: l_c
        ("conv4_2",), "Layer or layers that the content is read from."
    )
    style_layers: tuple[str, ...] = setting(  # post: lambda
        BLOCKS, "Layers that the style is read from."
    )
    style_layer_weights: tuple[float, ...] = setting(  # post: w_l = 1/5
        (), "Weight of each style layer; without weights, all are equal.", low=0
    )
    network: str = setting(
        "auto",
        "Network that reads the pictures; auto follows the weights. vgg19_short is the "
        "author's, VGG-19 without the fourth convolutions of blocks 3 and 4.",
        choices=("auto", "vgg16", "vgg19", "vgg19_short"),
    )
    weights: str = setting(
        "auto",
        "Filters of the network: auto means the VGG-16 that comes with this package, "
        "imagenet downloads Keras's file of --network, and anything else is a Keras "
        "file of VGG-16 or VGG-19.",
    )
    pooling: str = setting(  # Paper: average gives slightly more appealing results.
        "average",
        "Kind of pooling: of 2x2 positions, or with stride1 the author's, averages of "
        "3x3 which leave all maps as large as the picture.",
        choices=("average", "max", "stride1"),
    )
    precision: str = setting(
        "auto",
        "Number format of the convolutions; auto means bfloat16 where the device "
        "multiplies it natively.",
        choices=("auto", "bfloat16", "float32"),
    )
    optimizer: str = setting(  # The post's Adam needs several times as long.
        "lbfgs",
        "Optimizer: lbfgs as in the paper, or adam as in the post.",
        choices=("lbfgs", "adam"),
    )
    learning_rate: float = setting(  # Post: "about 1-5".
        2.0, "Learning rate of Adam, in intensities of 0 to 255.", above=0
    )
    save_every: int = setting(
        25, "Steps from one saved frame to the next; 0 saves none.", low=0
    )
    seed: int = setting(0, "Seed of the noise.", low=0)

    def __post_init__(self) -> None:
        check(self)
        if 0 < self.size < SMALLEST_SIDE:
            raise ValueError(
                f"--size={self.size}: must be at least {SMALLEST_SIDE}, or 0 for the "
                "content's own size"
            )
        for name in ("content_layers", "style_layers"):
            layers = getattr(self, name)
            if not layers or len(set(layers)) != len(layers):
                raise ValueError(f"--{name}={','.join(layers)}: name each layer once")
        if self.style_blend and not sum(self.style_blend):
            raise ValueError("--style_blend: one share must be above 0")
        # What is left to the other settings is decided here, so that results show it.
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

    @classmethod
    def of_recipe(cls, recipe: str = "modern", **given: Any) -> "Config":
        """Makes the settings of a recipe, except for those that are given.

        Raises:
            ValueError: A setting is wrong.
        """
        decided = RECIPES.get((recipe, given.get("mode", "transfer")), {})
        return cls(recipe=recipe, **(decided | given))


# The same for the flags, whose help lists what each recipe decides.
DECIDED = {name for values in RECIPES.values() for name in values}
DEFAULTS: dict[str, dict[str, Any]] = {
    f"{recipe}, {mode}": values for (recipe, mode), values in RECIPES.items()
} | {
    "modern": {
        field.name: field.default
        for field in dataclasses.fields(Config)
        if field.name in DECIDED
    }
}

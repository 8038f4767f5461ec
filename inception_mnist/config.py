"""What one run does: every setting, its default, and where the default comes from.

"Post" is "Inception modules: explained and implemented", section "Model".
"""

import dataclasses
from typing import Any

from runkit import settings
from runkit.settings import check, setting

# The settings of a recipe with a head; the others are the defaults below, the post's.
# "modern" is the best found for the same modules, see docs/inception_mnist.md.
_MODERN = {
    "pixels": "unit",
    "shuffle": True,
    "initialization": "he",
    "schedule": "one_cycle",
}
_MODERN_GAP = _MODERN | {
    "normalization": "batch",
    "pool": 2,
    "augmentation": "affine",
    "learning_rate": 4e-3,
    "weight_decay": 0.05,
    "average": 0.999,
    "views": 16,
    "batch_size": 100,
    "steps": 9_000,
}
_SETTINGS = {
    ("modern", "dense"): _MODERN | {"learning_rate": 3e-4},
    ("modern", "gap"): _MODERN_GAP,
}
DATASETS = ("auto", "csv", "tfds", "digits")
HEADS = {"post": "dense", "modern": "gap"}  # of a recipe, unless one is named
_FASHION = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
CLASS_NAMES = {
    "fashion": tuple(_FASHION.split(",")),
    "emnist": tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),  # balanced
}


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; the defaults are the post's.

    Raises:
        ValueError: A setting is wrong; the message names the first one.
    """

    recipe: str = settings.recipe()
    head: str = setting(
        "dense",
        "What lies under the hidden layer: every value of every map, 140 million "
        "weights as in the post (dense), or the mean of each map (gap).",
        choices=("dense", "gap"),
    )
    module: str = setting(
        "reduced",
        "Inception module with 1x1 reductions (post, Figure 3) or without (Figure 4).",
        choices=("reduced", "naive"),
    )
    map1: int = setting(32, "Maps of each branch of the first module.", low=1)  # post
    map2: int = setting(64, "Maps of each branch of the second module.", low=1)  # post
    reduce1x1: int = setting(
        16, "Maps of each 1x1 convolution before a large one.", low=1
    )  # post
    hidden: int = setting(700, "Nodes of the hidden layer.", low=1)  # post: num_fc1
    classes: int = setting(
        10, "Number of classes; EMNIST has up to 62.", low=2, high=256
    )
    class_names: tuple[str, ...] = setting(
        (),
        "Names of the classes with commas between, or the name of a known list: "
        f"{' or '.join(CLASS_NAMES)}. Unnamed classes are numbers.",
    )
    dropout: float = setting(
        0.5, "Share of the hidden nodes dropped in training; below 1.", low=0
    )  # post
    valid_size: int = setting(
        500,
        "Number of images at the end of the training set that validate instead; at "
        "most a fifth of the set.",
        low=1,
    )  # post
    test_batch_size: int = setting(100, "Images in a test batch.", low=1)  # post
    precision: str = setting(
        "auto",
        "Number format of the large products; auto means bfloat16 where the processor "
        "multiplies it natively.",
        choices=("auto", "float32", "bfloat16"),
    )
    normalization: str = setting(
        "none", "Normalization of the maps of each module.", choices=("none", "batch")
    )
    pool: int = setting(
        1, "Stride of a max pooling between the modules; 1 means none.", low=1, high=28
    )
    pixels: str = setting(
        "raw",
        "Range of the network's input: 0 to 255 (raw, as in the post's csv) or 0 to 1.",
        choices=("raw", "unit"),
    )
    shuffle: bool = setting(
        False, "Shuffle the images, instead of the post's windows in file order."
    )
    augmentation: str = setting(
        "none",
        "Changes to the training images; affine turns, scales, shears and shifts them "
        "a little.",
        choices=("none", "affine"),
    )
    initialization: str = setting(
        "printed",
        "Initial values: as the post's code has them, or He's.",
        choices=("printed", "he"),
    )
    # The post's `opt` is lost; its author's notebook (github.com/tmulc18/Inception) has
    # Adam at 1e-4.
    learning_rate: float = setting(
        1e-4, "Learning rate of Adam; the highest one with one_cycle.", above=0
    )
    schedule: str = setting(
        "constant",
        "Course of the learning rate.",
        choices=("constant", "one_cycle"),
    )
    weight_decay: float = setting(0.0, "Decoupled weight decay of the kernels.", low=0)
    average: float = setting(
        0.0, "Decay of the weights' moving average, below 1; 0 means none.", low=0
    )
    views: int = setting(
        1,
        "Number of views of an image over which an answer is averaged at the end; all "
        "but one are changed as in training.",
        low=1,
    )
    batch_size: int = setting(50, "Images in a step, on all devices together.", low=1)
    steps: int = setting(20_000, "Steps to train.", low=1)
    seed: int = setting(
        0, "Seed of initial values, order, augmentation and dropout.", low=0
    )

    def __post_init__(self) -> None:
        check(self)
        for name in ("dropout", "average"):
            if getattr(self, name) >= 1:
                raise ValueError(f"--{name}={getattr(self, name)}: must be below 1")
        names = self.class_names
        if names and (len(names) != self.classes or len(set(names)) < len(names)):
            raise ValueError(
                f"--class_names={','.join(names)[:40]}: {len(names)} names, but "
                f"--classes={self.classes} different ones are needed"
            )

    @classmethod
    def of_recipe(cls, recipe: str = "post", **given: Any) -> "Config":
        """Return the settings of a recipe, except for those that are given.

        Args:
            recipe: "post" or "modern".
            given: Settings by name. Known lists of class names and the precision
                "auto" are resolved.
        """
        head = given.get("head", HEADS.get(recipe, ""))
        values = {"head": head} | _SETTINGS.get((recipe, head), {}) | given
        if names := values.get("class_names"):
            known = CLASS_NAMES.get(names[0]) if len(names) == 1 else None
            values["class_names"] = tuple(known or names)
            values.setdefault("classes", len(values["class_names"]))
        if values.get("precision", "auto") == "auto":
            values["precision"] = precision_of_machine()
        return cls(recipe, **values)

    def class_name(self, number: int) -> str:
        """Return the name of a class; for a digit that is the digit."""
        return self.class_names[number] if self.class_names else str(number)


_FIELDS = {field.name: field.default for field in dataclasses.fields(Config)}
# What the flags' help shows.
RECIPES: dict[str, dict[str, Any]] = {
    "post": {name: _FIELDS[name] for name in ("head", "classes", *_MODERN_GAP)},
    "modern": {"head": "gap", "classes": 10} | _MODERN_GAP,
    "modern with --head=dense": _SETTINGS["modern", "dense"],
}


def precision_of_machine() -> str:
    """Return "bfloat16" where the processor multiplies it natively, else "float32"."""
    try:
        with open("/proc/cpuinfo") as file:
            text = file.read()
    except OSError:
        return "float32"
    native = "avx512_bf16" in text or "amx_bf16" in text
    return "bfloat16" if native else "float32"

"""What one run does: every setting, its default, and where the default comes from.

"Post" is "Vanilla Recurrent Neural Networks".
"""

import dataclasses
from typing import Any

from runkit.settings import check, setting

# The settings that a recipe decides for each architecture.
# "post": the post's code, sections "Implementing Arch 1" and "Implementing Arch 2".
# "modern": the best that was found for the same sizes, see README.md.
_POST = {
    "combine": "concat",
    "optimizer": "sgd",
    "learning_rate": 2.5,
    "schedule": "staircase",
    "warmup_steps": 0,
    "initialization": "range",
    "count_bias": False,
}
_MODERN = {
    "combine": "sum",
    "optimizer": "adam",
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "warmup_steps": 100,
    "initialization": "orthogonal",
    "count_bias": True,
}
_ARCH_1 = {
    "activation": "relu",
    "num_nodes": 100,
    "num_unrollings": 40,
    "batch_size": 32,
    "decay_steps": 80_000,
    "decay_rate": 0.75,
}
_ARCH_2 = {
    "activation": "tanh",
    "num_nodes": 50,
    "num_unrollings": 20,
    "batch_size": 64,
    "decay_steps": 5_000,
    "decay_rate": 0.1,
}
RECIPES: dict[tuple[str, int], dict[str, Any]] = {
    ("post", 1): _ARCH_1 | _POST | {"steps": 800_001},
    ("post", 2): _ARCH_2 | _POST | {"steps": 50_001},
    ("modern", 1): _ARCH_1 | _MODERN | {"steps": 30_000},
    ("modern", 2): _ARCH_2 | _MODERN | {"steps": 50_001},
}


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; the defaults are those of the post's Arch 1.

    Raises:
        ValueError: A setting is wrong; the message names the first one.
    """

    recipe: str = setting(
        "post",
        "The source of the settings that are not given: the post, or the best that "
        "was found since.",
        choices=("post", "modern"),
    )
    arch: int = setting(
        1,
        "The architecture: 1 feeds its hidden layer back, 2 feeds its output back.",
        choices=(1, 2),
    )
    teacher_forcing: bool = setting(  # post, "Arch 2"
        True, "Whether Arch 2 learns on the right outputs instead of its own."
    )
    plain: bool = setting(
        False,
        "Compute each cell as it is written instead of by tables (see `fast`), which "
        "is slower and gives the same numbers to rounding.",
    )
    as_printed: bool = setting(
        False, "Train Arch 2 on one stale batch, as the post's printed code does."
    )
    clip_norm: float = setting(  # The post's `opt` is lost; this is its source's.
        1.25, "The norm to which larger gradients are scaled down.", above=0, high=1e30
    )
    loss: str = setting(  # post, "RNN tragedies"
        "cross_entropy",
        "The loss; squared is that of the probabilities, which the post warns of.",
        choices=("cross_entropy", "squared"),
    )
    combine: str = setting(
        "concat",
        "How x U and s W are combined: concatenated or summed.",
        choices=("concat", "sum"),
    )
    activation: str = setting(
        "relu", "The activation of the hidden layer.", choices=("relu", "tanh")
    )
    num_nodes: int = setting(
        100, "The width n of the matrices U and W.", low=1, high=16_384
    )
    num_unrollings: int = setting(
        40, "The number T of characters in a window.", low=1, high=10_000
    )
    batch_size: int = setting(
        32, "The number B of streams of text that are read at once.", low=1
    )
    optimizer: str = setting(
        "sgd", "The optimizer; the post's is sgd.", choices=("sgd", "adam")
    )
    learning_rate: float = setting(
        2.5, "The learning rate at its highest.", above=0, high=1e30
    )
    schedule: str = setting(
        "staircase",
        "How the learning rate falls.",
        choices=("staircase", "cosine"),
    )
    warmup_steps: int = setting(
        0, "The number of steps in which the cosine's rate first rises.", low=0
    )
    decay_steps: int = setting(
        80_000, "The number of steps on each stair of the staircase.", low=1
    )
    decay_rate: float = setting(
        0.75, "The factor between two stairs of the staircase.", above=0, high=1e30
    )
    initialization: str = setting(
        "range",
        "The initial values of U, W and V (see `model.initial_values`).",
        choices=("printed", "range", "orthogonal"),
    )
    count_bias: bool = setting(
        False,
        "Start the output bias c at the logarithm of the letters' frequencies. A wide "
        "network then starts calmly: its layers need not grow to learn them.",
    )
    steps: int = setting(800_001, "The number of windows to train on.", low=1)
    seed: int = setting(
        0, "The seed of the initial values and the samples.", low=0, high=2**29
    )

    def __post_init__(self):
        check(self)
        if self.as_printed and self.arch != 2:
            raise ValueError(
                "--as_printed: it goes with --arch=2, whose batch is stale"
            )

    @classmethod
    def of_recipe(cls, recipe: str = "post", **given: Any) -> "Config":
        """Makes the settings of a recipe.

        Args:
            recipe: "post" or "modern".
            **given: Settings that differ from the recipe's, "arch" among them.

        Raises:
            ValueError: A setting is wrong.
        """
        decided = RECIPES.get((recipe, given.get("arch", 1)), {})
        return cls(recipe=recipe, **(decided | given))

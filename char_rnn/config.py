"""What one run does: every setting, its default, and where the default comes from.

"Post" is "Vanilla Recurrent Neural Networks".
"""

import dataclasses
from typing import Any

from runkit import settings
from runkit.settings import check, setting

# The settings that a recipe decides for each architecture.
# "post": the post's code, sections "Implementing Arch 1" and "Implementing Arch 2", and
# the optimizers of its notebooks.
# "modern": the best that was found for the same sizes, see docs/char_rnn.md.
_POST = {"combine": "concat", "initialization": "printed", "count_bias": False}
_POST |= {"learning_rate": 2.5, "schedule": "staircase", "warmup_steps": 0}
_MODERN = {"combine": "sum", "initialization": "orthogonal", "count_bias": True}
_MODERN |= {"optimizer": "adam", "learning_rate": 3e-3}
_MODERN |= {"schedule": "cosine", "warmup_steps": 100}
_ARCH_1 = {"activation": "relu", "num_nodes": 100, "num_unrollings": 40}
_ARCH_1 |= {"batch_size": 32, "decay_steps": 80_000, "decay_rate": 0.75}
_ARCH_2 = {"activation": "tanh", "num_nodes": 50, "num_unrollings": 20}
_ARCH_2 |= {"batch_size": 64, "decay_steps": 5_000, "decay_rate": 0.1}
RECIPES: dict[tuple[str, int], dict[str, Any]] = {
    ("post", 1): _ARCH_1 | _POST | {"optimizer": "adadelta", "steps": 800_001},
    ("post", 2): _ARCH_2 | _POST | {"optimizer": "sgd", "steps": 50_001},
    ("modern", 1): _ARCH_1 | _MODERN | {"steps": 30_000},
    ("modern", 2): _ARCH_2 | _MODERN | {"steps": 50_001},
}
MOST = 1e30  # float32 ends at 3e38


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; the defaults are those of the post's Arch 1.

    Raises:
        ValueError: A setting is wrong; the message names the first one.
    """

    recipe: str = settings.recipe()
    arch: int = setting(
        1,
        "Architecture 1 feeds its hidden layer back, 2 feeds its output back.",
        choices=(1, 2),
    )
    teacher_forcing: bool = setting(  # post, "Arch 2"
        True, "Whether Arch 2 learns on the right outputs instead of its own."
    )
    plain: bool = setting(
        False,
        "Whether cells are computed as they are written instead of by tables, which is "
        "slower and gives the same numbers to rounding.",
    )
    as_printed: bool = setting(
        False, "Whether Arch 2 learns on one stale batch, as the post's printed code."
    )
    clip_norm: float = setting(
        1.25, "Norm to which larger gradients are scaled down.", above=0, high=MOST
    )
    loss: str = setting(  # post, "RNN tragedies"
        "cross_entropy",
        "The loss; squared is that of the probabilities, which the post warns of.",
        choices=("cross_entropy", "squared"),
    )
    combine: str = setting(
        "concat", "How x U and s W are combined.", choices=("concat", "sum")
    )
    activation: str = setting(
        "relu", "Activation of the hidden layer.", choices=("relu", "tanh")
    )
    num_nodes: int = setting(100, "Width n of U and W.", low=1, high=16_384)
    num_unrollings: int = setting(
        40, "Number T of characters in a window.", low=1, high=10_000
    )
    batch_size: int = setting(32, "Number B of streams that are read at once.", low=1)
    optimizer: str = setting(
        "adadelta",
        "The optimizer; adadelta is that of TensorFlow 0.12, with a rho of 0.95.",
        choices=("sgd", "adadelta", "adam"),
    )
    epsilon: float = setting(  # The notebook's is TensorFlow's default, 1e-8.
        1e-6, "What Adadelta adds to its means of squares.", above=0, high=MOST
    )
    learning_rate: float = setting(
        2.5, "Learning rate at its highest.", above=0, high=MOST
    )
    schedule: str = setting(
        "staircase", "How the learning rate falls.", choices=("staircase", "cosine")
    )
    warmup_steps: int = setting(
        0, "Number of steps in which the rate of the cosine first rises.", low=0
    )
    decay_steps: int = setting(
        80_000, "Number of steps on each stair of the staircase.", low=1
    )
    decay_rate: float = setting(
        0.75, "Factor between two stairs of the staircase.", above=0, high=MOST
    )
    initialization: str = setting(
        "printed",
        "Initial values of U, W and V: the post's as printed, the range that it meant, "
        "or orthogonal ones.",
        choices=("printed", "range", "orthogonal"),
    )
    count_bias: bool = setting(
        False,
        "Whether the output bias c starts at the logarithm of the letters' "
        "frequencies, so that the layers of a wide network need not learn them.",
    )
    steps: int = setting(800_001, "Number of windows to train on.", low=1)
    seed: int = setting(
        0, "Seed of the initial values and the samples.", low=0, high=2**29
    )

    def __post_init__(self):
        check(self)
        if self.as_printed and self.arch != 2:
            raise ValueError(
                "--as_printed: it goes with --arch=2, whose batch is stale"
            )

    @classmethod
    def of_recipe(cls, recipe: str = "post", **given: Any) -> "Config":
        """Makes the settings of a recipe, but for those that are given.

        Raises:
            ValueError: A setting is wrong.
        """
        decided = RECIPES.get((recipe, given.get("arch", 1)), {})
        return cls(recipe=recipe, **(decided | given))

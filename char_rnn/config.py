"""What one run does: every setting, its default, and where the default comes from."""

import dataclasses
import math

ARCHITECTURES = (1, 2)
COMBINES = ("concat", "sum")
ACTIVATIONS = ("relu", "tanh")
OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("staircase", "cosine")
INITIALIZATIONS = ("printed", "range", "orthogonal")
ALPHABETS = ("strict", "clean", "corpus")  # see `text.load`
LOSSES = ("cross_entropy", "squared")
RECIPES = ("post", "modern")

# The settings that a recipe decides for each architecture.
# "post": the post's code, sections "Implementing Arch 1" and "Implementing Arch 2".
# "modern": the best that was found for the same sizes, see README.md.
_POST = {
    "combine": "concat",
    "optimizer": "sgd",
    "learning_rate": 2.5,
    "schedule": "staircase",
    "initialization": "range",
}
_MODERN = {
    "combine": "sum",
    "optimizer": "adam",
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "initialization": "orthogonal",
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
DEFAULTS = {
    ("post", 1): _ARCH_1 | _POST | {"steps": 800_001},
    ("post", 2): _ARCH_2 | _POST | {"steps": 50_001},
    ("modern", 1): _ARCH_1 | _MODERN | {"steps": 30_000},
    ("modern", 2): _ARCH_2 | _MODERN | {"steps": 50_001},
}


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; a `ValueError` names the first that is wrong.

    A setting that is None takes the value that `DEFAULTS` has for the recipe and the
    architecture. "Post" is "Vanilla Recurrent Neural Networks".
    """

    recipe: str = "post"
    arch: int = 1
    teacher_forcing: bool = True  # of Arch 2; post, "Arch 2"
    plain: bool = False  # the cell step by step rather than `tables`: the same numbers
    as_printed: bool = False  # Arch 2 on one stale batch, as the post's code has it
    clip_norm: float = 1.25  # the post's `opt` is lost; Udacity's course, its source
    loss: str = "cross_entropy"  # post, "RNN tragedies"; "squared" is its warning
    combine: str | None = None
    activation: str | None = None
    num_nodes: int | None = None
    num_unrollings: int | None = None
    batch_size: int | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    schedule: str | None = None
    decay_steps: int | None = None  # of "staircase"
    decay_rate: float | None = None
    initialization: str | None = None
    steps: int | None = None
    seed: int = 0

    def __post_init__(self):
        _choice("recipe", self.recipe, RECIPES)
        _choice("arch", self.arch, ARCHITECTURES)
        for name, value in DEFAULTS[self.recipe, self.arch].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        _choice("loss", self.loss, LOSSES)
        _choice("combine", self.combine, COMBINES)
        _choice("activation", self.activation, ACTIVATIONS)
        _choice("optimizer", self.optimizer, OPTIMIZERS)
        _choice("schedule", self.schedule, SCHEDULES)
        _choice("initialization", self.initialization, INITIALIZATIONS)
        for name in ("num_nodes", "num_unrollings", "batch_size", "decay_steps"):
            _number(name, getattr(self, name), at_least=1)
        _number("steps", self.steps, at_least=1)
        _number("seed", self.seed, at_least=0)
        for name in ("learning_rate", "decay_rate", "clip_norm"):
            _number(name, getattr(self, name), above=0.0)
        if self.as_printed and self.arch != 2:
            raise ValueError(
                "--as_printed: goes with --arch=2, whose batches are stale"
            )


def _choice(name: str, value: object, choices: tuple) -> None:
    if value not in choices:
        listed = ", ".join(map(str, choices))
        raise ValueError(f"--{name}={value}: choose one of {listed}")


def _number(
    name: str, value: float, at_least: float | None = None, above: float | None = None
) -> None:
    if not math.isfinite(value):
        raise ValueError(f"--{name}={value}: a finite number is needed")
    if at_least is not None and value < at_least:
        raise ValueError(f"--{name}={value}: must be at least {at_least:g}")
    if above is not None and value <= above:
        raise ValueError(f"--{name}={value}: must be above {above:g}")

"""What one run does: every setting, its default, and where the default comes from."""

import dataclasses
import math

CHOICES = {
    "recipe": ("post", "modern"),
    "module": ("reduced", "naive"),
    "head": ("dense", "gap"),
    "normalization": ("none", "batch"),
    "pixels": ("raw", "unit"),
    "augmentation": ("none", "affine"),
    "initialization": ("printed", "he"),
    "schedule": ("constant", "one_cycle"),
    "precision": ("auto", "float32", "bfloat16"),
}

# The settings that a recipe decides for each head.
# "post": the post's code, section "Tensorflow implementation". Its `opt` is lost; 1e-4
# is the rate of TensorFlow's tutorial, from which its helper functions come.
# "modern": the best that was found for the same modules, see README.md.
_POST = {
    "normalization": "none",
    "pool": 1,
    "pixels": "raw",
    "shuffle": False,
    "augmentation": "none",
    "initialization": "printed",
    "learning_rate": 1e-5,
    "schedule": "constant",
    "weight_decay": 0.0,
    "average": 0.0,
    "views": 1,
    "batch_size": 50,
    "steps": 20_000,
}
_MODERN = {
    "pixels": "unit",
    "shuffle": True,
    "initialization": "he",
    "schedule": "one_cycle",
}
_MODERN_DENSE = _POST | _MODERN | {"learning_rate": 3e-4}
_MODERN_GAP = (
    _POST
    | _MODERN
    | {
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
)
HEADS = {"post": "dense", "modern": "gap"}  # of a recipe, unless one is named
DEFAULTS = {
    ("post", "dense"): _POST,
    ("post", "gap"): _POST,
    ("modern", "dense"): _MODERN_DENSE,
    ("modern", "gap"): _MODERN_GAP,
}


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; a `ValueError` names the first that is wrong.

    A setting that is None takes the value of `HEADS` or `DEFAULTS`. "Post" is
    "Inception modules: explained and implemented", section "Model".
    """

    recipe: str = "post"
    head: str | None = None
    module: str = "reduced"  # post, Figure 3; "naive" is its Figure 4
    map1: int = 32  # post: maps of each branch of the first module
    map2: int = 64  # post: of the second
    reduce1x1: int = 16  # post: maps of each 1x1 before a large convolution
    hidden: int = 700  # post: num_fc1
    dropout: float = 0.5  # post
    valid_size: int = 500  # post: the last training images
    test_batch_size: int = 100  # post
    precision: str = "auto"  # of the large products; always one of the other two then
    normalization: str | None = None  # batch normalization of a module's maps
    pool: int | None = None  # stride of a max pooling between the modules; 1: none
    pixels: str | None = None  # raw: 0 to 255, as in the post's csv; unit: 0 to 1
    shuffle: bool | None = None
    augmentation: str | None = None
    initialization: str | None = None
    learning_rate: float | None = None  # the highest, with one_cycle
    schedule: str | None = None
    weight_decay: float | None = None
    average: float | None = None  # decay of the weights' moving average; 0: none
    views: int | None = None  # test-time augmentation, see `evaluate.probabilities`
    batch_size: int | None = None
    steps: int | None = None
    seed: int = 0

    def __post_init__(self):
        _choice("recipe", self.recipe)
        self._fill("head", HEADS[self.recipe])
        _choice("head", self.head)
        for name, value in DEFAULTS[self.recipe, self.head].items():
            self._fill(name, value)
        for name in CHOICES:
            _choice(name, getattr(self, name))
        if self.precision == "auto":
            object.__setattr__(self, "precision", precision_of_machine())
        for name in ("map1", "map2", "reduce1x1", "hidden", "valid_size", "pool"):
            _number(name, getattr(self, name), at_least=1)
        for name in ("test_batch_size", "views", "batch_size", "steps"):
            _number(name, getattr(self, name), at_least=1)
        _number("pool", self.pool, at_least=1, below=29)
        for name in ("seed", "weight_decay"):
            _number(name, getattr(self, name), at_least=0)
        for name in ("dropout", "average"):
            _number(name, getattr(self, name), at_least=0, below=1)
        _number("learning_rate", self.learning_rate, above=0)

    def _fill(self, name: str, value: object) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)


def precision_of_machine() -> str:
    """ "bfloat16" where the processor multiplies it natively, else "float32"."""
    try:
        with open("/proc/cpuinfo") as file:
            text = file.read()
    except OSError:
        return "float32"
    native = "avx512_bf16" in text or "amx_bf16" in text
    return "bfloat16" if native else "float32"


def _choice(name: str, value: object) -> None:
    if value not in CHOICES[name]:
        listed = ", ".join(CHOICES[name])
        raise ValueError(f"--{name}={value}: choose one of {listed}")


def _number(
    name: str,
    value: float,
    at_least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> None:
    if not math.isfinite(value):
        raise ValueError(f"--{name}={value}: a finite number is needed")
    if value < at_least:
        raise ValueError(f"--{name}={value}: must be at least {at_least:g}")
    if value <= above:
        raise ValueError(f"--{name}={value}: must be above {above:g}")
    if value >= below:
        raise ValueError(f"--{name}={value}: must be below {below:g}")

"""How the algorithm goes about it: every setting, its default and its origin."""

import dataclasses
import math

SCHEMES = ("modern", "post")
SELECTIONS = ("tournament", "roulette", "universal")
CROSSOVERS = ("uniform", "one_point", "two_point")
REPAIRS = ("auto", "greedy", "none")


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; a `ValueError` names the first that is wrong.

    "Post" is the post's section or code; "Chu and Beasley" is "A Genetic Algorithm for
    the Multidimensional Knapsack Problem", Journal of Heuristics 4 (1998).
    """

    scheme: str = "modern"
    population: int = 100  # Chu and Beasley, section 5
    initial_probability: float = 0.5  # post: init_1D_p
    mutation: float = 0.01  # post: random_mutation_1D; "modern" starts from it
    selection: str = "tournament"
    tournament: int = 2  # Chu and Beasley, section 4.4
    crossover: str = "uniform"  # post, and Chu and Beasley, section 4.5
    crossover_rate: float = 1.0  # post: every child has two parents
    repair: str = "auto"  # greedy where it can be, see Problem.repairable
    elites: float = 1.0  # share of the parents that compete with the children
    generations: int = 2000
    seconds: float = 0.0  # 0: no limit
    stall: int = 0  # generations without a better solution; 0: no limit
    target: float | None = None  # stop at this objective
    seed: int = 0

    def __post_init__(self):
        for name, choices in (
            ("scheme", SCHEMES),
            ("selection", SELECTIONS),
            ("crossover", CROSSOVERS),
            ("repair", REPAIRS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"--{name}={getattr(self, name)}: choose {', '.join(choices)}"
                )
        for name in ("initial_probability", "mutation", "crossover_rate", "elites"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"--{name}={getattr(self, name)}: must be in [0, 1]")
        for name, least in (
            ("population", 2),
            ("tournament", 1),
            ("generations", 1),
            ("seconds", 0),
            ("stall", 0),
            ("seed", 0),
        ):
            if not getattr(self, name) >= least:
                raise ValueError(
                    f"--{name}={getattr(self, name)}: must be at least {least}"
                )
        if self.target is not None and not math.isfinite(self.target):
            raise ValueError(f"--target={self.target}: a finite number is needed")

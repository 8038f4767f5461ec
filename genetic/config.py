"""How the algorithm goes about it: every setting, its default and its origin."""

import dataclasses

from runkit.settings import check, setting

SCHEMES = ("modern", "post")
SELECTIONS = ("tournament", "roulette", "universal")
CROSSOVERS = ("uniform", "one_point", "two_point")
REPAIRS = ("auto", "greedy", "none")
GENERATIONS = 2000  # of a run that nothing else limits


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of one run; a `ValueError` names the first that is wrong.

    "Post" is the post's section or code; "Chu and Beasley" is "A Genetic Algorithm for
    the Multidimensional Knapsack Problem", Journal of Heuristics 4 (1998).
    """

    scheme: str = setting(
        "modern", "The algorithm: post is the post's, as its text has it.", SCHEMES
    )
    population: int = setting(  # Chu and Beasley, section 5
        100, "The number of solutions in a generation.", low=2
    )
    initial_probability: float = setting(  # post: init_1D_p
        0.5,
        "The chance that the first solutions take an item; where modern repairs, they "
        "are drawn around the linear relaxation instead.",
        low=0,
        high=1,
    )
    mutation: float = setting(  # post: random_mutation_1D
        0.01,
        "The chance that a gene changes; modern starts from it and adapts it.",
        low=0,
        high=1,
    )
    selection: str = setting("tournament", "How modern draws the parents.", SELECTIONS)
    tournament: int = setting(  # Chu and Beasley, section 4.4
        2, "The number of members in a tournament.", low=1
    )
    crossover: str = setting(  # post, and Chu and Beasley, section 4.5
        "uniform", "How modern crosses two parents.", CROSSOVERS
    )
    crossover_rate: float = setting(  # post: every child has two parents
        1.0, "The share of children that have two parents.", low=0, high=1
    )
    repair: str = setting(
        "auto",
        "Whether children are made feasible: auto does it wherever it is possible.",
        REPAIRS,
    )
    elites: float = setting(
        1.0, "The share of the parents that compete with their children.", low=0, high=1
    )
    restart: int = setting(
        60,
        "The number of generations without a better member after which modern starts "
        "the population anew, and keeps its best aside; 0 means never.",
        low=0,
    )
    generations: int = setting(
        0,
        "The run stops after this many generations; 0 means 2000, or no limit if "
        "--seconds is given.",
        low=0,
    )
    seconds: float = setting(
        0.0, "The run stops after this many seconds; 0 means no limit.", low=0
    )
    stall: int = setting(
        0,
        "The run stops after this many generations without a better solution; 0 means "
        "no limit.",
        low=0,
    )
    target: float | None = setting(None, "The run stops at this objective.")
    seed: int = setting(0, "The seed, which settles every random choice.", low=0)

    def __post_init__(self):
        check(self)

    @property
    def most_generations(self) -> int:
        """The number of generations after which the run stops; 0 means no limit."""
        return self.generations or (0 if self.seconds else GENERATIONS)

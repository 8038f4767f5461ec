"""A genetic algorithm for linear problems and any others, beside the exact answer.

`read` a problem or make a `Problem` of a function, and `evolve` it.
"""

from typing import TYPE_CHECKING

from genetic.config import Config
from runkit import lazy

if TYPE_CHECKING:
    from genetic.evolution import evolve
    from genetic.functions import Problem, binary, permutation, real, whole
    from genetic.problem import LinearProblem
    from genetic.reading import read

__all__ = ["evolve", "read", "Problem", "binary", "whole", "real", "permutation"]
__all__ += ["LinearProblem", "Config"]
HOMES = {
    "LinearProblem": "problem",
    "Problem": "functions",
    "binary": "functions",
    "evolve": "evolution",
    "permutation": "functions",
    "read": "reading",
    "real": "functions",
    "whole": "functions",
}
__getattr__, __dir__ = lazy.exports(__name__, HOMES)

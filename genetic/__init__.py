"""A genetic algorithm for linear problems and any others, beside the exact answer.

problem = genetic.read("flights.csv")
for record in genetic.evolve(problem, genetic.Config(generations=100)):
    print(record.generation, record.best)
"""

import importlib

from genetic.config import Config

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
__all__ = ["Config", *HOMES]


def __getattr__(name: str):
    """Loads NumPy only with the first name that needs it."""
    if name not in HOMES:
        raise AttributeError(f"module 'genetic' has no attribute {name!r}")
    return getattr(importlib.import_module(f"genetic.{HOMES[name]}"), name)

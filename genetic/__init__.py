"""A genetic algorithm for linear problems, honest beside the exact answer.

problem = genetic.read("flights.csv")
for record in genetic.evolve(problem, genetic.Config(generations=100)):
    print(record.generation, record.best)
"""

import importlib

from genetic.config import Config

__all__ = ["Config", "Problem", "evolve", "read"]


def __getattr__(name: str):
    """Loads NumPy only with the first name that needs it."""
    home = {"Problem": "problem", "read": "problem", "evolve": "evolution"}.get(name)
    if home is None:
        raise AttributeError(f"module 'genetic' has no attribute {name!r}")
    return getattr(importlib.import_module(f"genetic.{home}"), name)

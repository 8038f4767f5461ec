"""The post's section "Process and Simulations", by its text."""

import dataclasses

import numpy as np

from genetic import operators
from genetic.config import Config
from genetic.problem import LinearProblem
from genetic.state import State


class PostScheme:
    """The post's generation.

    A feasible member mates with another feasible one, drawn by objective; an
    infeasible member gives way to a child of two feasible ones; where fewer than two
    are feasible, the first stays and the second is drawn anew. Then all mutate.
    """

    def __init__(self, problem: LinearProblem, config: Config):
        if (problem.lower != 0).any() or (problem.upper != 1).any():
            raise ValueError("--scheme=post: its solutions are binary: use modern")
        self._problem, self._config = problem, config

    def start(self, generator: np.random.Generator) -> State:
        """Makes the first population."""
        config, count = self._config, self._problem.count
        population = operators.init_solutions(
            generator, config.population, count, config.initial_probability
        )
        state = State(
            population=population,
            scores=np.empty(0),
            keys=np.empty(0),
            random={},
            mutation=config.mutation,
            best_solution=np.full(count, -1, np.int64),
        )
        return self._evaluate(state, population)

    def _evaluate(self, state: State, population: np.ndarray) -> State:
        problem = self._problem
        gains = problem.sign * (population @ problem.gain.weights)
        feasible = problem.violations(population) == 0
        rows = operators.feasible_indices(feasible)
        return dataclasses.replace(
            state,
            population=population,
            scores=np.where(feasible, gains, -np.inf),
            evaluations=state.evaluations + len(population),
            archive=state.archive.add(
                population[rows], problem.from_scores(gains[rows])
            ),
        )

    def generation(self, state: State, generator: np.random.Generator) -> State:
        """Returns the next state."""
        old = state.population
        feasible = np.isfinite(state.scores)
        if feasible.sum() >= 2:
            mass = operators.probability_mass(state.scores, feasible)
            mates = operators.roulette(generator, mass, 2 * len(old))
            first = np.where(feasible, np.arange(len(old)), mates[: len(old)])
            new = operators.mate(generator, old[first], old[mates[len(old) :]])
        else:
            count, length = old.shape
            fresh = operators.init_solutions(
                generator, count, length, self._config.initial_probability
            )
            new = np.where(feasible[:, None], old, fresh)
        return self._evaluate(state, operators.mutate(generator, new, state.mutation))

    def members(self, state: State) -> np.ndarray:
        """Returns the population's x, int64 [k, n]."""
        return state.population.astype(np.int64)

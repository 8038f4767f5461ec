"""A generation as it is done today, whatever the solutions are.

Parents by tournament or objective, crossover, adaptive mutation, elitism; no two
members are equal as long as there are enough different ones. A solution that breaks a
constraint ranks below all that do not, by how much it breaks them (Deb, "An Efficient
Constraint Handling Method for Genetic Algorithms", 2000). A population that has stopped
to improve starts anew, and now and then from the best of all earlier ones.
"""

import dataclasses

import numpy as np

from genetic import operators
from genetic.config import Config
from genetic.state import INFEASIBLE, State

# Adaptive mutation: between half a gene a child and a fifth of the genes; up where
# fewer than this share of parents and children are different solutions, else down.
RATE_RANGE = (0.5, 0.2)
DIFFERENT = 0.6
KEPT, ELITE = 5, 60  # of an epoch, and of all epochs
GATHER = 3  # every so many epochs, the population starts from the elite


class ModernScheme:
    """The generation; what solutions are and what they are worth is for a subclass.

    A subclass has `start`, `members`, `fresh` (a first population), `breed` (children
    of two rows of parents) and `judge` (their repaired form, scores and keys).
    """

    def __init__(self, config: Config):
        self.config = config

    def fresh(
        self, state: State, generator: np.random.Generator, first: np.ndarray
    ) -> State:
        """Returns a state whose population is new, but for its `first` members."""
        raise NotImplementedError

    def breed(
        self,
        state: State,
        generator: np.random.Generator,
        first: np.ndarray,
        second: np.ndarray,
    ) -> np.ndarray:
        """Returns a child, crossed and mutated, of each pair of rows [k, n]."""
        raise NotImplementedError

    def judge(
        self, state: State, solutions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns solutions, perhaps repaired, with their scores and keys, [k]."""
        raise NotImplementedError

    def genes(self, state: State) -> int:
        """Returns how many genes may change."""
        return state.population.shape[1]

    def parents(
        self, generator: np.random.Generator, scores: np.ndarray, count: int
    ) -> np.ndarray:
        """Draws the indices of `count` parents; scores [k] stand best first."""
        config = self.config
        if config.selection == "tournament":
            return operators.tournament(
                generator, len(scores), config.tournament, count
            )
        feasible = scores > INFEASIBLE
        if feasible.any():
            lifted = np.where(feasible, scores - scores[feasible][-1], 0.0)
        else:
            lifted = np.arange(len(scores), 0.0, -1.0)
        mass = operators.probability_mass(lifted, np.ones(len(lifted), bool))
        draw = {"roulette": operators.roulette, "universal": operators.universal}
        return draw[config.selection](generator, mass, count)

    def survive(
        self, state: State, solutions: np.ndarray, scores: np.ndarray, keys: np.ndarray
    ) -> tuple[State, float]:
        """Makes the best different solutions the population.

        Returns:
            The new state, and the different share of the solutions.
        """
        by_key = keys.argsort(kind="stable")
        different = np.ones(len(keys), bool)
        different[1:] = keys[by_key[1:]] != keys[by_key[:-1]]
        ranked = by_key[different]
        ranked = ranked[np.argsort(-scores[ranked], kind="stable")]
        # Where there are too few, they come several times, still from the best down.
        places = np.arange(min(len(ranked), self.config.population))
        chosen = ranked[np.sort(np.resize(places, self.config.population))]
        state = dataclasses.replace(
            state,
            population=solutions.take(chosen, axis=0),
            scores=scores[chosen],
            keys=keys[chosen],
        )
        return state, len(ranked) / len(keys)

    def fill(self, state: State, solutions: np.ndarray) -> State:
        """Makes new solutions the population, at the beginning of an epoch."""
        solutions, scores, keys = self.judge(state, solutions)
        state, _ = self.survive(state, solutions, scores, keys)
        return dataclasses.replace(
            state,
            evaluations=state.evaluations + len(solutions),
            epoch_best=float(state.scores[0]),
            epoch_stalled=0,
        )

    def generation(self, state: State, generator: np.random.Generator) -> State:
        """Returns the next state."""
        restart = self.config.restart
        if restart and state.epoch_stalled >= restart:
            state = self._next_epoch(state)
            gather = state.epoch % GATHER == GATHER - 1
            return self.fresh(
                state, generator, state.elite if gather else state.elite[:0]
            )
        count, before = len(state.population), state.keys
        parents = self.parents(generator, state.scores, 2 * count)
        chosen = state.population.take(parents, axis=0)
        children = self.breed(state, generator, chosen[:count], chosen[count:])
        children, scores, keys = self.judge(state, children)
        elites = round(self.config.elites * count)
        state, different = self.survive(
            dataclasses.replace(state, evaluations=state.evaluations + count),
            np.concatenate([state.population[:elites], children]),
            np.concatenate([state.scores[:elites], scores]),
            np.concatenate([state.keys[:elites], keys]),
        )
        least, most = RATE_RANGE
        rate = state.mutation * (1.1 if different < DIFFERENT else 0.95)
        rate = min(max(rate, least / self.genes(state)), most)
        state = self.polish(state, before)
        if state.scores[0] > state.epoch_best:
            best, stalled = float(state.scores[0]), 0
        else:
            best, stalled = state.epoch_best, state.epoch_stalled + 1
        return dataclasses.replace(
            state, mutation=rate, epoch_best=best, epoch_stalled=stalled
        )

    def polish(self, state: State, before: np.ndarray) -> State:
        """Returns the state with its best member improved, if the scheme can do so.

        Args:
            state: The state.
            before: The keys of the generation before, [k].
        """
        return state

    def _next_epoch(self, state: State) -> State:
        """The best members join the elite."""
        if not len(state.elite):
            state = dataclasses.replace(
                state, elite=state.population[:0], elite_keys=state.keys[:0]
            )
        merged = [
            np.concatenate([old, new[:KEPT]])
            for old, new in (
                (state.elite, state.population),
                (state.elite_scores, state.scores),
                (state.elite_keys, state.keys),
            )
        ]
        _, different = np.unique(merged[2], return_index=True)
        best = different[np.argsort(-merged[1][different], kind="stable")][:ELITE]
        elite, scores, keys = (each[best] for each in merged)
        return dataclasses.replace(
            state,
            epoch=state.epoch + 1,
            elite=elite,
            elite_scores=scores,
            elite_keys=keys,
        )

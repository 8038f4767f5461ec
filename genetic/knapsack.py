"""The modern scheme for linear problems: a population around the linear relaxation.

Where every constraint is <= and no weight is negative, children are repaired as Chu and
Beasley (1998) do. The relaxation's prices p tell what an item is worth beyond what it
uses: its reduced gain r_j = o_j - sum_i p_i w_ij. A solution that departs from the sign
of r in the items S is sum_S |r_j| and its price of unused capacity below the
relaxation's bound, so good ones depart in items of small |r_j| alone: the core
(Puchinger, Raidl and Pferschy, "The Multidimensional Knapsack Problem: Structure and
Algorithms", 2010). The population lives in the core, which shrinks as the best rises.
"""

import dataclasses

import numpy as np

from genetic import exact, operators
from genetic.config import Config
from genetic.modern import RATE_RANGE, ModernScheme
from genetic.problem import LinearProblem
from genetic.repair import Repair, improve
from genetic.state import State, penalty

# The core: |r_j| below a share of the gap between bound and best; at first, when the
# best is poor, and in the epochs after it. Never fewer items than the least.
FIRST_REACH, REACHES, LEAST_CORE = 0.25, (0.25, 0.5, 1.0), 30
# Repair goes by the true utility and, in turn, by others, with normal noise of this
# share of the largest |r_j|: else it would undo most mutations.
ORDERS, UNSURE = 8, 0.1


class LinearScheme(ModernScheme):
    """Evolves x - lower, with the items in falling order of pseudo-utility.

    u_j = o_j / sum_i p_i w_ij (Chu and Beasley, section 4.6), where it repairs.
    """

    def __init__(self, problem: LinearProblem, config: Config):
        super().__init__(config)
        self._problem = problem
        self.repairs = config.repair != "none" and problem.repairable
        if config.repair == "greedy" and not problem.repairable:
            raise ValueError(
                "--repair=greedy needs weights that are not negative and only <= "
                "constraints: use --repair=none"
            )
        objective = problem.sign * problem.gain.weights
        order = np.arange(problem.count)
        if self.repairs:
            relaxation = exact.relax(problem)
            cost = relaxation.prices @ problem.scaled
            cost = cost + 1e-12 * np.abs(objective).max(initial=1e-300)
            utility = np.where(objective > 0, objective / cost, -np.inf)
            order = np.argsort(-utility, kind="stable")
            self._bound = relaxation.bound
            self._cost = cost[order]
            self._reduced = (objective - relaxation.prices @ problem.scaled)[order]
        self._order = order
        self._objective = objective[order]
        self._weights = np.ascontiguousarray(problem.scaled[:, order])
        self._offset = float(objective @ problem.lower)
        upper = (problem.upper - problem.lower)[order]
        self._upper = upper.astype(np.min_scalar_type(2 * int(upper.max())))
        # Sums in another order may differ by rounding where the data is not whole.
        spare = [
            0.0 if row.whole and row.integers is None else 4e-10 * row.size
            for row in problem.rows
        ]
        self._capacities = problem.scaled_high - problem.scaled @ problem.lower - spare
        # Sums of whole numbers below 2^52 are exact, and so equal for equal solutions.
        largest = 2**52 // (1 + int(upper.sum()))
        draw = np.random.default_rng(0).integers(1, max(2, largest), problem.count)
        self._draw = draw.astype(float)
        self._core: _Core | None = None

    def start(self, generator: np.random.Generator) -> State:
        """Makes the first population."""
        count, config = self._problem.count, self.config
        state = State(
            population=np.empty((0, count), self._upper.dtype),
            scores=np.empty(0),
            keys=np.empty(0),
            random={},
            mutation=config.mutation,
            best_solution=np.full(count, -1, np.int64),
        )
        first = state.population
        if self.repairs:
            greedy = np.where(self._reduced > 0, self._upper, 0)
            first = greedy.astype(self._upper.dtype)[None]
            Repair(self._weights, self._capacities, self._upper, self._objective > 0)(
                first
            )
            first = self._improved(first[0])[None]
            reached = float(self._objective @ first[0]) + self._offset
            reach = FIRST_REACH * (self._bound - reached)
            state = dataclasses.replace(state, reach=reach)
        return self.fresh(state, generator, first)

    def fresh(
        self, state: State, generator: np.random.Generator, first: np.ndarray
    ) -> State:
        """Returns a state whose population is new, but for its `first` members.

        Where solutions are repaired, the new members depart from the relaxation where
        it is unsure.
        """
        config, upper = self.config, self._upper
        if not self.repairs:
            shape = (config.population, len(upper))
            some = generator.random(shape) < config.initial_probability
            amounts = np.maximum(upper.astype(np.int64), 1) + 1
            values = np.minimum(generator.integers(1, amounts, shape), upper)
            solutions = (some * values).astype(upper.dtype)
            solutions[: len(first)] = first[: len(solutions)]
            return self.fill(state, solutions)
        if state.epoch:
            top = max(state.best, float(state.scores[0]))
            share = REACHES[state.epoch % len(REACHES)]
            state = dataclasses.replace(state, reach=share * (self._bound - top))
        core = self._core_of(state)
        shape = (config.population, len(core.items))
        noise = core.scale / 3 * generator.logistic(size=shape)
        solutions = (self._reduced[core.items] + noise > 0) * upper[core.items]
        solutions = solutions.astype(upper.dtype)
        solutions[: len(first)] = first[: len(solutions), core.items]
        rate = min(2.0 / len(core.items), RATE_RANGE[1])
        state = dataclasses.replace(state, mutation=rate)
        return self.fill(state, core.whole(solutions))

    def _improved(self, solution: np.ndarray) -> np.ndarray:
        return improve(
            solution, self._weights, self._capacities, self._upper, self._objective
        )

    def genes(self, state: State) -> int:
        """Returns the size of the core."""
        return len(self._core_of(state).items) if self.repairs else self._problem.count

    def breed(
        self,
        state: State,
        generator: np.random.Generator,
        first: np.ndarray,
        second: np.ndarray,
    ) -> np.ndarray:
        """Returns a child, crossed and mutated, of each pair of rows [k, n]."""
        core = self._core_of(state) if self.repairs else None
        upper, preference = self._upper, None
        if core is not None:
            first, second = first[:, core.items], second[:, core.items]
            upper, preference = upper[core.items], core.preference
        config, (count, length) = self.config, first.shape
        mask = operators.crossover_mask(
            generator, config.crossover, count, length, config.crossover_rate
        )
        children = operators.cross(first, second, mask)
        children = operators.resample(
            generator, children, upper, state.mutation, preference
        )
        return core.whole(children) if core is not None else children

    def judge(
        self, state: State, solutions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns solutions, perhaps repaired, with their scores and keys, [k]."""
        if self.repairs:
            core = self._core_of(state)
            inner = np.ascontiguousarray(solutions[:, core.items])
            core.repair(inner, state.generation)
            solutions[:, core.items] = inner
            judged = inner @ core.judge + core.base
        else:
            judged = solutions @ np.stack([self._objective, self._draw], axis=1)
            judged += [self._offset, 0.0]
        scores, keys = judged.T
        if not self.repairs:
            broken = self._problem.violations(self._natural(solutions))
            scores = np.where(broken > 0, penalty(broken), scores)
        return solutions, scores, keys

    def polish(self, state: State, before: np.ndarray) -> State:
        """Returns the state with its best new member improved, where it repairs.

        Items outside the core take part.
        """
        new = np.flatnonzero(~np.isin(state.keys, before))[:1]
        if not self.repairs or not len(new):
            return state
        better = self._improved(state.population[new[0]])[None]
        return self.survive(
            state,
            np.concatenate([better, state.population]),
            np.concatenate([better @ self._objective + self._offset, state.scores]),
            np.concatenate([better @ self._draw, state.keys]),
        )[0]

    def _natural(self, solutions: np.ndarray) -> np.ndarray:
        natural = np.empty(solutions.shape, np.int64)
        natural[:, self._order] = solutions
        return natural + self._problem.lower

    def members(self, state: State) -> np.ndarray:
        """Returns the population's x, int64 [k, n]."""
        return self._natural(state.population)

    def _core_of(self, state: State) -> "_Core":
        """The core of the state's epoch."""
        if self._core is not None and self._core.reach == state.reach:
            return self._core
        size, weights = np.abs(self._reduced), self._weights
        least = np.sort(size)[min(LEAST_CORE, len(size)) - 1]
        inside = size <= max(state.reach, least)
        fixed = np.where(~inside & (self._reduced > 0), self._upper, 0)
        if (weights @ fixed > self._capacities).any():  # The bound is of no use.
            inside, fixed = np.ones_like(inside), np.zeros_like(fixed)
        items, fixed = np.flatnonzero(inside), fixed.astype(self._upper.dtype)
        scale = max(float(size[items].max()), 1e-12)
        share = np.cumsum(np.exp(-2 * size[items] / scale))
        both = np.stack([self._objective, self._draw], axis=1)
        noise = np.random.default_rng(0).normal(size=(ORDERS, len(items)))
        noise[0] = 0.0
        repairs = []
        for row in noise * UNSURE * scale:
            utility = (self._reduced[items] + row) / self._cost[items]
            order = np.argsort(-utility, kind="stable")
            part = items[order]
            room = self._capacities - weights @ fixed
            repair = Repair(
                weights[:, part], room, self._upper[part], self._objective[part] > 0
            )
            repairs.append((order, repair))
        base = fixed @ both + [self._offset, 0.0]
        self._core = _Core(
            state.reach,
            items,
            fixed,
            scale,
            share / share[-1],
            repairs,
            both[items],
            base,
        )
        return self._core


@dataclasses.dataclass(frozen=True)
class _Core:
    """The items that may change, and the rest of the problem for them.

    Attributes:
        reach: What it was made for.
        items: The places of the items, int64 [c].
        fixed: The amounts of all items, 0 for those of the core, [n].
        scale: The largest |r_j| of the items.
        preference: The cumulative share of mutations, float64 [c].
        repairs: Orders of the items, and the repair in that order.
        judge: The items' gains and random numbers, float64 [c, 2].
        base: What the other items add to them, float64 [2].
    """

    reach: float
    items: np.ndarray
    fixed: np.ndarray
    scale: float
    preference: np.ndarray
    repairs: list[tuple[np.ndarray, Repair]]
    judge: np.ndarray
    base: np.ndarray

    def repair(self, inner: np.ndarray, turn: int) -> None:
        """Repairs solutions [k, c] in place, every other turn by the true utility."""
        order, repair = self.repairs[0]
        if turn % 2:
            order, repair = self.repairs[1 + turn // 2 % (ORDERS - 1)]
        ordered = np.ascontiguousarray(inner[:, order])
        repair(ordered)
        inner[:, order] = ordered

    def whole(self, inner: np.ndarray) -> np.ndarray:
        """Returns solutions of all items [k, n] from those of the core [k, c]."""
        solutions = np.empty((len(inner), len(self.fixed)), inner.dtype)
        solutions[:] = self.fixed
        solutions[:, self.items] = inner
        return solutions

"""The generation loop, as the post tells it and as it is done today.

`evolve` is a generator: one `Record` a generation, whoever asks for it decides what to
print, plot or save.
"""

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from genetic import exact, operators
from genetic.config import Config
from genetic.problem import Problem

# Adaptive mutation: between half a gene a child and a fifth of the genes; up where
# fewer than this share of parents and children are different solutions, else down.
RATE_RANGE = (0.5, 0.2)
DIFFERENT = 0.6


@dataclasses.dataclass
class State:
    """All that the next generation depends on.

    Attributes:
        population: [k, n], in the scheme's own order of the items.
        scores: what survival goes by, more is better, float64 [k].
        keys: equal for equal members (scheme "modern"), float64 [k].
        generator: of all random numbers.
        generation, evaluations, stalled: counters.
        seconds: of the run so far.
        mutation: the current chance that a gene changes.
        best: the largest score of a feasible solution so far; -inf before.
        best_solution: the x that has it, int64 [n]; all -1 before.
        archive: every feasible solution met (scheme "post"), bytes to objective.
    """

    population: np.ndarray
    scores: np.ndarray
    keys: np.ndarray
    generator: np.random.Generator
    mutation: float
    best_solution: np.ndarray
    best: float = -np.inf
    generation: int = 0
    evaluations: int = 0
    stalled: int = 0
    seconds: float = 0.0
    archive: dict[bytes, float] = dataclasses.field(default_factory=dict)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for `numpy.savez`."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields["generator"] = json.dumps(self.generator.bit_generator.state)
        archive = fields.pop("archive")
        keys = np.frombuffer(b"".join(archive), np.uint8)
        keys = keys.reshape(len(archive), self.population.shape[1])
        values = np.array(list(archive.values()), float)
        return fields | {"archive_keys": keys, "archive_values": values}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "State":
        """The state that `arrays` came from, bit for bit."""
        fields = {f.name: arrays[f.name] for f in dataclasses.fields(cls)[:-1]}
        for name in ("mutation", "best", "generation", "evaluations", "stalled"):
            fields[name] = fields[name].item()
        fields["seconds"] = fields["seconds"].item()
        generator = np.random.default_rng()
        generator.bit_generator.state = json.loads(fields["generator"].item())
        keys = (row.tobytes() for row in arrays["archive_keys"])
        values = arrays["archive_values"].tolist()
        fields["archive"] = dict(zip(keys, values, strict=True))
        return cls(**(fields | {"generator": generator}))


@dataclasses.dataclass(frozen=True)
class Record:
    """One generation, in the problem's own terms.

    Attributes:
        generation: from 0, the first population.
        evaluations: solutions evaluated so far.
        best: objective of the best feasible solution so far; nan before.
        mean, worst: objectives of the population's feasible members; nan if none.
        feasible_share: of the population.
        state: what the next generation depends on; do not change it.
    """

    generation: int
    evaluations: int
    best: float
    mean: float
    worst: float
    feasible_share: float
    state: State

    @property
    def best_solution(self) -> np.ndarray | None:
        """The best feasible x so far, int64 [n]."""
        return None if np.isnan(self.best) else self.state.best_solution


class PostScheme:
    """The post's section "Process and Simulations", by its text.

    A feasible member mates with another feasible one, drawn by objective; an
    infeasible member gives way to a child of two feasible ones; where fewer than two
    are feasible, the first stays and the second is drawn anew. Then all mutate.
    """

    def __init__(self, problem: Problem, config: Config):
        if (problem.lower != 0).any() or (problem.upper != 1).any():
            raise ValueError("--scheme=post: its solutions are binary: use modern")
        self._problem, self._config = problem, config
        self._sign = 1.0 if problem.maximize else -1.0

    def start(self, generator: np.random.Generator) -> State:
        """The first population."""
        config, count = self._config, len(self._problem.objective)
        population = operators.init_solutions(
            generator, config.population, count, config.initial_probability
        )
        empty = np.full(count, -1, np.int64)
        state = State(population, *np.empty((2, 0)), generator, config.mutation, empty)
        self._evaluate(state)
        return state

    def _evaluate(self, state: State) -> None:
        values = self._sign * self._problem.values(state.population)
        feasible = self._problem.violations(state.population) == 0
        state.scores = np.where(feasible, values, -np.inf)
        state.evaluations += len(values)
        for row in operators.feasible_indices(feasible):
            state.archive[state.population[row].tobytes()] = self._sign * values[row]

    def generation(self, state: State) -> None:
        """Advance by one generation."""
        generator, old = state.generator, state.population
        feasible = np.isfinite(state.scores)
        if feasible.sum() >= 2:
            mass = operators.probability_mass(state.scores, feasible)
            mates = operators.roulette(generator, mass, 2 * len(old))
            first = np.where(feasible, np.arange(len(old)), mates[: len(old)])
            new = operators.mate(generator, old[first], old[mates[len(old) :]])
        else:
            fresh = operators.init_solutions(
                generator, *old.shape, self._config.initial_probability
            )
            new = np.where(feasible[:, None], old, fresh)
        state.population = operators.mutate(generator, new, state.mutation)
        self._evaluate(state)

    def members(self, state: State) -> np.ndarray:
        """The population's x, int64 [k, n]."""
        return state.population.astype(np.int64)

    def feasible(self, state: State) -> np.ndarray:
        """Which members are feasible, bool [k]."""
        return np.isfinite(state.scores)


class ModernScheme:
    """Parents by rank or objective, crossover, adaptive mutation, repair, elitism.

    Works on x - lower, with the items in falling order of pseudo-utility
    u_j = o_j / sum_i price_i w_ij (Chu and Beasley, section 4.6) where it repairs. No
    two members are equal as long as there are enough different ones. A solution that
    breaks a constraint ranks below all that do not, by how much it breaks them (Deb,
    "An Efficient Constraint Handling Method for Genetic Algorithms", 2000).
    """

    def __init__(self, problem: Problem, config: Config):
        self._problem, self._config = problem, config
        self.repairs = config.repair != "none" and problem.repairable
        if config.repair == "greedy" and not problem.repairable:
            raise ValueError(
                "--repair=greedy needs weights that are not negative and only <= "
                "constraints: use --repair=none"
            )
        self._sign = 1.0 if problem.maximize else -1.0
        objective = self._sign * problem.objective
        self._order = np.arange(len(objective))
        if self.repairs:
            prices = exact.relaxation_prices(problem)
            cost = prices @ problem.weights + 1e-12 * problem.weights.sum(axis=0)
            with np.errstate(divide="ignore", invalid="ignore"):
                utility = np.where(objective > 0, objective / cost, -np.inf)
            self._order = np.argsort(-utility, kind="stable")
        self._objective = objective[self._order]
        self._weights = np.ascontiguousarray(problem.weights[:, self._order])
        self._offset = objective @ problem.lower
        upper = (problem.upper - problem.lower)[self._order]
        dtype = np.min_scalar_type(2 * int(upper.max()))
        self._upper = upper.astype(dtype)
        room = problem.high - problem.weights @ problem.lower
        self._capacities = room + 1e-9 * (1.0 + np.abs(problem.high))
        ends = np.minimum(objective * problem.lower, objective * problem.upper)
        self._lowest = ends.sum() - 1.0
        # Sums of whole numbers below 2^52 are exact, and so equal for equal solutions.
        largest = 2**52 // (1 + int(upper.sum()))
        draw = np.random.default_rng(0).integers(1, max(2, largest), len(objective))
        self._judge = np.stack([self._objective, draw.astype(float)], axis=1)  # [n, 2]

    def start(self, generator: np.random.Generator) -> State:
        """The first population."""
        config = self._config
        shape = (config.population, len(self._upper))
        some = generator.random(shape) < config.initial_probability
        values = generator.integers(
            1, np.maximum(self._upper.astype(np.int64), 1) + 1, shape
        )
        population = (some * np.minimum(values, self._upper)).astype(self._upper.dtype)
        empty = np.full(shape[1], -1, np.int64)
        state = State(population, *np.empty((2, 0)), generator, config.mutation, empty)
        scores, keys = self._evaluate(state, population)
        self._survive(state, population, scores, keys)
        return state

    def _evaluate(
        self, state: State, solutions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Repair in place; then scores and keys, equal for equal solutions, [k]."""
        state.evaluations += len(solutions)
        if self.repairs:
            operators.repair(
                solutions,
                self._weights,
                self._capacities,
                self._upper,
                self._objective > 0,
            )
        judged = solutions @ self._judge
        scores = judged[:, 0] + self._offset
        if not self.repairs:
            broken = self._problem.violations(self._natural(solutions))
            scores = np.where(broken > 0, self._lowest - broken, scores)
        return scores, judged[:, 1]

    def _survive(
        self, state: State, solutions: np.ndarray, scores: np.ndarray, keys: np.ndarray
    ) -> float:
        """Make the best different solutions the population; return their share."""
        by_key = keys.argsort()
        different = np.ones(len(keys), bool)
        different[1:] = keys[by_key[1:]] != keys[by_key[:-1]]
        ranked = by_key[different]
        ranked = ranked[np.argsort(-scores[ranked], kind="stable")]
        chosen = ranked[: self._config.population]
        if len(chosen) < self._config.population:
            chosen = np.resize(chosen, self._config.population)
        state.population = solutions.take(chosen, axis=0)
        state.scores, state.keys = scores[chosen], keys[chosen]
        return len(ranked) / len(keys)

    def _parents(self, state: State, count: int) -> np.ndarray:
        """Indices of `count` parents."""
        config, generator = self._config, state.generator
        if config.selection == "tournament":
            return operators.tournament(
                generator, config.population, config.tournament, count
            )
        lifted = state.scores - state.scores[-1]  # best first, so this is the worst
        everyone = np.ones(len(lifted), bool)
        mass = operators.probability_mass(lifted, everyone)
        draw = {"roulette": operators.roulette, "universal": operators.universal}
        return draw[config.selection](generator, mass, count)

    def generation(self, state: State) -> None:
        """Advance by one generation."""
        config, generator = self._config, state.generator
        count, length = state.population.shape
        parents = self._parents(state, 2 * count)
        mask = operators.crossover_mask(
            generator, config.crossover, count, length, config.crossover_rate
        )
        chosen = state.population.take(parents, axis=0)
        children = operators.cross(chosen[:count], chosen[count:], mask)
        operators.resample(generator, children, self._upper, state.mutation)
        scores, keys = self._evaluate(state, children)
        elites = round(config.elites * count)
        different = self._survive(
            state,
            np.concatenate([state.population[:elites], children]),
            np.concatenate([state.scores[:elites], scores]),
            np.concatenate([state.keys[:elites], keys]),
        )
        least, most = RATE_RANGE
        factor = 1.1 if different < DIFFERENT else 0.95
        state.mutation = min(max(state.mutation * factor, least / length), most)

    def _natural(self, solutions: np.ndarray) -> np.ndarray:
        natural = np.empty(solutions.shape, np.int64)
        natural[:, self._order] = solutions
        return natural + self._problem.lower

    def members(self, state: State) -> np.ndarray:
        """The population's x, int64 [k, n]."""
        return self._natural(state.population)

    def feasible(self, state: State) -> np.ndarray:
        """Which members are feasible, bool [k]."""
        return state.scores > self._lowest


def make_scheme(problem: Problem, config: Config) -> PostScheme | ModernScheme:
    """The scheme that `config` names.

    Raises:
        ValueError: it cannot treat the problem.
    """
    kind = PostScheme if config.scheme == "post" else ModernScheme
    return kind(problem, config)


def evolve(
    problem: Problem,
    config: Config,
    callbacks: Sequence[Callable[[Record], None]] = (),
    state: State | None = None,
) -> Iterator[Record]:
    """Generations until a limit of `config` is reached, the first population included.

    Args:
        problem: what to solve.
        config: how; its `seed` settles everything where `state` is None.
        callbacks: each is told of every record; what one raises ends the run.
        state: where to go on from.

    Yields:
        A record a generation.
    """
    scheme = make_scheme(problem, config)
    sign = 1.0 if problem.maximize else -1.0
    began = time.monotonic() - (state.seconds if state else 0.0)
    if state is None:
        state = scheme.start(np.random.default_rng(config.seed))
        _note_best(scheme, state)
    while True:
        state.seconds = time.monotonic() - began
        feasible = scheme.feasible(state)
        scores = state.scores[feasible]
        some = len(scores) > 0
        record = Record(
            generation=state.generation,
            evaluations=state.evaluations,
            best=sign * state.best if math.isfinite(state.best) else math.nan,
            mean=sign * float(scores.sum()) / len(scores) if some else math.nan,
            worst=sign * float(scores.min()) if some else math.nan,
            feasible_share=len(scores) / len(feasible),
            state=state,
        )
        for callback in callbacks:
            callback(record)
        yield record
        if finished(problem, config, state):
            return
        scheme.generation(state)
        state.generation += 1
        _note_best(scheme, state)


def finished(problem: Problem, config: Config, state: State) -> bool:
    """Whether a limit of `config` is reached."""
    sign = 1.0 if problem.maximize else -1.0
    reached = config.target is not None and state.best >= sign * config.target - 1e-6
    return bool(
        reached
        or state.generation >= config.generations
        or (config.seconds and state.seconds >= config.seconds)
        or (config.stall and state.stalled >= config.stall)
    )


def _note_best(scheme: PostScheme | ModernScheme, state: State) -> None:
    """Keep the best feasible solution, and count generations without a better one."""
    state.stalled += 1
    top = int(state.scores.argmax())
    better = state.scores[top] - state.best > 1e-9  # -inf at first
    if better and scheme.feasible(state)[top]:
        state.best = float(state.scores[top])
        state.best_solution = scheme.members(state)[top]
        state.stalled = 0

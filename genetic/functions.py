"""Problems of one's own: any function of binary, whole, real or permuted genes."""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import pickle
from collections.abc import Callable, Sequence

import numpy as np

from genetic import operators
from genetic.config import Config
from genetic.modern import ModernScheme
from genetic.state import State, penalty

PIECES = 16  # of a population, where it is evaluated elsewhere
FINEST = 8.0  # decades from the widest to the finest step of a real gene
BLEND = 0.25  # how far beyond its parents a real child may lie, of their distance
CREEP = 3  # longest step of a whole gene that does not jump
LONGEST_SHIFT = 3  # genes of a permutation that move together


@dataclasses.dataclass(frozen=True)
class Genes:
    """What a solution is made of; see `binary`, `whole`, `real` and `permutation`.

    Attributes:
        kind: The kind of all genes, the name of the function that makes it.
        low: The least value of each gene, [n].
        high: The largest value of each gene, [n].
    """

    kind: str
    low: np.ndarray
    high: np.ndarray

    def __post_init__(self):
        if self.low.ndim != 1 or not len(self.low):
            raise ValueError("genes: at least one is needed")
        if not (np.isfinite(self.low) & np.isfinite(self.high)).all():
            raise ValueError("genes: their limits must be finite")
        if (self.low > self.high).any():
            raise ValueError("genes: a lower limit is above its upper limit")

    def __len__(self) -> int:
        return len(self.low)

    def draw(
        self, generator: np.random.Generator, count: int, probability: float
    ) -> np.ndarray:
        """Draws `count` solutions, [count, n]; a bit is 1 with `probability`."""
        shape = count, len(self)
        if self.kind == "real":
            return generator.uniform(self.low, self.high, shape)
        if self.kind == "permutation":
            return generator.permuted(np.tile(np.arange(len(self)), (count, 1)), axis=1)
        if self.kind == "binary":
            return (generator.random(shape) < probability).astype(np.int64)
        return generator.integers(self.low, self.high + 1, shape)

    def cross(
        self,
        generator: np.random.Generator,
        first: np.ndarray,
        second: np.ndarray,
        config: Config,
    ) -> np.ndarray:
        """Returns a child of each pair of rows [k, n]."""
        if self.kind == "permutation":
            children = _order_crossover(generator, first, second)
            single = generator.random(len(first)) >= config.crossover_rate
            return np.where(single[:, None], first, children)
        count, length = first.shape
        mask = operators.crossover_mask(
            generator, config.crossover, count, length, config.crossover_rate
        )
        children = np.where(mask, second, first)
        if self.kind == "real":
            share = generator.uniform(-BLEND, 1 + BLEND, first.shape)
            blend = (generator.random(len(first)) < 0.5) & mask.any(axis=1)
            mixed = np.clip(first + share * (second - first), self.low, self.high)
            children = np.where(blend[:, None], mixed, children)
        return children

    def mutate(
        self, generator: np.random.Generator, solutions: np.ndarray, rate: float
    ) -> np.ndarray:
        """Changes each gene of solutions [k, n] with the chance `rate`."""
        if self.kind == "permutation":
            return _rearrange(generator, solutions, rate)
        chosen = generator.random(solutions.shape) < rate
        if self.kind == "binary":
            return solutions ^ chosen
        if self.kind == "real":
            # Steps of every size, so that a search may both jump and settle.
            size = 10.0 ** -generator.uniform(0, FINEST, solutions.shape)
            step = generator.normal(size=solutions.shape) * size
            moved = solutions + step * (self.high - self.low)
        else:
            step = generator.choice((-1, 1), solutions.shape) * generator.integers(
                1, CREEP + 1, solutions.shape
            )
            jump = generator.integers(self.low, self.high + 1, solutions.shape)
            creeps = generator.random(solutions.shape) < 0.5
            moved = np.where(creeps, solutions + step, jump)
        moved = np.clip(moved, self.low, self.high)
        return np.where(chosen, moved, solutions)

    def check(self, solutions: np.ndarray) -> np.ndarray:
        """Returns given solutions [k, n] with the type of the genes.

        Raises:
            ValueError: They are not made of these genes.
        """
        found = np.asarray(solutions, float if self.kind == "real" else np.int64)
        if found.ndim != 2 or found.shape[1] != len(self):
            raise ValueError(
                f"first: has the shape {found.shape}: [any, {len(self)}] is needed"
            )
        if (found != solutions).any() or not (
            (self.low <= found) & (found <= self.high)
        ).all():
            raise ValueError(
                f"first: holds values that the {self.kind} genes cannot be"
            )
        if (
            self.kind == "permutation"
            and (np.sort(found, axis=1) != np.arange(len(self))).any()
        ):
            raise ValueError("first: a row is no permutation")
        return found


def binary(count: int) -> Genes:
    """Genes that are 0 or 1."""
    return Genes("binary", np.zeros(count, np.int64), np.ones(count, np.int64))


def whole(low, high, count: int = 1) -> Genes:
    """Genes that are whole numbers from `low` to `high`, each a number or [count]."""
    return Genes("whole", *_limits(low, high, count, np.int64))


def real(low, high, count: int = 1) -> Genes:
    """Genes that are numbers from `low` to `high`, each a number or [count]."""
    return Genes("real", *_limits(low, high, count, float))


def permutation(count: int) -> Genes:
    """Genes that are the numbers 0 to count - 1 in some order."""
    return Genes("permutation", np.zeros(count, np.int64), np.full(count, count - 1))


def _limits(low, high, count: int, dtype: type):
    shape = np.broadcast_shapes(np.shape(low), np.shape(high), (count,))
    return [np.broadcast_to(side, shape).astype(dtype) for side in (low, high)]


def _order_crossover(
    generator: np.random.Generator, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Order crossover: a stretch of the first parent, the rest as in the second.

    Davis, "Applying Adaptive Algorithms to Epistatic Domains" (1985), for all rows.
    """
    count, length = first.shape
    every = np.arange(count)[:, None]
    start, size = generator.integers(0, length, (2, count, 1))
    # Seen from the end of the stretch, which is then the last `size` places.
    places = (np.arange(length) + start + size) % length
    stretch = np.arange(length) >= length - size
    kept = np.zeros(first.shape, bool)
    kept[every, np.where(stretch, first[every, places], first[every, start])] = True
    kept[every[:, 0], first[every[:, 0], start[:, 0]]] = size[:, 0] > 0
    rest = second[every, places]
    order = np.argsort(kept[every, rest], axis=1, kind="stable")
    children = np.empty_like(first)
    children[every, places] = np.where(
        stretch, first[every, places], rest[every, order]
    )
    return children


def _rearrange(
    generator: np.random.Generator, solutions: np.ndarray, rate: float
) -> np.ndarray:
    """Turns a stretch around, moves a few genes elsewhere, or exchanges two."""
    count, length = solutions.shape
    place = np.arange(length)
    low, high = np.sort(generator.integers(0, length, (2, count, 1)), axis=0)
    turned = np.where((low <= place) & (place <= high), low + high - place, place)
    swapped = np.where(place == low, high, np.where(place == high, low, place))
    size = generator.integers(1, LONGEST_SHIFT + 1, (count, 1))
    start, to = generator.integers(0, length, (2, count, 1))
    moving = (start <= place) & (place < start + size)
    keys = np.where(moving, to - 0.5 + place / (2.0 * length), place)
    moved = np.argsort(keys, axis=1, kind="stable")
    kind = generator.random((count, 1))
    order = np.where(kind < 0.5, turned, np.where(kind < 0.8, moved, swapped))
    same = generator.random((count, 1)) >= rate * length
    order = np.where(same, place, order)
    return np.take_along_axis(solutions, order, axis=1)


@dataclasses.dataclass(frozen=True)
class Problem:
    """Find the solution with the best fitness that meets every constraint.

    A solution is an array [n] of integers, or of floats where the genes are real. The
    functions that may replace the usual operators treat all rows at once.

    Attributes:
        fitness: What a solution is worth; with `vectorized`, what each row of
            solutions [k, n] is worth, [k]. One that is not finite counts as infeasible.
        genes: What a solution is made of, such as `permutation(50)`.
        constraints: Functions of a solution, as `fitness`: the amounts by which it
            breaks a constraint; what is 0 or less is met.
        maximize: Whether more fitness is better.
        vectorized: Whether `fitness` and `constraints` take solutions [k, n].
        crossover: Makes children [k, n] from (generator, parents [k, n], other parents
            [k, n]).
        mutation: Makes changed solutions [k, n] from (generator, solutions [k, n], the
            chance that a gene changes).
        selection: Draws the indices of parents from (generator, scores [k] from the
            best down, the number of parents).
        repair: Makes repaired solutions [k, n] from solutions [k, n].
        first: Solutions of the first population, [any, n]; chance adds the others.
        optimum: The best fitness that is known, if any.
    """

    fitness: Callable
    genes: Genes
    constraints: Sequence[Callable] = ()
    maximize: bool = True
    vectorized: bool = False
    crossover: Callable | None = None
    mutation: Callable | None = None
    selection: Callable | None = None
    repair: Callable | None = None
    first: np.ndarray | None = None
    optimum: float | None = None

    whole = False  # fitnesses are floats

    def __post_init__(self):
        if self.first is not None:
            object.__setattr__(self, "first", self.genes.check(self.first))

    @property
    def sign(self) -> int:
        """1 if more is better, else -1."""
        return 1 if self.maximize else -1

    def from_scores(self, scores):
        """Turns scores, of which more is better, into fitnesses."""
        return self.sign * scores

    def evaluate(self, solutions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the fitnesses and the sums of violations of solutions [k, n], [k]."""
        fitness = self._each("fitness", self.fitness, solutions)
        if fitness.ndim != 1:
            raise ValueError(
                f"fitness: gave {fitness.shape[1:]} values a solution, not 1"
            )
        broken = np.zeros(len(solutions))
        for constraint in self.constraints:
            amounts = self._each("constraint", constraint, solutions)
            amounts = amounts.reshape(len(solutions), -1)
            broken += np.where(amounts > 0, amounts, 0.0).sum(axis=1)
            broken[np.isnan(amounts).any(axis=1)] = np.inf
        return fitness, np.where(np.isfinite(fitness), broken, np.inf)

    def _each(self, name: str, function: Callable, solutions: np.ndarray) -> np.ndarray:
        found = (
            function(solutions)
            if self.vectorized
            else [function(solution) for solution in solutions]
        )
        values = np.asarray(found, float)
        if values.ndim == 0 or len(values) != len(solutions):
            raise ValueError(
                f"{name}: gave the shape {values.shape} for {len(solutions)} solutions"
            )
        return values


class FunctionScheme(ModernScheme):
    """The modern scheme for a `Problem`."""

    def __init__(
        self,
        problem: Problem,
        config: Config,
        executor: concurrent.futures.Executor | None = None,
    ):
        super().__init__(config)
        if config.scheme == "post":
            raise ValueError("--scheme=post: its problems are linear: use modern")
        if isinstance(executor, concurrent.futures.ProcessPoolExecutor):
            try:
                pickle.dumps(problem)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise ValueError(
                    "a problem for other processes needs functions of a module, not "
                    f"lambdas: {error}"
                ) from None
        self._problem, self._executor = problem, executor

    def start(self, generator: np.random.Generator) -> State:
        """Makes the first population."""
        problem = self._problem
        none = problem.genes.draw(generator, 0, 0.0)
        state = State(
            population=none,
            scores=np.empty(0),
            keys=np.empty(0),
            random={},
            mutation=self.config.mutation,
            best_solution=np.zeros(len(problem.genes), none.dtype),
        )
        return self.fresh(
            state, generator, none if problem.first is None else problem.first
        )

    def fresh(
        self, state: State, generator: np.random.Generator, first: np.ndarray
    ) -> State:
        """Returns a state whose population is new, but for its `first` members."""
        config = self.config
        solutions = self._problem.genes.draw(
            generator, config.population, config.initial_probability
        )
        solutions[: len(first)] = first[: len(solutions)]
        return self.fill(state, solutions)

    def members(self, state: State) -> np.ndarray:
        """Returns the population's solutions, [k, n]."""
        return state.population.copy()

    def parents(
        self, generator: np.random.Generator, scores: np.ndarray, count: int
    ) -> np.ndarray:
        """Draws the indices of `count` parents; scores [k] stand best first."""
        if self._problem.selection is None:
            return super().parents(generator, scores, count)
        chosen = np.asarray(self._problem.selection(generator, scores, count))
        if chosen.shape != (count,):
            raise ValueError(
                f"selection: gave the shape {chosen.shape}, not ({count},)"
            )
        return chosen

    def breed(
        self,
        state: State,
        generator: np.random.Generator,
        first: np.ndarray,
        second: np.ndarray,
    ) -> np.ndarray:
        """Returns a child, crossed and mutated, of each pair of rows [k, n]."""
        problem = self._problem
        if problem.crossover is None:
            children = problem.genes.cross(generator, first, second, self.config)
        else:
            children = self._own("crossover", first, generator, first, second)
        if problem.mutation is None:
            return problem.genes.mutate(generator, children, state.mutation)
        return self._own("mutation", children, generator, children, state.mutation)

    def _own(self, name: str, like: np.ndarray, *arguments) -> np.ndarray:
        """What the problem's own operator makes, which must be solutions."""
        found = np.asarray(getattr(self._problem, name)(*arguments))
        if found.shape != like.shape:
            raise ValueError(f"{name}: gave the shape {found.shape}, not {like.shape}")
        return found.astype(like.dtype)

    def judge(
        self, state: State, solutions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns solutions, perhaps repaired, with their scores and keys, [k]."""
        problem = self._problem
        if problem.repair is not None:
            solutions = self._own("repair", solutions, solutions.copy())
        if self._executor is None:
            fitness, broken = problem.evaluate(solutions)
        else:
            pieces = np.array_split(solutions, min(PIECES, len(solutions)))
            parts = self._executor.map(_evaluate, itertools.repeat(problem), pieces)
            fitness, broken = map(np.concatenate, zip(*parts, strict=True))
        scores = np.where(broken > 0, penalty(broken), problem.sign * fitness)
        return solutions, scores, _hashes(solutions)


def _evaluate(problem: Problem, solutions: np.ndarray) -> tuple:
    return problem.evaluate(solutions)


def _hashes(solutions: np.ndarray) -> np.ndarray:
    """A number for each row [k, n], equal for equal rows."""
    digests = [hashlib.blake2b(row.tobytes(), digest_size=8) for row in solutions]
    numbers = np.array([int.from_bytes(each.digest(), "big") for each in digests])
    return (numbers.astype(np.uint64) >> np.uint64(12)).astype(float)

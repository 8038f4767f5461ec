"""Linear problems: what to maximise or minimise, and within what.

Post, "Objective" and "Constraints": max o^T x subject to c^T x <= b, here with any
number of constraints, of any sense, and with integer bounds beside binary.
"""

import dataclasses
import math
import operator
from fractions import Fraction

import numpy as np

from genetic.rows import EXACT_FLOAT, Row

LARGEST = 1e30  # of the numbers of a problem
MOST_UNITS = 2**31  # of one variable


@dataclasses.dataclass(frozen=True)
class LinearProblem:
    """Find the x that maximises (or minimises) objective . x within the constraints.

    Whole numbers and decimals are compared exactly, others with a tolerance relative to
    the largest number of their constraint; see `rows`.

    Attributes:
        names: Names of the n variables.
        objective: o, float64 [n]; Python integers where a float64 would lose digits.
        resources: Names of the m constraints.
        weights: c, [m, n], as `objective`.
        low: The least that weights x may be, [m]; minus infinity where open.
        high: The most that weights x may be, [m]; infinity where open.
        lower: The least that the integers x may be, int64 [n]; 0 for binary.
        upper: The most that the integers x may be, int64 [n]; 1 for binary.
        maximize: Whether more is better.
        optimum: The best objective that is known, if any.
        rows: The constraints as they are compared, one `Row` each.
        gain: The objective as it is compared.
        scaled: The rows' weights, float64 [m, n].
        scaled_low: The rows' lower limits, float64 [m].
        scaled_high: The rows' upper limits, float64 [m].
    """

    names: tuple[str, ...]
    objective: np.ndarray
    resources: tuple[str, ...]
    weights: np.ndarray
    low: np.ndarray
    high: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    maximize: bool = True
    optimum: float | None = None
    rows: tuple[Row, ...] = dataclasses.field(init=False, repr=False)
    gain: Row = dataclasses.field(init=False, repr=False)
    scaled: np.ndarray = dataclasses.field(init=False, repr=False)
    scaled_low: np.ndarray = dataclasses.field(init=False, repr=False)
    scaled_high: np.ndarray = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        for name in ("objective", "weights", "low", "high"):
            object.__setattr__(self, name, numbers(getattr(self, name)))
        self._check_numbers()
        largest = np.maximum(np.abs(self.lower), np.abs(self.upper))
        rows = tuple(
            Row.of(*parts, largest)
            for parts in zip(self.weights, self.low, self.high, strict=True)
        )
        scaled = np.array([row.weights for row in rows]).reshape(self.weights.shape)
        for name, value in {
            "rows": rows,
            "gain": Row.of(self.objective, -math.inf, math.inf, largest),
            "scaled": scaled,
            "scaled_low": np.array([row.low for row in rows], float),
            "scaled_high": np.array([row.high for row in rows], float),
        }.items():
            object.__setattr__(self, name, value)
        self._prove_feasible_box()

    def _check_numbers(self) -> None:
        """Raises an error that names the first number that cannot be used."""
        parts = [
            ("objective", self.objective),
            *zip(self.resources, self.weights, strict=True),
        ]
        for name, values in parts:
            bad = ~(np.abs(values.astype(float)) <= LARGEST)
            if bad.any():
                item = int(np.argmax(bad))
                raise ValueError(
                    f"{name!r} of {self.names[item]!r}: {values[item]} cannot be used: "
                    f"a finite number of at most {LARGEST:g} is needed"
                )
        for name, *sides in zip(self.resources, self.low, self.high, strict=True):
            for side in sides:
                if math.isnan(side) or LARGEST < abs(side) < math.inf:
                    raise ValueError(f"{name!r}: a capacity of {side} cannot be used")
        bounds = zip(self.names, self.lower.tolist(), self.upper.tolist(), strict=True)
        for variable, least, most in bounds:
            if least > most:
                raise ValueError(
                    f"{variable}: its lower bound {least} is above its upper, {most}"
                )
            if max(abs(least), abs(most)) > MOST_UNITS:
                raise ValueError(f"{variable}: bounds must be below 2^31")

    def _prove_feasible_box(self) -> None:
        """Raises an error where the bounds alone make a constraint impossible."""
        ends = np.stack([self.scaled * self.lower, self.scaled * self.upper])
        least, most = ends.min(axis=0).sum(axis=1), ends.max(axis=0).sum(axis=1)
        slip = 1e-12 * np.array([row.size for row in self.rows])
        for number, (resource, row) in enumerate(
            zip(self.resources, self.rows, strict=True)
        ):
            unit = float(row.unit)
            if least[number] > row.high + slip[number]:
                raise ValueError(
                    f"no feasible solution: {resource!r} is at least "
                    f"{least[number] * unit:.15g} by the bounds, and at most "
                    f"{self.high[number]:.15g} is allowed"
                )
            if most[number] < row.low - slip[number]:
                raise ValueError(
                    f"no feasible solution: {resource!r} is at most "
                    f"{most[number] * unit:.15g} by the bounds, and at least "
                    f"{self.low[number]:.15g} is asked for"
                )

    @property
    def count(self) -> int:
        """The number n of variables."""
        return len(self.names)

    @property
    def sign(self) -> int:
        """1 if more is better, else -1."""
        return 1 if self.maximize else -1

    @property
    def whole(self) -> bool:
        """Whether objectives are compared exactly."""
        return self.gain.whole

    @property
    def repairable(self) -> bool:
        """Whether taking less always helps: only <=, and no negative weight."""
        return bool((self.scaled >= 0).all() and np.isneginf(self.low).all())

    def values(self, solutions: np.ndarray) -> np.ndarray:
        """Returns the objectives [k] of solutions [k, n]."""
        return self.from_scores(self.sign * (solutions @ self.gain.weights))

    def from_scores(self, scores):
        """Turns sums of `gain`, of which more is better, into objectives."""
        unit = self.gain.unit
        return self.sign * scores * unit.numerator / float(unit.denominator)

    def value(self, solution: np.ndarray) -> float:
        """Returns the objective of one solution [n], to the last digit."""
        total = self._sum(self.objective, self.gain, solution)
        return int(total) if abs(total) >= EXACT_FLOAT else float(total)

    def violations(self, solutions: np.ndarray) -> np.ndarray:
        """Returns by how much solutions [k, n] break the constraints, [k].

        Each constraint counts in units of its largest number; 0 is feasible.
        """
        loads = solutions @ self.scaled.T  # [k, m]
        over = np.maximum(loads - self.scaled_high, self.scaled_low - loads)
        for number, row in enumerate(self.rows):
            if row.integers is not None:
                over[:, number] = row.excess(solutions)
        over /= [row.size for row in self.rows]
        return np.where(over > 0, over, 0.0).sum(axis=1)

    def feasible(self, solution: np.ndarray) -> bool:
        """Whether one solution [n] keeps its bounds and every constraint."""
        inside = (self.lower <= solution).all() and (solution <= self.upper).all()
        return bool(inside and self.violations(solution[None])[0] == 0)

    def uses(self, solution: np.ndarray) -> list[Fraction | float]:
        """Returns how much one solution [n] uses of each resource, exactly."""
        return [
            self._sum(weights, row, solution)
            for weights, row in zip(self.weights, self.rows, strict=True)
        ]

    def _sum(self, values: np.ndarray, row: Row, solution: np.ndarray):
        amounts = solution.tolist()
        if not row.whole:
            return math.fsum(map(operator.mul, values.tolist(), amounts))
        weights = row.weights if row.integers is None else row.integers
        return row.unit * sum(map(operator.mul, map(int, weights.tolist()), amounts))


def numbers(values) -> np.ndarray:
    """Numbers as float64, or as Python objects where a float64 would lose digits."""
    array = np.asarray(values)
    if array.dtype == object or array.dtype.kind in "iu":
        objects = [int(v) if isinstance(v, np.integer) else v for v in array.ravel()]
        if any(isinstance(v, int) and abs(v) >= EXACT_FLOAT for v in objects):
            found = np.empty(array.shape, object)
            found.ravel()[:] = objects
            return found
    return array.astype(float)


def linear(
    objective: np.ndarray,
    weights: np.ndarray,
    capacities: np.ndarray,
    optimum: float | None = None,
) -> LinearProblem:
    """Makes the binary problem max o.x, W x <= b, with numbered names.

    Args:
        objective: o, [n].
        weights: W, [m, n].
        capacities: b, [m].
        optimum: The best objective that is known, if any.
    """
    count, rows = len(objective), len(capacities)
    return LinearProblem(
        names=tuple(f"item {index + 1}" for index in range(count)),
        objective=objective,
        resources=tuple(f"resource {index + 1}" for index in range(rows)),
        weights=np.asarray(weights).reshape(rows, count),
        low=np.full(rows, -np.inf),
        high=capacities,
        lower=np.zeros(count, np.int64),
        upper=np.ones(count, np.int64),
        optimum=optimum,
    )


def generate(
    items: int, constraints: int, tightness: float, seed: int
) -> LinearProblem:
    """Makes a random problem in the way of mknapcb1 to mknapcb9.

    Chu and Beasley (1998), section 5: weights r_ij uniform on the integers 0 to 1000,
    capacities b_i = tightness sum_j r_ij, and profits p_j = sum_i r_ij / m + 500 u_j
    with u_j uniform on (0, 1), so that profit and weight go together.
    """
    generator = np.random.default_rng(seed)
    weights = generator.integers(0, 1001, (constraints, items))
    profits = weights.mean(axis=0) + 500 * generator.random(items)
    return linear(np.round(profits), weights, np.floor(tightness * weights.sum(axis=1)))

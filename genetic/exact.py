"""The exact answer, by SciPy's HiGHS: what to hold a genetic algorithm against.

HiGHS works with floats and tolerances of 1e-6. So the problem is scaled before it, and
its answer is rounded to integers and judged by the problem itself afterwards.
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import optimize, sparse

from genetic.problem import LinearProblem
from genetic.rows import Row

# HiGHS's tolerances are safe for whole numbers up to here, as a unit is still seen.
FINE, COARSE = 2.0**20, 2.0**10
DIGIT = 2**10  # base of the digits of larger ones
SAME = 1e-11  # relative difference of objectives that floats cannot tell apart


@dataclasses.dataclass(frozen=True)
class Exact:
    """What the solver found.

    Attributes:
        objective: The objective of its best solution; None if it found none.
        bound: No solution is better than this; None if unknown.
        proven: Whether `objective` is the optimum.
        feasible: False where it proved that there is no solution; None if unknown.
        solution: The solution, int64 [n], or None.
    """

    objective: float | None
    bound: float | None
    proven: bool
    feasible: bool | None
    solution: np.ndarray | None


def solve(problem: LinearProblem, seconds: float = 60.0) -> Exact:
    """Runs branch and cut on the problem.

    Args:
        problem: A linear problem of any kind.
        seconds: After so long, the best so far is returned, not `proven`.
    """
    found, bound = _branch_and_cut(problem, seconds, [_scaled(r) for r in problem.rows])
    solution = _rounded(problem, found)
    if solution is not None and not problem.feasible(solution):
        rows = list(zip(problem.rows, problem.scaled @ solution, strict=True))
        careful = [part for row, load in rows for part in _careful(row, load)]
        found, closer = _branch_and_cut(problem, seconds, careful)
        if all(row.whole for row in problem.rows):  # Others were tightened.
            bound = closer
        solution = _rounded(problem, found)
    if solution is not None and not problem.feasible(solution):
        solution = None
    if found.status == 2:
        return Exact(None, None, False, False, None)
    if solution is None:
        return Exact(None, bound, False, None, None)
    value = problem.value(solution)
    unit = float(problem.gain.unit) if problem.gain.whole else 0.0
    gap = math.inf if bound is None else problem.sign * (bound - value)
    proven = found.status == 0 and gap <= max(0.99 * unit, SAME * abs(value))
    return Exact(value, value if proven else bound, proven, True, solution)


def _branch_and_cut(
    problem: LinearProblem, seconds: float, rows: list[tuple[Any, float, float, int]]
) -> tuple[Any, float | None]:
    """Runs HiGHS; returns its answer, and its bound in the problem's own terms.

    Args:
        problem: What gives the objective and the bounds.
        seconds: The time limit.
        rows: Coefficients, limits, and the number of carries that follow, each.
    """
    weights = problem.gain.weights
    scale = _power(weights, FINE, problem.gain.whole)
    carries = sum(row[3] for row in rows)
    count = problem.count
    matrix = sparse.lil_matrix((len(rows), count + carries))
    column = count
    if not carries:
        matrix = sparse.csr_matrix(np.array([row[0] for row in rows]))
    else:
        for number, (coefficients, _, _, more) in enumerate(rows):
            matrix[number, :count] = coefficients
            if number and rows[number - 1][3]:
                matrix[number, column - 1] = 1.0  # what the digit below carries
            if more:
                matrix[number, column] = -DIGIT
                column += 1
    free = np.full(carries, float(2**31))
    found = optimize.milp(
        np.concatenate([-problem.sign * scale * weights, np.zeros(carries)]),
        integrality=np.ones(count + carries),
        bounds=optimize.Bounds(
            np.concatenate([problem.lower, -free]),
            np.concatenate([problem.upper, free]),
        ),
        constraints=optimize.LinearConstraint(
            matrix.tocsr(), [row[1] for row in rows], [row[2] for row in rows]
        ),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    bound = getattr(found, "mip_dual_bound", None)
    if bound is None or not math.isfinite(bound):
        return found, None
    return found, float(problem.from_scores(-float(bound) / scale))


def _rounded(problem: LinearProblem, found) -> np.ndarray | None:
    if found.x is None:
        return None
    solution = np.round(found.x[: problem.count]).astype(np.int64)
    return solution.clip(problem.lower, problem.upper)


def _power(values: np.ndarray, target: float, whole: bool) -> float:
    """The power of two that takes the largest value near `target`."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0 or (whole and largest <= target):
        return 1.0
    return 2.0 ** math.floor(math.log2(target / largest))


def _scaled(row: Row) -> tuple[Any, float, float, int]:
    """A row as HiGHS should see it, so that its tolerance is smaller than ours."""
    scale = _power(row.weights, FINE if row.whole else COARSE, row.whole)
    return row.weights * scale, row.low * scale, row.high * scale, 0


def _careful(row: Row, load: float) -> Iterator[tuple[Any, float, float, int]]:
    """A row in which floats cannot hide a unit.

    Large whole numbers are written in digits, as in long addition: for a limit b and
    base B, sum_j a_j x_j <= b if and only if whole carries c_d exist with
    sum_j a_jd x_j + c_d <= b_d + B c_(d+1) for every digit d. Other rows are tightened
    by what the answer, with this `load`, had too much.
    """
    if not row.whole:
        over = 2 * max(load - row.high, row.low - load, 0.0)
        yield _scaled(
            dataclasses.replace(row, low=row.low + over, high=row.high - over)
        )
        return
    if np.abs(row.weights).max(initial=0) <= COARSE:
        yield _scaled(row)
        return
    exact = row.weights if row.integers is None else row.integers
    integers = [int(each) for each in exact]
    low, high = row.limits
    if row.integers is None:
        low = None if math.isinf(row.low) else int(row.low)
        high = None if math.isinf(row.high) else int(row.high)
    for sign, limit in ((1, high), (-1, low)):
        if limit is None:
            continue
        rest, left = [sign * each for each in integers], sign * limit
        while True:
            last = max(map(abs, rest)) < DIGIT
            if last:
                yield np.array(rest, float), -math.inf, float(left), 0
                break
            digits = [each % DIGIT for each in rest]
            yield np.array(digits, float), -math.inf, float(left % DIGIT), 1
            rest, left = [each // DIGIT for each in rest], left // DIGIT


@dataclasses.dataclass(frozen=True)
class Relaxation:
    """The problem without the demand that x be whole, for a `repairable` problem.

    Attributes:
        prices: What a unit of each scaled row is worth, float64 [m], not negative: the
            dual values (Chu and Beasley, 1998, section 4.6).
        bound: The sum of `gain` that no solution exceeds; infinite if unknown.
    """

    prices: np.ndarray
    bound: float


def relax(problem: LinearProblem) -> Relaxation:
    """Solves the linear relaxation."""
    objective = problem.sign * problem.gain.weights
    scale = _power(objective, COARSE, False)
    powers = np.array([_power(row.weights, 1.0, False) for row in problem.rows])
    found = optimize.linprog(
        -scale * objective,
        A_ub=problem.scaled * powers[:, None],
        b_ub=problem.scaled_high * powers,
        bounds=np.stack([problem.lower, problem.upper], axis=1),
    )
    if found.status != 0:
        return Relaxation(1.0 / (1.0 + problem.scaled.sum(axis=1)), math.inf)
    prices = np.maximum(-found.ineqlin.marginals, 0.0) * powers / scale
    return Relaxation(prices, -found.fun / scale)

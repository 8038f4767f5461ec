"""The exact answer, by SciPy's HiGHS: what to hold a genetic algorithm against."""

import dataclasses

import numpy as np
from scipy import optimize

from genetic.problem import Problem


@dataclasses.dataclass(frozen=True)
class Exact:
    """What the solver found.

    Attributes:
        objective: of its best solution; None if it found none.
        bound: no solution is better than this.
        proven: whether `objective` is the optimum.
        feasible: False where it proved that there is no solution; None if unknown.
        solution: int64 [n], or None.
    """

    objective: float | None
    bound: float | None
    proven: bool
    feasible: bool | None
    solution: np.ndarray | None


def solve(problem: Problem, seconds: float = 60.0) -> Exact:
    """Branch and cut on the problem.

    Args:
        problem: of any kind.
        seconds: after which the best so far is returned, not `proven`.
    """
    sign = -1.0 if problem.maximize else 1.0
    found = optimize.milp(
        sign * problem.objective,
        integrality=np.ones(len(problem.objective)),
        bounds=optimize.Bounds(problem.lower, problem.upper),
        constraints=optimize.LinearConstraint(
            problem.weights, problem.low, problem.high
        ),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    infeasible = found.status == 2
    solution = None if found.x is None else np.round(found.x).astype(np.int64)
    bound = getattr(found, "mip_dual_bound", None)
    return Exact(
        objective=None if solution is None else float(problem.values(solution)),
        bound=None if bound is None or infeasible else sign * float(bound),
        proven=found.status == 0,
        feasible=False if infeasible else (True if solution is not None else None),
        solution=solution,
    )


def relaxation_prices(problem: Problem) -> np.ndarray:
    """What a unit of each resource is worth: the duals of the linear relaxation.

    Chu and Beasley (1998), section 4.6; float64 [m], not negative, for a `repairable`
    problem.
    """
    sign = -1.0 if problem.maximize else 1.0
    found = optimize.linprog(
        sign * problem.objective,
        A_ub=problem.weights,
        b_ub=problem.high,
        bounds=np.stack([problem.lower, problem.upper], axis=1),
    )
    return np.maximum(-found.ineqlin.marginals, 0.0)

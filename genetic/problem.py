"""Linear problems: what to maximise or minimise, and within what.

Post, "Objective" and "Constraints": max o^T x subject to c^T x <= b, here with any
number of constraints, of any sense, and with integer bounds beside binary.
"""

import csv
import dataclasses
import math
import os
import re

import numpy as np

CAPACITY = "capacity"  # the name of the row that holds the right-hand sides
RESERVED = ("lower", "upper")  # columns with bounds of the variables


@dataclasses.dataclass(frozen=True)
class Problem:
    """Find the x that maximises (or minimises) objective . x within the constraints.

    Attributes:
        names: of the n variables.
        objective: o, float64 [n].
        resources: names of the m constraints.
        weights: c, float64 [m, n].
        low, high: low <= weights x <= high, float64 [m]; infinite where open.
        lower, upper: bounds of the integers x, int64 [n]; 0 and 1 for binary.
        maximize: whether more is better.
        optimum: the known answer, if any.
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

    def __post_init__(self):
        for name in ("objective", "weights"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name}: every number must be finite")
        if (self.lower > self.upper).any():
            item = int(np.argmax(self.lower > self.upper))
            raise ValueError(f"{self.names[item]}: lower bound above upper bound")
        self._prove_feasible_box()

    def _prove_feasible_box(self) -> None:
        """Raise where the bounds alone make a constraint impossible."""
        ends = np.stack([self.weights * self.lower, self.weights * self.upper])
        least, most = ends.min(axis=0).sum(axis=1), ends.max(axis=0).sum(axis=1)
        slip = 1e-9 * (1.0 + np.abs(least) + np.abs(most))
        for row, resource in enumerate(self.resources):
            if least[row] > self.high[row] + slip[row]:
                raise ValueError(
                    f"no feasible solution: {resource!r} is at least {least[row]:g} "
                    f"by the bounds, and at most {self.high[row]:g} is allowed"
                )
            if most[row] < self.low[row] - slip[row]:
                raise ValueError(
                    f"no feasible solution: {resource!r} is at most {most[row]:g} by "
                    f"the bounds, and at least {self.low[row]:g} is asked for"
                )

    @property
    def repairable(self) -> bool:
        """Whether taking less always helps: only <=, and no negative weight."""
        return bool((self.weights >= 0).all() and np.isneginf(self.low).all())

    def values(self, solutions: np.ndarray) -> np.ndarray:
        """Objectives [k] of solutions [k, n]."""
        return solutions @ self.objective

    def violations(self, solutions: np.ndarray) -> np.ndarray:
        """By how much solutions [k, n] break the constraints, [k]; 0 is feasible.

        Each constraint counts in units of its right-hand side.
        """
        loads = solutions @ self.weights.T  # [k, m]
        side = np.where(np.isfinite(self.high), self.high, self.low)
        unit = np.maximum(1.0, np.where(np.isfinite(side), np.abs(side), 0.0))
        over = np.maximum(loads - self.high, self.low - loads) / unit
        return np.where(over > 1e-9, over, 0.0).sum(axis=1)


def linear(
    objective: np.ndarray,
    weights: np.ndarray,
    capacities: np.ndarray,
    optimum: float | None = None,
) -> Problem:
    """The binary problem max o.x, W x <= b, with numbered names.

    Args:
        objective: o, [n].
        weights: W, [m, n].
        capacities: b, [m].
        optimum: the known answer, if any.
    """
    count, rows = len(objective), len(capacities)
    return Problem(
        names=tuple(f"item {index + 1}" for index in range(count)),
        objective=np.asarray(objective, float),
        resources=tuple(f"resource {index + 1}" for index in range(rows)),
        weights=np.asarray(weights, float).reshape(rows, count),
        low=np.full(rows, -np.inf),
        high=np.asarray(capacities, float),
        lower=np.zeros(count, np.int64),
        upper=np.ones(count, np.int64),
        optimum=optimum,
    )


def generate(items: int, constraints: int, tightness: float, seed: int) -> Problem:
    """A random problem in the way of mknapcb1 to mknapcb9.

    Chu and Beasley (1998), section 5: weights r_ij uniform on the integers 0 to 1000,
    capacities b_i = tightness sum_j r_ij, and profits p_j = sum_i r_ij / m + 500 u_j
    with u_j uniform on (0, 1), so that profit and weight go together.
    """
    generator = np.random.default_rng(seed)
    weights = generator.integers(0, 1001, (constraints, items))
    profits = weights.mean(axis=0) + 500 * generator.random(items)
    return linear(np.round(profits), weights, np.floor(tightness * weights.sum(axis=1)))


def read(
    path: str,
    capacities: dict[str, str] | None = None,
    maximize: bool = True,
    tolerance: float = 1e-6,
) -> Problem:
    """A problem from CSV.

    The first line names the columns: the variables' names, the objective, and one
    column a resource; columns called `lower` and `upper` bound a variable (0 and 1
    otherwise). A row called `capacity` holds the right-hand sides: a number or
    `<=number`, `>=number` or `=number`.

    Args:
        path: of the file.
        capacities: right-hand sides by resource, over those in the file.
        maximize: whether more of the objective is better.
        tolerance: by how much an equality may be missed.

    Raises:
        OSError: no such file, or not text.
        ValueError: what is wrong in it, with row and column.
    """
    header, rows = _table(path)
    resources = [name for name in header[2:] if name not in RESERVED]
    if not resources:
        raise ValueError(f"{path}: no column for a resource: name, objective, resource")
    sides = {}
    names, table = [], []
    for number, row in rows:
        if row[0].strip().lower() == CAPACITY:
            for column, cell in zip(header[2:], row[2:], strict=True):
                if cell.strip():
                    where = f"{path}, row {number}, column {column!r}"
                    sides[column] = _side(cell, where, tolerance)
            continue
        names.append(row[0].strip())
        table.append(
            {
                column: _number(cell, f"{path}, row {number}, column {column!r}")
                for column, cell in zip(header[1:], row[1:], strict=True)
            }
        )
    if not names:
        raise ValueError(f"{path}: no variables: give one row for each")
    for name, cell in (capacities or {}).items():
        if name not in resources:
            raise ValueError(f"--capacity: {path} has no resource {name!r}")
        sides[name] = _side(cell, f"--capacity {name!r}", tolerance)
    for name in resources:
        if name not in sides:
            raise ValueError(
                f"{path}: resource {name!r} has no capacity: add a row "
                f"'{CAPACITY}' or give --capacity '{name}=NUMBER'"
            )
    bounds = {}
    for column, default in (("lower", 0), ("upper", 1)):
        bounds[column] = np.array([row.get(column, default) for row in table])
        if (bounds[column] != np.round(bounds[column])).any():
            raise ValueError(f"{path}: column {column!r}: bounds must be whole numbers")
        if (np.abs(bounds[column]) > 2**31).any():
            raise ValueError(f"{path}: column {column!r}: bounds must be below 2^31")
    low, high = np.array([sides[name] for name in resources]).T
    return Problem(
        names=tuple(names),
        objective=np.array([row[header[1]] for row in table]),
        resources=tuple(resources),
        weights=np.array([[row[name] for row in table] for name in resources]),
        low=low,
        high=high,
        lower=bounds["lower"].astype(np.int64),
        upper=bounds["upper"].astype(np.int64),
        maximize=maximize,
    )


def _table(path: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each row with its number from 1."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path}: is a directory: name a file")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = [
                (number, row)
                for number, row in enumerate(csv.reader(file), start=1)
                if any(cell.strip() for cell in row)
            ]
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise OSError(f"{path}: not a CSV text file: {error}") from error
    if not lines:
        raise ValueError(f"{path}: is empty")
    header = [cell.strip() for cell in lines[0][1]]
    if len(set(header)) != len(header) or "" in header[1:]:
        raise ValueError(f"{path}, row {lines[0][0]}: each column needs its own name")
    if len(header) < 3:
        raise ValueError(f"{path}, row {lines[0][0]}: name, objective and resources")
    for number, row in lines[1:]:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, row {number}: {len(row)} columns, the header has "
                f"{len(header)}"
            )
    return header, lines[1:]


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{where}: {cell!r} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{where}: {cell!r} is not finite")
    return value


def _side(cell: str, where: str, tolerance: float) -> tuple[float, float]:
    """The interval that a right-hand side allows."""
    sense, number = re.fullmatch(r"\s*(<=|>=|=)?(.*)", cell, re.DOTALL).groups()
    value = _number(number, where)
    if sense == ">=":
        return value, math.inf
    if sense == "=":
        return value - tolerance, value + tolerance
    if value < 0:
        raise ValueError(f"{where}: capacity {value:g} is below zero")
    return -math.inf, value

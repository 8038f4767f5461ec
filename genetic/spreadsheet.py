"""Linear problems from tables of text, as spreadsheets export them.

The first line names the columns: the variables' names, the objective, and one column a
resource; columns called `lower` and `upper` bound a variable (0 and 1 otherwise). The
row called `capacity` holds the right-hand sides: a number or `<=number`, `>=number` or
`=number`. Columns are separated by commas, semicolons, tabs or bars; numbers have a
decimal point or, in the whole file, a decimal comma.
"""

import csv
import math
import re

import numpy as np

from genetic.problem import MOST_UNITS, LinearProblem, numbers

CAPACITY = "capacity"  # the name of the row that holds the right-hand sides
BOUNDS = {"lower": 0, "upper": 1}  # columns with bounds of the variables
SEPARATORS = ",;\t|"
NEEDED = "a name, the objective and at least one resource"

Rows = list[tuple[int, list[str]]]  # each row with its number in the file


def parse(
    text: str,
    path: str,
    capacities: dict[str, str] | None = None,
    maximize: bool = True,
    tolerance: float = 0.0,
) -> LinearProblem:
    """Reads a problem.

    Args:
        text: The table.
        path: Its name, for messages.
        capacities: Right-hand sides by resource, which replace those of the table.
        maximize: Whether more of the objective is better.
        tolerance: By how much an equality may be missed.

    Raises:
        ValueError: Something is wrong; the message names the row and the column.
    """
    header, rows = _table(text, path)
    if header[1].lower() in BOUNDS:
        raise ValueError(f"{path}: the second column is the objective, not {header[1]}")
    reader = _Numbers(path, rows)
    items, sides = _split(path, header, rows)
    if not items:
        raise ValueError(f"{path}: no variables: give one row for each")
    _check_names(path, items)
    table = {
        column: [
            reader.number(row[place], f"row {number}, column {column!r}")
            for number, row in items
        ]
        for place, column in enumerate(header)
        if place
    }
    resources = [name for name in header[2:] if name.lower() not in BOUNDS]
    if not resources:
        raise ValueError(f"{path}: no column for a resource: {NEEDED} are needed")
    limits = {
        name: reader.side(cell, f"{path}, {where}", tolerance)
        for name, (cell, where) in sides.items()
        if name in resources
    }
    for name, cell in (capacities or {}).items():
        if name not in resources:
            raise ValueError(f"--capacity: {path} has no resource {name!r}")
        limits[name] = reader.side(cell, f"--capacity {name!r}", tolerance)
    for name in resources:
        if name not in limits:
            raise ValueError(
                f"{path}: resource {name!r} has no capacity: add a row "
                f"{CAPACITY!r} or give --capacity '{name}=NUMBER'"
            )
    lower, upper = (
        _bounds(path, kind, table, default, len(items))
        for kind, default in BOUNDS.items()
    )
    low, high = zip(*(limits[name] for name in resources), strict=True)
    return LinearProblem(
        names=tuple(row[0] for _, row in items),
        objective=_array(table[header[1]]),
        resources=tuple(resources),
        weights=_array([table[name] for name in resources]),
        low=_array(low),
        high=_array(high),
        lower=lower,
        upper=upper,
        maximize=maximize,
    )


def _array(values) -> np.ndarray:
    return numbers(np.array(values, object))


def _bounds(path: str, kind: str, table: dict, default: int, count: int) -> np.ndarray:
    column = next((name for name in table if name.lower() == kind), None)
    if column is None:
        return np.full(count, default, np.int64)
    values = table[column]
    if any(value != int(value) for value in values):
        raise ValueError(f"{path}: column {column!r}: bounds must be whole numbers")
    if any(abs(value) > MOST_UNITS for value in values):
        raise ValueError(f"{path}: column {column!r}: bounds must be below 2^31")
    return np.array([int(value) for value in values], np.int64)


def _split(path: str, header: list[str], rows: Rows):
    """The variables' rows, and each resource's right-hand side with where it stands."""
    called = [(number, row) for number, row in rows if row[0].lower() == CAPACITY]
    found = [(number, row) for number, row in called if row[1] in ("", "-", "0")]
    if len(found) > 1:
        raise ValueError(
            f"{path}: rows {found[0][0]} and {found[1][0]} are both called "
            f"{CAPACITY!r}: only one can hold the capacities"
        )
    if called and not found:
        number, row = called[0]
        raise ValueError(
            f"{path}, row {number}: {row[0]!r} has the objective {row[1]!r}, but the "
            f"row called {CAPACITY!r} holds the capacities: rename the variable, or "
            "leave the objective empty"
        )
    items = [entry for entry in rows if entry not in found]
    sides = {
        column: (cell, f"row {number}, column {column!r}")
        for number, row in found
        for column, cell in zip(header[2:], row[2:], strict=True)
        if cell
    }
    return items, sides


def _check_names(path: str, items: Rows) -> None:
    seen: dict[str, int] = {}
    for number, row in items:
        if not row[0]:
            raise ValueError(f"{path}, row {number}: the variable has no name")
        if row[0] in seen:
            raise ValueError(
                f"{path}: rows {seen[row[0]]} and {number} are both called {row[0]!r}"
            )
        seen[row[0]] = number


def _table(text: str, path: str) -> tuple[list[str], Rows]:
    """The header, and each row with its number from 1, without empty columns."""
    lines = text.splitlines()
    skip = 0
    separators = SEPARATORS
    while skip < len(lines) and not lines[skip].strip(' \t,;|"'):
        skip += 1
    if skip == len(lines):
        raise ValueError(f"{path}: is empty")
    if named := re.fullmatch(r'"?sep=(.)"?[,;]*', lines[skip].strip(" ")):
        separators, skip = named[1], skip + 1
    best: tuple[tuple[bool, int], Rows] | None = None
    for separator in separators:
        try:
            rows = _rows(lines[skip:], skip, separator)
        except csv.Error as error:
            raise ValueError(f"{path}: not a table of text: {error}") from None
        if not rows:
            raise ValueError(f"{path}: is empty")
        width = len(rows[0][1])
        fit = width > 2 and all(len(row) == width for _, row in rows)
        if best is None or (fit, width) > best[0]:
            best = (fit, width), rows
    assert best is not None
    (first, header), *rest = best[1]
    if len(header) < 3:
        raise ValueError(
            f"{path}, row {first}: {NEEDED} are needed, with a comma, a semicolon or a "
            "tab between them"
        )
    for number, row in rest:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, row {number}: {len(row)} columns, the header has "
                f"{len(header)}"
            )
    for place, name in enumerate(header):
        before = [other.lower() for other in header[:place]]
        if not name and place:
            raise ValueError(
                f"{path}, row {first}: column {place + 1} has no name: each column "
                "needs its own name"
            )
        if name in header[:place] or (
            name.lower() in BOUNDS and name.lower() in before
        ):
            raise ValueError(
                f"{path}, row {first}: columns {before.index(name.lower()) + 1} and "
                f"{place + 1} are both called {name!r}: each column needs its own name"
            )
    return header, rest


def _rows(lines: list[str], skipped: int, separator: str) -> Rows:
    """The rows that hold something, without the empty columns of the whole table."""
    reader = csv.reader(lines, delimiter=separator)
    rows = [
        (skipped + reader.line_num, [cell.strip() for cell in row]) for row in reader
    ]
    rows = [(number, row) for number, row in rows if any(row)]
    width = max((len(row) for _, row in rows), default=0)
    used = [
        place
        for place in range(width)
        if not place or any(place < len(row) and row[place] for _, row in rows)
    ]
    return [
        (number, [row[place] for place in used if place < len(row)])
        for number, row in rows
    ]


class _Numbers:
    """Reads the cells of one file, all of which have the same decimal mark."""

    def __init__(self, path: str, rows: Rows):
        self._path = path
        self._point: tuple[int, str] | None = None
        self._comma: tuple[int, str] | None = None
        for number, row in rows:
            for cell in row[1:]:
                digits = cell.lstrip("<>=+- ")
                if re.fullmatch(r"[\d.]*\.[\d.]*(e[+-]?\d+)?", digits, re.IGNORECASE):
                    self._point = self._point or (number, cell)
                elif re.fullmatch(r"\d*,\d*(e[+-]?\d+)?", digits, re.IGNORECASE):
                    self._comma = self._comma or (number, cell)

    def number(self, cell: str, where: str) -> int | float:
        """Reads a number: a Python integer where it is whole, else a float."""
        where = where if where.startswith("--") else f"{self._path}, {where}"
        return self._read(cell, where)

    def _read(self, cell: str, where: str) -> int | float:
        if "," in cell and self._comma and self._point:
            raise ValueError(
                f"{where}: {cell!r} has a decimal comma, but {self._point[1]!r} in row "
                f"{self._point[0]} has a decimal point"
            )
        plain = cell.replace(",", ".") if cell.count(",") == 1 else cell
        if "," in cell and "." in cell or "_" in cell:
            plain = "none"  # Separators of thousands are read differently everywhere.
        try:
            value = float(plain)
            if re.fullmatch(r"[+-]?\d+", plain) and abs(value) < 1e300:
                return int(plain)
        except ValueError:
            raise ValueError(f"{where}: {cell!r} is not a number") from None
        if not math.isfinite(value):
            raise ValueError(f"{where}: {cell!r} is not finite")
        return value

    def side(self, cell: str, where: str, tolerance: float) -> tuple[float, float]:
        """Reads the interval that a right-hand side allows."""
        found = re.fullmatch(r"\s*(<=|>=|=<|=>|==|≤|≥|=)?\s*(.*?)\s*", cell, re.DOTALL)
        assert found is not None
        sense, text = found.groups()
        value = self._read(text, where)
        if sense in (">=", "=>", "≥"):
            return value, math.inf
        if sense in ("=", "=="):
            if not tolerance:
                return value, value
            return value - tolerance, value + tolerance
        return -math.inf, value

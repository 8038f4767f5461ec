"""The OR-Library's multidimensional knapsack files: mknap1, mknapcb1 to mknapcb9.

J. E. Beasley, "OR-Library" (1990). All are numbers in free format: the number of
problems; then for each its n, m and optimum (0: unknown), n profits, m rows of n
weights, and m capacities.
"""

import numpy as np

from genetic.problem import Problem, linear


def looks_like(path: str) -> bool:
    """Whether a file starts with nothing but a number, as these do."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip().isdigit()
    except (OSError, UnicodeDecodeError):
        return False


def read(path: str) -> list[Problem]:
    """Every problem of a file.

    Raises:
        OSError: no such file.
        ValueError: a word that is no number (with its row), or too few or many.
    """
    words = []
    with open(path, encoding="utf-8") as file:
        for row, line in enumerate(file, start=1):
            for column, word in enumerate(line.split(), start=1):
                try:
                    words.append(float(word))
                except ValueError:
                    raise ValueError(
                        f"{path}, row {row}, column {column}: {word!r} is not a number"
                    ) from None
    if not np.isfinite(words).all():
        raise ValueError(f"{path}: every number must be finite")
    position = 0

    def take(count: int, what: str) -> np.ndarray:
        nonlocal position
        found = np.array(words[position : position + count])
        if len(found) < count:
            raise ValueError(f"{path}: ends within {what}: {count} numbers expected")
        position += count
        return found

    problems = []
    for number in range(1, _count(take(1, "the number of problems")[0], path) + 1):
        items, rows, optimum = take(3, f"the head of problem {number}")
        items, rows = _count(items, path), _count(rows, path)
        profits = take(items, f"the profits of problem {number}")
        weights = take(items * rows, f"the weights of problem {number}")
        capacities = take(rows, f"the capacities of problem {number}")
        if (capacities < 0).any():
            raise ValueError(f"{path}: problem {number} has a capacity below zero")
        problems.append(linear(profits, weights, capacities, optimum or None))
    if position != len(words):
        raise ValueError(
            f"{path}: {len(words) - position} numbers after the last problem"
        )
    return problems


def _count(value: float, path: str) -> int:
    if value < 1 or value != int(value):
        raise ValueError(f"{path}: {value:g} stands where a count is expected")
    return int(value)

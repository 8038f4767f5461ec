"""Knapsack problems in the formats of the literature, told apart by what is in them.

All are numbers in free format, some with prose around them; n items, m constraints:

- OR-Library, mknap1 and mknapcb (J. E. Beasley, 1990): the number of problems; then for
  each n, m and the best known objective (0: unknown), n profits, m rows of n weights,
  and m capacities.
- OR-Library, mknap2: after a line "problem NAME", m and n, n profits, m capacities,
  m rows of n weights, and the optimum.
- Glover and Kochenberger (gk): one problem as in mknapcb, without the number of them.
- Pisinger: n and the capacity, then a profit and a weight for each item, and perhaps an
  optimal solution; or, as his generator writes it, "n 50", "c 995", "z 8373", then
  lines "number,profit,weight,taken".
"""

import re
from collections.abc import Callable

import numpy as np

from genetic.problem import LinearProblem, linear

MOST_NUMBERS = 50_000_000  # of one problem


def looks_like(text: str) -> bool:
    """Whether a text is in one of these formats rather than a table."""
    words = _first_line(text)
    numeric = bool(words) and all(map(_is_number, words))
    return numeric or bool(_sections(text)) or bool(_generated(text))


def _first_line(text: str) -> list[str]:
    lines = (line.partition("//")[0].split() for line in text.splitlines())
    return next((words for words in lines if words), [])


def parse(text: str, path: str) -> list[LinearProblem]:
    """Reads every problem of a text.

    Args:
        text: What the file holds.
        path: Its name, for messages.

    Raises:
        ValueError: A word is no number (with its row), or there are too few or many.
    """
    if generated := _generated(text):
        return [_pisinger_generator(part, path) for part in generated]
    if sections := _sections(text):
        return [
            _Words(part, path, row, f"problem {name}").last(_Words.literature)[0]
            for name, row, part in sections
        ]
    words = _Words(text, path)
    # The first line tells, and that there must be as many numbers as the first say.
    layouts: list[Callable] = [
        _Words.library,
        _Words.single,
        _Words.pisinger,
        _Words.literature,
    ]
    some = {1: layouts[::2], 2: layouts[2:], 3: layouts[1:2]}
    layouts = some.get(len(_first_line(text)), layouts)
    for layout in layouts:
        try:
            return words.last(layout)
        except ValueError:
            continue
    return words.last(layouts[0])


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _sections(text: str) -> list[tuple[str, int, str]]:
    """The name, the row and the numbers of each "problem NAME" of mknap2."""
    lines = text.splitlines()
    heads = [
        (number, line.split()[1])
        for number, line in enumerate(lines)
        if re.fullmatch(r"\s*problem\s+\S*[A-Za-z]\S*\s*", line, re.IGNORECASE)
    ]
    found = []
    for number, name in heads:
        start = number + 1
        while start < len(lines) and not lines[start].strip(" \t+-*="):
            start += 1
        end = start
        while end < len(lines) and not re.match(r"\s*[+*=]{3}|\s*problem", lines[end]):
            end += 1
        found.append((name, start, "\n".join(lines[start:end])))
    return found


def _generated(text: str) -> list[str]:
    """The parts of a file of Pisinger's generator, one a problem."""
    starts = [
        found.start() for found in re.finditer(r"^\s*n\s+\d+\s*\n\s*c\s", text, re.M)
    ]
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=False)]


def _pisinger_generator(text: str, path: str) -> LinearProblem:
    facts = dict(re.findall(r"^\s*([ncz])\s+(\S+)\s*$", text, re.MULTILINE))
    rows = re.findall(r"^\s*\d+,([^,\n]+),([^,\n]+)(?:,[01])?\s*$", text, re.MULTILINE)
    if len(rows) != int(facts["n"]):
        raise ValueError(f"{path}: {len(rows)} items where {facts['n']} are expected")
    words = _Words(" ".join(w for row in rows for w in row), path)
    items = words.take(2 * len(rows), "the items")
    capacity = _Words(facts["c"], path).take(1, "the capacity")
    best = _Words(facts.get("z", "0"), path).take(1, "the optimum")[0]
    return linear(items[::2], items[1::2][None], capacity, float(best) or None)


class _Words:
    """Numbers in free format, taken one after the other."""

    def __init__(self, text: str, path: str, row: int = 0, where: str = "the problem"):
        self._path, self._where, self._position = path, where, 0
        numbers: list[int | float] = []
        for line in text.splitlines():
            row += 1
            for column, word in enumerate(line.partition("//")[0].split(), start=1):
                try:
                    value = float(word)
                except ValueError:
                    raise ValueError(
                        f"{path}, row {row}, column {column}: {word!r} is not a number"
                    ) from None
                if not abs(value) < 1e300:
                    raise ValueError(
                        f"{path}, row {row}, column {column}: {word!r}: every number "
                        "must be finite"
                    )
                whole = value.is_integer() and word.lstrip("+-").isdigit()
                numbers.append(int(word) if whole else value)
        self._numbers = np.array(numbers, object)

    def take(self, count: int, what: str) -> np.ndarray:
        """Returns the next `count` numbers."""
        found = self._numbers[self._position : self._position + count]
        if len(found) < count:
            raise ValueError(
                f"{self._path}: ends within {what}: {count} numbers expected"
            )
        self._position += count
        return found

    def count(self, what: str) -> int:
        """Returns the next number, which must be a count."""
        (value,) = self.take(1, what)
        if value < 1 or value != int(value):
            raise ValueError(
                f"{self._path}: {value:g} stands where a count is expected"
            )
        return int(value)

    def last(self, layout) -> list[LinearProblem]:
        """Reads the problems of a layout, after which nothing may be left."""
        self._position = 0
        found = layout(self)
        if self._position != len(self._numbers):
            raise ValueError(
                f"{self._path}: {len(self._numbers) - self._position} numbers after "
                f"the last problem"
            )
        return found if isinstance(found, list) else [found]

    def library(self) -> list[LinearProblem]:
        """Reads mknap1 and mknapcb."""
        number = self.count("the number of problems")
        return [self.single(f"problem {index + 1}") for index in range(number)]

    def single(self, name: str = "") -> LinearProblem:
        """Reads one problem of mknapcb, which is also a file of gk."""
        name = name or self._where
        items = self.count(f"the head of {name}")
        rows = self.count(f"the head of {name}")
        best = float(self.take(1, f"the head of {name}")[0])
        profits = self.take(items, f"the profits of {name}")
        weights = self.take(self._size(items, rows), f"the weights of {name}")
        capacities = self.take(rows, f"the capacities of {name}")
        return linear(profits, weights.reshape(rows, items), capacities, best or None)

    def literature(self) -> LinearProblem:
        """Reads one problem of mknap2."""
        name = self._where
        rows, items = (
            self.count(f"the head of {name}"),
            self.count(f"the head of {name}"),
        )
        profits = self.take(items, f"the profits of {name}")
        capacities = self.take(rows, f"the capacities of {name}")
        weights = self.take(self._size(items, rows), f"the weights of {name}")
        best = float(self.take(1, f"the optimum of {name}")[0])
        return linear(profits, weights.reshape(rows, items), capacities, best or None)

    def pisinger(self) -> LinearProblem:
        """Reads one problem of Pisinger's, with or without a solution behind it."""
        items = self.count("the number of items")
        capacity = self.take(1, "the capacity")
        table = self.take(2 * items, "the items")
        best = None
        if len(self._numbers) == self._position + items:
            taken = self.take(items, "the solution")
            if not all(each in (0, 1) for each in taken):
                raise ValueError(f"{self._path}: the solution is not of 0 and 1")
        return linear(table[::2], table[1::2][None], capacity, best)

    def _size(self, items: int, rows: int) -> int:
        if items * rows > MOST_NUMBERS:
            raise ValueError(f"{self._path}: {items} items and {rows} constraints")
        return items * rows

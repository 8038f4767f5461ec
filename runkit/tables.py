"""Tables, for a terminal and for Markdown."""

import re
from collections.abc import Sequence

NUMBER = re.compile(r"[-+÷<>≤≥~]?\s*\d|$")  # An empty cell fits into every column.

Rows = Sequence[Sequence[object]]


def text(head: Sequence[str], rows: Rows) -> str:
    """A table of aligned columns; those whose cells are numbers stand to the right.

    A cell is a number if it begins like one: 12, -0.5, "1,234", "12.3 %", "÷ 4".
    """
    cells = [[str(cell) for cell in row] for row in rows]
    columns = list(zip(*[head, *cells], strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [rows and all(map(NUMBER.match, column[1:])) for column in columns]
    lines = []
    for row in [head, *cells]:
        aligned = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        )
        lines.append("  ".join(aligned).rstrip())
    return "\n".join(lines)


def markdown(head: Sequence[str], rows: Rows) -> str:
    """A Markdown table, which ends with a newline."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)

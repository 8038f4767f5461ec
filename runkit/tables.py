"""Tables, for a terminal and for Markdown."""

from collections.abc import Sequence

Rows = Sequence[Sequence[object]]


def text(head: Sequence[str], rows: Rows) -> str:
    """A table of aligned columns; those that hold numbers alone stand to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [
        bool(rows) and all(isinstance(cell, int | float) for cell in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(head)
    lines = []
    for row in cells:
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

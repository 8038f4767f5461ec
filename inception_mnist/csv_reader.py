"""A table of digits, read by pandas however it was written, or its fault named.

Post, "Data and preprocessing": `pd.read_csv` with `header=None`, the label first. What
else is understood: a header line, the label last, an index column, semicolons, tabs or
blanks between the cells, decimal commas, and pixels from 0 to 1.
"""

import csv
import dataclasses
import gzip
import io
import os
import re
import zlib
from typing import Any, TextIO

import numpy as np

SIDE = 28  # pixels
PIXELS = SIDE * SIDE
ROWS = 4096  # parsed at a time, so that 8 bytes a pixel never stand for the whole

NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)
BYTES = frozenset(map(str, range(256)))
SEPARATORS = ";\t|, "  # a comma may be decimal beside the ones before it
LABEL_NAMES = frozenset(("label", "labels", "class", "target", "digit", "y"))
INDEX_NAMES = frozenset(("", "index", "id", "imageid", "image_id", "unnamed: 0"))
CORNER = 0.9  # of the pictures, at least, have a black pixel in each corner

Arrays = tuple[np.ndarray, np.ndarray | None]


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a table is written, as its first line shows.

    Attributes:
        skipped: Lines before the first row: blank ones, and the header.
        header: Whether there is one.
        separator: Between the cells.
        decimal: "." or ",".
        columns: How many a row must have.
        ignored: The place of an index, or of the nothing behind a last separator.
        label: The place of the label among the other columns; None if there is no
            label, -1 if only the values can tell whether it stands first or last.
    """

    skipped: int
    header: bool
    separator: str
    decimal: str
    columns: int
    ignored: int | None
    label: int | None


def read(path: str, classes: int = 10, labelled: bool = True) -> Arrays:
    """Read a table: a row for each picture, with a label and 784 pixels.

    Args:
        path: The file, plain or gzip, whatever it is called.
        classes: Labels are whole numbers from 0 to `classes` - 1.
        labelled: Whether there must be labels.

    Returns:
        uint8 [N, 28, 28]; and uint8 [N], or None if there are no labels.

    Raises:
        OSError: The file is missing, cannot be read, or is damaged.
        ValueError: It is no such table; the line names the first row and column that
            is wrong.
    """
    if not os.path.isfile(path):
        known = "not a file" if os.path.exists(path) else "no such file"
        raise FileNotFoundError(f"{path}: {known}: name a csv file, plain or gzip")
    with open(path, "rb") as file:
        opener = gzip.open if file.read(2) == b"\x1f\x8b" else open
    but = " (nor is it gzip, as its name says)" if path.endswith(".gz") else ""
    try:
        with opener(path, "rb") as file:
            return _read(
                io.TextIOWrapper(file, "utf-8-sig", newline=""), classes, labelled
            )
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not text: give a csv file, plain or gzip") from None
    except ValueError as error:
        but = but if opener is open else ""
        raise ValueError(f"{path}: {error}{but}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"{path}: damaged gzip ({error}): fetch it again") from None


def _read(text: TextIO, classes: int, labelled: bool) -> Arrays:
    layout = _layout(text, labelled)
    table = _parse(text, layout)
    if table is not None:
        label = _label_place(table, layout, classes)
        labels = None if label is None else table[:, label]
        pixels = table if label is None else np.delete(table, label, axis=1)
        unit = pixels.max() <= 1
        if (labels is None or _are_labels(labels, classes)) and (
            unit or not (pixels % 1).any()
        ):
            images = np.rint(255 * pixels.astype(np.float32)) if unit else pixels
            labels = labels if labels is None else labels.astype(np.uint8)
            return images.astype(np.uint8).reshape(-1, SIDE, SIDE), labels
        layout = dataclasses.replace(layout, label=label)
    text.seek(0)
    raise ValueError(_fault(text, layout, classes))


def _layout(text: TextIO, labelled: bool) -> Layout:
    """Understand the first line that is not blank, and whether it is a header."""
    skipped = 0
    while (line := text.readline()) and not line.strip():
        skipped += 1
    many = (x for x in SEPARATORS if line.count(x) >= PIXELS - 1)
    separator = next(many, ",")
    cells = next(csv.reader([line], delimiter=separator), [])
    names = [cell.strip().lower().replace(",", ".") for cell in cells]
    header, ignored, label = _is_header(names), None, None
    if header:
        line = text.readline()  # which tells about decimals
        label = next((n for n, x in enumerate(names) if x in LABEL_NAMES), None)
        ignored = next((n for n, x in enumerate(names) if x in INDEX_NAMES), None)
    if ignored is None and len(names) == PIXELS + 2 and label != 0:
        ignored = len(names) - 1 if names[-1] == "" else 0
    if label is None and len(names) - (ignored is not None) > PIXELS:
        label = -1
    elif label is not None and ignored is not None and ignored < label:
        label -= 1
    columns = PIXELS + (labelled or label is not None) + (ignored is not None)
    skipped += header
    decimal = "," if separator != "," and "," in line else "."
    text.seek(0)
    for _ in range(skipped):
        text.readline()
    return Layout(skipped, header, separator, decimal, columns, ignored, label)


def _is_header(names: list[str]) -> bool:
    """Whether these are names: one of a label, mostly no numbers, or 0, 1, 2, ..."""
    numbers = [name for name in names if NUMBER.fullmatch(name)]
    if LABEL_NAMES.intersection(names) or 1 < len(names) > 2 * len(numbers):
        return True
    counted = [str(n) for n in range(len(numbers) + 1)]
    return len(names) >= PIXELS and numbers in (counted[:-1], counted[1:])


def _parse(text: TextIO, layout: Layout) -> np.ndarray | None:
    """Return the table without what is ignored, or None if anything in it is wrong.

    It is [N, 784 or 785], uint8, or float32 if there are fractions. pandas finds the
    type of each column itself: told to read uint8, it takes True for 1 and, by version,
    256 for 0.
    """
    import pandas as pd

    parts = []
    blanks = layout.separator == " "
    style: dict[str, Any] = {"sep": layout.separator, "decimal": layout.decimal}
    style |= {"skipinitialspace": blanks, "low_memory": False}
    try:
        for frame in pd.read_csv(text, header=None, chunksize=ROWS, **style):
            if len(frame.columns) != layout.columns:
                return None
            if any(dtype.kind not in "iuf" for dtype in frame.dtypes):
                return None
            values = frame.to_numpy()
            if layout.ignored is not None:
                index = values[:, layout.ignored]
                if (
                    not (layout.header or (np.diff(index) == 1).all())
                    and layout.ignored == 0
                ):
                    return None
                values = np.delete(values, layout.ignored, axis=1)
            if not ((values >= 0) & (values <= 255)).all():  # NaN: an empty cell
                return None
            rows = values.astype(np.uint8)
            parts.append(rows if (rows == values).all() else values.astype(np.float32))
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError):  # pandas's own errors are ValueErrors
        return None
    return np.concatenate(parts)


def _are_labels(column: np.ndarray, classes: int) -> bool:
    return bool(((column < classes) & (column % 1 == 0)).all())


def _label_place(table: np.ndarray, layout: Layout, classes: int) -> int | None:
    """Return the place of the label in a table, [N, 785]; None if there is none.

    Where no header names it, the values prove it: the column at the other end is a
    corner of the pictures, which is nearly always black.

    Raises:
        ValueError: Both ends could be labels.
    """
    if layout.label != -1:
        return layout.label
    first, last = table[:, 0], table[:, -1]
    if _is_corner(last):
        return 0
    if _is_corner(first):
        return PIXELS
    fitting = [_are_labels(column, classes) for column in (first, last)]
    if all(fitting):
        raise ValueError(
            "the label may be the first or the last column: add a header line with "
            "'label'"
        )
    return PIXELS if fitting[1] else 0


def _is_corner(column: np.ndarray) -> bool:
    """Whether nearly all values are 0."""
    return bool(np.mean(column == 0) >= CORNER)


def _fault(text: TextIO, layout: Layout, classes: int) -> str:
    """Describe the first fault of a table that has one."""
    for _ in range(layout.skipped):
        text.readline()
    reader = csv.reader(
        text, delimiter=layout.separator, skipinitialspace=layout.separator == " "
    )
    row, unit = layout.skipped + 1, None
    try:
        for cells in reader:
            if len(cells) > 1 or "".join(cells).strip():
                values = [cell.replace(layout.decimal, ".") for cell in cells]
                if unit is None:  # whether pixels are from 0 to 1
                    unit = any(map(_is_fraction, values))
                if fault := _fault_of_row(values, layout, classes, unit):
                    return f"row {row}{fault}"
            row = layout.skipped + reader.line_num + 1
    except csv.Error as error:
        return f"row {row}: {error}"
    if unit is None:
        return "no digits below its header" if layout.header else "empty"
    if layout.ignored == 0 and not layout.header:
        return f"row 1 has {layout.columns} columns, not {layout.columns - 1}"
    return "no table of whole numbers"


def _fault_of_row(
    cells: list[str], layout: Layout, classes: int, unit: bool
) -> str | None:
    if len(cells) != layout.columns:
        pixels = layout.columns - (layout.ignored is not None)
        also = "a label and " if pixels > PIXELS else ""
        return (
            f" has {len(cells)} columns, not {layout.columns}: {also}{SIDE} x {SIDE} "
            "pixels, with commas, semicolons or tabs between"
        )
    places = [n for n in range(len(cells)) if n != layout.ignored]
    if layout.label is not None:
        label = places.pop(max(layout.label, 0))
        if not _is_whole(cells[label], classes):
            hint = "; see --classes" if _is_whole(cells[label], 256) else ""
            return (
                f", column {label + 1}: label {cells[label][:20]!r}, not a whole "
                f"number from 0 to {classes - 1}{hint}"
            )
    if not unit and BYTES.issuperset(cells[place] for place in places):
        return None
    for place in places:
        cell = cells[place]
        if not (_is_unit(cell) if unit else _is_whole(cell, 256)):
            wanted = "number from 0 to 1" if unit else "whole number from 0 to 255"
            return f", column {place + 1}: pixel {cell[:20]!r}, not a {wanted}"
    return None


def _is_whole(cell: str, end: int) -> bool:
    return NUMBER.fullmatch(cell) is not None and float(cell) in range(end)


def _is_unit(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None and 0 <= float(cell) <= 1


def _is_fraction(cell: str) -> bool:
    return _is_unit(cell) and float(cell) % 1 > 0

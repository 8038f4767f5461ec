"""The post's table of digits, read by pandas, with every fault of it named.

Post, "Data and preprocessing": `pd.read_csv` with `header=None`.
"""

import csv
import gzip
import io
import os
import re
import zlib
from typing import TextIO

import numpy as np

SIDE = 28  # pixels
COLUMNS = 1 + SIDE * SIDE  # the label, then the pixels
ROWS = 4096  # parsed at a time, so that 8 bytes a pixel never stand for the whole

NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)
LABELS, PIXELS = frozenset(range(10)), frozenset(range(256))
PLAIN_LABELS, PLAIN_PIXELS = (frozenset(map(str, x)) for x in (LABELS, PIXELS))


def read(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the post's table: a row a digit, its label first, then 784 pixels.

    Plain or gzip, whatever it is called; a header line, as Kaggle's, is passed over.

    Returns:
        uint8 [N, 28, 28] and uint8 [N].

    Raises:
        OSError: it is missing, cannot be read, or is damaged.
        ValueError: it is no such table; names the first row and column that is wrong.
    """
    if not os.path.isfile(path):
        known = "not a file" if os.path.exists(path) else "no such file"
        raise FileNotFoundError(f"{path}: {known}: name a csv file, plain or gzip")
    with open(path, "rb") as file:
        opener = gzip.open if file.read(2) == b"\x1f\x8b" else open
    but = " (nor is it gzip, as its name says)" if path.endswith(".gz") else ""
    try:
        with opener(path, "rb") as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            rows = _parse(text)
            if rows is None:
                text.seek(0)
                _find_fault(text)
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not text: give a csv file, plain or gzip") from None
    except ValueError as error:
        but = but if opener is open else ""
        raise ValueError(f"{path}: {error}{but}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"{path}: damaged gzip ({error}): fetch it again") from None
    return rows[:, 1:].reshape(-1, SIDE, SIDE), rows[:, 0].copy()


def _skip_header(text: TextIO) -> int:
    """Passes over blank lines and a header; returns how many lines those were.

    A header's first cell is no number, and its others are not all pixels: a digit with
    a damaged label is no header.
    """
    lines = 0
    while line := text.readline():
        lines += 1
        if line.strip():
            break
    first, *others = next(csv.reader([line]), None) or [""]
    if NUMBER.fullmatch(first) or all(map(_is_pixel, others)):
        text.seek(0)
        return 0
    return lines


def _parse(text: TextIO) -> np.ndarray | None:
    """The table, uint8 [N, 785]; None where anything in it is wrong.

    pandas finds the type of each column itself: told to read uint8, it takes True for 1
    and, by version, 256 for 0.
    """
    import pandas as pd

    _skip_header(text)
    parts = []
    try:
        for frame in pd.read_csv(text, header=None, chunksize=ROWS, low_memory=False):
            if len(frame.columns) != COLUMNS:
                return None
            if any(dtype.kind not in "iuf" for dtype in frame.dtypes):
                return None
            values = frame.to_numpy()
            with np.errstate(invalid="ignore"):  # NaN: an empty cell
                rows = values.astype(np.uint8)
            if (rows != values).any() or rows[:, 0].max() > 9:
                return None
            parts.append(rows)
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError):  # pandas's own errors are ValueErrors
        return None
    return np.concatenate(parts)


def _find_fault(text: TextIO) -> None:
    """Raises a `ValueError` that names the first fault of a table that has one."""
    passed = _skip_header(text)
    reader = csv.reader(text)
    row, found = passed + 1, False
    try:
        for cells in reader:
            if len(cells) > 1 or "".join(cells).strip():
                _check(row, cells)
                found = True
            row = passed + reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"row {row}: {error}") from None
    if found:
        raise ValueError("no table of whole numbers")
    raise ValueError("no digits below its header" if passed else "empty")


def _check(row: int, cells: list[str]) -> None:
    if len(cells) != COLUMNS:
        raise ValueError(
            f"row {row} has {len(cells)} columns, not {COLUMNS}: a label and "
            f"{SIDE} x {SIDE} pixels, with commas between"
        )
    if cells[0] in PLAIN_LABELS and PLAIN_PIXELS.issuperset(cells):
        return
    if not _is_pixel(cells[0], LABELS):
        raise ValueError(
            f"row {row}, column 1: label {cells[0][:20]!r}, not a whole number "
            "from 0 to 9"
        )
    for column, cell in enumerate(cells, 1):
        if not _is_pixel(cell):
            raise ValueError(
                f"row {row}, column {column}: pixel {cell[:20]!r}, not a whole number "
                "from 0 to 255"
            )


def _is_pixel(cell: str, values: frozenset[int] = PIXELS) -> bool:
    return NUMBER.fullmatch(cell) is not None and float(cell) in values

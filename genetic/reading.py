"""A linear problem from a file, whatever its format."""

import dataclasses
import os

from genetic import orlib, spreadsheet
from genetic.problem import LinearProblem


def read(
    path: str,
    number: int = 1,
    capacities: dict[str, str] | None = None,
    maximize: bool = True,
    tolerance: float = 0.0,
) -> LinearProblem:
    """Reads a table of a spreadsheet, or a file of the knapsack literature.

    See `spreadsheet` and `orlib` for the formats, which are recognised by content.

    Args:
        path: The file.
        number: Which problem of a file of several, from 1.
        capacities: Right-hand sides by resource, which replace those of a table.
        maximize: Whether more of the objective is better.
        tolerance: By how much an equality of a table may be missed.

    Raises:
        OSError: There is no such file, or it holds no text.
        ValueError: Something is wrong in it; the message names the row and the column.
    """
    text = read_text(path)
    if not text.strip():
        raise ValueError(f"{path}: is empty")
    if orlib.looks_like(text):
        problems = orlib.parse(text, path)
        if not 1 <= number <= len(problems):
            raise ValueError(f"--number={number}: {path} has {len(problems)}")
        if capacities:
            raise ValueError(f"--capacity: the resources of {path} have no names")
        found = problems[number - 1]
        if not maximize:  # The file's optimum is of the maximum.
            return dataclasses.replace(found, maximize=False, optimum=None)
        return found
    if number != 1:
        raise ValueError(f"--number={number}: {path} has 1")
    return spreadsheet.parse(text, path, capacities, maximize, tolerance)


def read_text(path: str) -> str:
    """Reads a text of UTF-8, of UTF-16 with its mark, or of a Western spreadsheet.

    Raises:
        OSError: There is no such file, or it holds no text.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path}: is a directory: name a file")
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(ord(each) < 32 and each not in "\t\n\r\f" for each in text):
            return text
    raise OSError(f"{path}: not a CSV text file, nor one of knapsack problems")

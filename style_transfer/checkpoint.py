"""Keeps a run's whole state in one file, so that a killed run goes on exactly."""

import dataclasses
import hashlib
import zipfile
from collections.abc import Sequence

import numpy as np

from style_transfer import images
from style_transfer.config import Config
from style_transfer.optimize import State

Rows = list[dict[str, float]]  # the losses of each step


def fingerprint(config: Config, arrays: Sequence[np.ndarray]) -> str:
    """What must not differ between a run and its continuation, as a hash.

    Args:
        config: the settings.
        arrays: pictures, start and filters.
    """
    digest = hashlib.sha256(repr(dataclasses.astuple(config)).encode())
    for array in arrays:
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def save(path: str, state: State, rows: Rows, mark: str) -> None:
    """Write a checkpoint whole.

    Args:
        path: of the file.
        state: `transfer.Progress.state`.
        rows: the losses so far, at least one.
        mark: `fingerprint` of the run.
    """
    names = list(rows[0])
    table = np.array([[row[name] for name in names] for row in rows])
    images.write_whole(
        path,
        lambda file: np.savez(
            file, mark=mark, rows=table, row_names=np.array(names), **state
        ),
    )


def load(path: str, mark: str) -> tuple[State, Rows]:
    """State and losses of the run that `mark` names.

    Raises:
        OSError: no such file, or damaged.
        ValueError: it belongs to a run with other settings or pictures.
    """
    try:
        with np.load(path) as file:
            state = {name: file[name] for name in file.files}
        found, table = str(state.pop("mark")), state.pop("rows")
        names = [str(name) for name in state.pop("row_names")]
    except FileNotFoundError:
        raise FileNotFoundError(f"--resume: no checkpoint {path}") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise OSError(f"--resume: checkpoint {path} cannot be read: {error}") from error
    if found != mark:
        raise ValueError(
            f"--resume: {path} is of a run with other settings, pictures or filters"
        )
    rows = [dict(zip(names, map(float, row), strict=True)) for row in table]
    for row in rows:
        row["step"] = int(row["step"])
    return state, rows

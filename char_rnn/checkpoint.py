"""Files of a run: checkpoints that a killed run goes on from, models to sample from.

Neither needs TensorFlow to be read, so sampling starts at once.
"""

import dataclasses
import json
import os
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from char_rnn.config import Config

CHECKPOINT = "checkpoint.npz"
PREVIOUS = "checkpoint_previous.npz"
MODEL = "model.npz"
ANEW = "repeat its flags, or start anew with --noresume or another --out_dir"

Arrays = dict[str, np.ndarray]


def write_whole(path: str, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all: beside its name first, then moved onto it."""
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def save(
    folder: str, config: Config, corpus: str, arrays: Arrays, records: dict[str, Any]
) -> None:
    """Write the checkpoint; the one before stays as `PREVIOUS`.

    Args:
        folder: where; exists.
        config: the run's settings.
        corpus: a hash of the text, so that a run goes on with the one it began with.
        arrays: the state of the trainer.
        records: what else is to come back, as JSON has it.
    """
    header = {"config": dataclasses.asdict(config), "corpus": corpus}
    path = os.path.join(folder, CHECKPOINT)
    if os.path.exists(path):
        os.replace(path, os.path.join(folder, PREVIOUS))
    _write(path, header | {"records": records}, arrays)


def load(folder: str, config: Config, corpus: str) -> tuple[Arrays, dict, str]:
    """The newest whole checkpoint of the run that these settings and this text name.

    Returns:
        The arrays, the records, and a warning where a damaged checkpoint was passed
        over; {}, {} and "" where there is none.

    Raises:
        OSError: there are checkpoints, and all are damaged.
        ValueError: it is of another text or other settings.
    """
    damage = ""
    for name in (CHECKPOINT, PREVIOUS):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        try:
            header, arrays = _read(path)
        except OSError as error:
            damage = damage or str(error)
            continue
        _check(path, header, config, corpus)
        note = f"{damage}: going on from {path}" if damage else ""
        return arrays, header["records"], note
    if damage:
        raise OSError(f"{damage}: start anew with --noresume or another --out_dir")
    return {}, {}, ""


def save_model(folder: str, config: Config, alphabet: str, weights: Arrays) -> None:
    """Write what sampling needs: settings, alphabet, and the weights by name."""
    header = {"config": dataclasses.asdict(config), "alphabet": alphabet}
    _write(os.path.join(folder, MODEL), header, weights)


def load_model(folder: str) -> tuple[Config, str, Arrays]:
    """Settings, alphabet, and the weights by letter.

    Args:
        folder: what `save_model` wrote into, or the file itself.

    Raises:
        OSError: no such file, or a damaged one.
    """
    path = os.path.join(folder, MODEL) if os.path.isdir(folder) else folder
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"{path}: no such file: train first, or name its folder"
        )
    header, arrays = _read(path)
    if "alphabet" not in header:
        raise OSError(f"{path}: not a model: name {MODEL} or its folder")
    return Config(**header["config"]), header["alphabet"], arrays


def _check(path: str, header: dict[str, Any], config: Config, corpus: str) -> None:
    # Nothing in the course of a run depends on these two.
    free = {"plain"} | ({"steps"} if config.schedule == "staircase" else set())
    ours = dataclasses.asdict(config)
    for name, value in header["config"].items():
        if name not in free and ours[name] != value:
            raise ValueError(
                f"{path}: trained with --{name}={value}, not {ours[name]}: {ANEW}"
            )
    if header["corpus"] != corpus:
        raise ValueError(f"{path}: trained on another text: {ANEW}")


def _write(path: str, header: dict[str, Any], arrays: Arrays) -> None:
    text = np.array(json.dumps(header))
    write_whole(path, lambda file: np.savez(file, header=text, **arrays))


def _read(path: str) -> tuple[dict[str, Any], Arrays]:
    try:
        with np.load(path) as file:
            arrays = dict(file)
        return json.loads(str(arrays.pop("header"))), arrays
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError, OSError) as error:
        raise OSError(f"{path}: damaged ({error})") from error

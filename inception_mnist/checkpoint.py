"""Files of a run: checkpoints that a killed run goes on from, weights to predict with.

The post's `saver`; its `use_previous` is `--resume`.
"""

import dataclasses
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from inception_mnist.config import Config

CHECKPOINT = "checkpoint.npz"
PREVIOUS = "checkpoint_previous.npz"
BEST, LAST = "best.npz", "last.npz"
ANEW = "repeat its flags, or start anew with --noresume or another --out_dir"

Arrays = Mapping[str, np.ndarray]


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
    folder: str, config: Config, data: str, arrays: Arrays, records: dict[str, Any]
) -> None:
    """Write the checkpoint; the one before stays as `PREVIOUS`.

    Args:
        folder: where; exists.
        config: the run's settings.
        data: a hash of the images, so that a run goes on with those it began with.
        arrays: the state of the trainer.
        records: what else is to come back, as JSON has it.
    """
    header = {"config": dataclasses.asdict(config), "data": data, "records": records}
    path = os.path.join(folder, CHECKPOINT)
    if os.path.exists(path):
        os.replace(path, os.path.join(folder, PREVIOUS))
    _write(path, header, arrays)


def load(folder: str, config: Config, data: str) -> tuple[Arrays, dict, str]:
    """The newest whole checkpoint of the run that these settings and images name.

    Returns:
        The arrays, each read when it is asked for; the records; and a warning where a
        damaged checkpoint was passed over. {}, {} and "" where there is none.

    Raises:
        ValueError: it is another run's.
        OSError: all that there are cannot be read.
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
        _check(path, header, config, data)
        note = f"{damage}: going on from {path}" if damage else ""
        return arrays, header["records"], note
    if damage:
        raise OSError(f"{damage}: start anew with --noresume or another --out_dir")
    return {}, {}, ""


def save_weights(path: str, config: Config, weights: Sequence[np.ndarray]) -> None:
    """Write a trained network: its settings, and the Keras model's weights, float32."""
    arrays = {f"weight_{number}": array for number, array in enumerate(weights)}
    _write(path, {"config": dataclasses.asdict(config)}, arrays)


def load_weights(path: str) -> tuple[Config, Iterator[np.ndarray]]:
    """What `save_weights` wrote: the file, or the last network of a run's folder.

    The weights are read one by one, when they are asked for.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    path = os.path.join(path, LAST) if os.path.isdir(path) else path
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"{path}: no such file: train first, or name its folder"
        )
    header, arrays = _read(path)
    if "weight_0" not in arrays:
        raise OSError(f"{path}: not a trained network: name {BEST} or {LAST}")
    weights = (arrays[f"weight_{number}"] for number in range(len(arrays) - 1))
    return Config(**header["config"]), weights


def _check(path: str, header: dict[str, Any], config: Config, data: str) -> None:
    # Nothing in the course of a run depends on these.
    free = {"test_batch_size", "views"}
    free |= {"steps"} if config.schedule == "constant" else set()
    ours = dataclasses.asdict(config)
    for name, value in header["config"].items():
        if name not in free and ours[name] != value:
            raise ValueError(
                f"{path}: trained with --{name}={value}, not {ours[name]}: {ANEW}"
            )
    if header["data"] != data:
        raise ValueError(f"{path}: trained on other images: {ANEW}")


def _write(path: str, header: dict[str, Any], arrays: Arrays) -> None:
    text = np.array(json.dumps(header))
    write_whole(path, lambda file: np.savez(file, header=text, **arrays))


def _read(path: str) -> tuple[dict[str, Any], Arrays]:
    try:
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"checksum of {damaged}")
        arrays = np.load(path)
        return json.loads(str(arrays["header"])), arrays
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError, OSError) as error:
        raise OSError(f"{path}: damaged ({error})") from error

"""The files of a run: its checkpoint, and the model to write texts with.

Neither needs TensorFlow to be read, so that sampling starts at once.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from char_rnn.config import Config
from runkit import checkpoint

FORMAT = checkpoint.Format("char_rnn", 2)
MODEL = "model.npz"
LETTERS = "UWbVc"  # the weights, see `model`

Arrays = Mapping[str, np.ndarray]


def save(
    folder: str, config: Config, corpus: str, arrays: Arrays, records: dict[str, Any]
) -> None:
    """Writes the checkpoint of a run into its folder.

    Args:
        folder: The folder, which exists.
        config: The run's settings.
        corpus: A hash of the text, so that a run goes on with the one it began with.
        arrays: The state of the trainer.
        records: What else has to come back, as JSON has it.
    """
    header = {"config": dataclasses.asdict(config), "corpus": corpus}
    checkpoint.save(folder, FORMAT, header | {"records": records}, arrays)


def load(folder: str, config: Config, corpus: str) -> tuple[Arrays, dict, str]:
    """Reads the newest whole checkpoint of the run that settings and text name.

    Returns:
        The arrays, the records, and a warning where a damaged checkpoint was passed
        over or the rate changes; {}, {} and "" where there is none.

    Raises:
        OSError: There are checkpoints, and all are damaged.
        ValueError: It belongs to another text, to other settings, or to a program with
            another format.
    """
    path, header, arrays, note = checkpoint.load(folder, FORMAT)
    if header is None:
        return {}, {}, ""
    if not {"config", "corpus", "records"} <= header.keys():
        raise ValueError(f"{path}: not a checkpoint of a run: {checkpoint.ANEW}")
    # Nothing in the course of a run depends on `plain`, nor on `steps` but the cosine.
    checkpoint.compare(path, header["config"], config, free=("plain", "steps"))
    if header["corpus"] != corpus:
        raise ValueError(
            f"{path}: trained on another text: repeat its flags, or {checkpoint.ANEW}"
        )
    before = header["config"]["steps"]
    if config.schedule == "cosine" and before != config.steps:
        note = note or (
            f"--steps={config.steps} instead of {before}: the rate now follows a "
            f"cosine of {config.steps} steps"
        )
    return arrays, header["records"], note


def save_model(folder: str, config: Config, alphabet: str, weights: Arrays) -> None:
    """Writes what sampling needs: settings, alphabet, and the weights by letter."""
    header = {"config": dataclasses.asdict(config), "alphabet": alphabet}
    checkpoint.write(os.path.join(folder, MODEL), FORMAT, header, weights)


def load_model(folder: str) -> tuple[Config, str, dict[str, np.ndarray]]:
    """Reads settings, alphabet, and the weights by letter.

    Args:
        folder: What `save_model` wrote into, or the file itself.

    Raises:
        OSError: There is no such file, or it is damaged.
        ValueError: It is no model, belongs to another program, or its weights are not
            finite.
    """
    path = os.path.join(folder, MODEL) if os.path.isdir(folder) else folder
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"{path}: no such file: train first, or name its folder"
        )
    header, arrays = checkpoint.read(path, FORMAT)
    try:
        weights = {letter: arrays[letter] for letter in LETTERS}
        config, alphabet = Config(**header["config"]), str(header["alphabet"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a model: name {MODEL} or its folder") from error
    if not all(np.isfinite(weight).all() for weight in weights.values()):
        raise ValueError(
            f"{path}: its weights are not finite: train with a lower --learning_rate"
        )
    return config, alphabet, weights

"""Files of a run: checkpoints that a killed run goes on from, weights to predict with.

The post's `saver`; its `use_previous` is `--resume`.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from inception_mnist.config import Config
from runkit import checkpoint

FORMAT = checkpoint.Format("inception_mnist", 2)
BEST, LAST = "best.npz", "last.npz"
# What makes one network fit the weights of another.
NETWORK = "head module map1 map2 reduce1x1 hidden classes normalization pool pixels"

Arrays = Mapping[str, np.ndarray]


def save(
    folder: str, config: Config, data: str, arrays: Arrays, records: dict[str, Any]
) -> None:
    """Write the checkpoint; the one before stays as well.

    Args:
        folder: It exists.
        config: The run's settings.
        data: A hash of the images, so that a run goes on with those it began with.
        arrays: The state of the trainer.
        records: What else is to come back, as JSON has it.
    """
    header = {"config": dataclasses.asdict(config), "data": data, "records": records}
    checkpoint.save(folder, FORMAT, header, arrays)


def load(folder: str, config: Config, data: str) -> tuple[Arrays, dict, str]:
    """Read the newest whole checkpoint of the run that these settings and images name.

    Returns:
        The arrays, each read when it is asked for; the records; and a warning where a
        damaged checkpoint was passed over. {}, {} and "" where there is none.

    Raises:
        ValueError: It is another run's, or has another format.
        OSError: All that there are cannot be read.
    """
    path, header, arrays, note = checkpoint.load(folder, FORMAT)
    if header is None:
        return {}, {}, ""
    # Nothing in the course of a run depends on these; on the steps, one_cycle does.
    free = {"test_batch_size", "views", "class_names", "steps"}
    checkpoint.compare(path, header["config"], config, free)
    steps = header["config"].get("steps")
    if config.schedule != "constant" and steps != config.steps:
        raise ValueError(
            f"{path}: its --schedule={config.schedule} is made for --steps={steps}, "
            f"not {config.steps}: repeat it, or begin a new cycle in another --out_dir "
            f"with --init_from={folder}"
        )
    if header["data"] != data:
        raise ValueError(
            f"{path}: trained on other images: name the same, or {checkpoint.ANEW}"
        )
    return arrays, header["records"], note


def save_weights(path: str, config: Config, weights: Sequence[np.ndarray]) -> None:
    """Write a trained network: its settings, and the Keras model's weights, float32."""
    arrays = {f"weight_{number}": array for number, array in enumerate(weights)}
    checkpoint.write(path, FORMAT, {"config": dataclasses.asdict(config)}, arrays)


def load_weights(path: str) -> tuple[Config, Iterator[np.ndarray]]:
    """Read what `save_weights` wrote: a file, or the last network of a run's folder.

    Of a run that has not ended, or that diverged, that is the best network so far.

    Returns:
        The settings; and the weights, each of which is read when it is asked for. One
        that is not finite raises a `ValueError` then.

    Raises:
        OSError: There is none, or it cannot be read.
        ValueError: It is another program's, or no trained network.
    """
    if os.path.isdir(path):
        paths = (os.path.join(path, name) for name in (LAST, BEST))
        path = next(filter(os.path.exists, paths), os.path.join(path, LAST))
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"{path}: no such file: train first, or name its folder"
        )
    header, arrays = checkpoint.read(path, FORMAT)
    if "weight_0" not in arrays:
        raise ValueError(f"{path}: not a trained network: name {BEST} or {LAST}")
    try:
        names = tuple(header["config"]["class_names"])
        config = Config(**header["config"] | {"class_names": names})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: another version wrote it ({error})") from None
    return config, _finite(path, arrays)


def _finite(path: str, arrays: Arrays) -> Iterator[np.ndarray]:
    for number in range(len(arrays)):
        array = arrays[f"weight_{number}"]
        if not np.isfinite(np.sum(array, dtype=np.float64)):
            raise ValueError(f"{path}: its weights are not finite: the run diverged")
        yield array


def load_initial(path: str, config: Config) -> Iterator[np.ndarray]:
    """Read the weights with which a new run is to begin.

    Raises:
        OSError: There are none, or they cannot be read.
        ValueError: They do not fit the network of these settings.
    """
    theirs, weights = load_weights(path)
    for name in NETWORK.split():
        value, ours = getattr(theirs, name), getattr(config, name)
        if value != ours:
            raise ValueError(
                f"--init_from={path}: trained with --{name}={value}, not {ours}"
            )
    return weights

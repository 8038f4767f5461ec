"""Results as they are kept: a JSON file each, without this machine's paths.

A kept file has the experiment's `result.json` as it is, except for the folders of
paths, and beside it the command, what it ran on, and its length.
"""

import os
import pathlib
import platform
from collections.abc import Callable
from typing import Any

from reproduce import runner
from reproduce.config import HERE, LENGTHS, Config
from reproduce.post import Experiment, Kept
from reproduce.posts import CURVES, EXPERIMENTS

EMBEDDED = {
    "char_rnn": "embedded text",
    "style_transfer": "embedded pictures",
    "genetic": "embedded problem",
    "gpu_setup": "a saved machine like the post's",
}


def bare(value: Any) -> Any:
    """Cuts absolute paths to their last part, and this project's to relative ones.

    Args:
        value: A value of JSON; flags such as `--corpus=/data/text8.zip` count as paths.
    """
    if isinstance(value, dict):
        return {key: bare(each) for key, each in value.items()}
    if isinstance(value, list):
        return [bare(each) for each in value]
    if not isinstance(value, str):
        return value
    flag, equals, path = value.rpartition("=") if value[:2] == "--" else ("", "", value)
    path = path.replace(f"{HERE.parent}{os.sep}", "")
    return flag + equals + (os.path.basename(path) if os.path.isabs(path) else path)


def data_of(experiment: Experiment, config: Config, result: dict[str, Any]) -> str:
    """Words what an experiment ran on."""
    if experiment.pictures and config.pictures:
        return experiment.pictures.replace(" ", ", ")
    if corpus := result.get("corpus"):
        return (
            EMBEDDED["char_rnn"] if corpus == "embedded" else os.path.basename(corpus)
        )
    if dataset := result.get("dataset"):
        is_mnist = result.get("is_mnist", "mnist" in dataset)  # by its digest
        return dataset if is_mnist else f"{dataset}, not MNIST"
    return EMBEDDED.get(experiment.package, "")


def collect(
    experiment: Experiment, config: Config, folder: pathlib.Path
) -> dict[str, Any] | None:
    """Returns what is kept of an experiment's folder; None where it is not done."""
    if not runner.is_done(experiment, config, folder):
        return None
    result = bare(runner.read(folder / runner.RESULT))
    record = runner.read(folder / runner.RECORD)
    shown = [part for part in bare(record["command"]) if part[:10] != "--out_dir="]
    kept = {
        "name": experiment.name,
        "length": config.length,
        "command": " ".join(["python", *shown]),
        "data": data_of(experiment, config, result),
        "wall_seconds": record["wall_seconds"],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "result": result,
    }
    if (curve := CURVES.get(experiment.name)) and (folder / "log.csv").exists():
        kept["curve"] = curve.ours(folder / "log.csv")
    return kept


def draw(known: Kept, path: Callable[[str], pathlib.Path]) -> None:
    """Draws the author's curve beside each of ours that is kept.

    Args:
        known: Results by name.
        path: From the name to the PNG.
    """
    for name, curve in CURVES.items():
        if points := known.get(name, {}).get("curve"):
            curve.draw(path(name), points, f"ours, on {known[name]['data']}")


def keep(kept: dict[str, Any], folder: pathlib.Path) -> None:
    """Writes one kept result to <folder>/<length>/<name>.json."""
    path = folder / kept["length"] / f"{kept['name']}.json"
    runner.write_json(path, kept)


def load(folder: pathlib.Path) -> Kept:
    """Reads all kept results by name, the full one of two lengths."""
    known = {}
    for length in LENGTHS:
        for experiment in EXPERIMENTS:
            if kept := runner.read(folder / length / f"{experiment.name}.json"):
                # Older files have the figures of a result one level deeper.
                kept["result"] |= kept["result"].pop("metrics", {})
                known[experiment.name] = kept
    return known

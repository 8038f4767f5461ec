"""What a run leaves behind: tables, pictures, samples and result.json."""

import csv
import dataclasses
import importlib.metadata
import io
import json
import platform
from collections.abc import Sequence
from typing import Any

from char_rnn.checkpoint import write_whole
from char_rnn.config import Config

NGRAMS = {1: "letter counts", 2: "bigram", 3: "trigram"}
Rows = Sequence[dict[str, float]]


def write_text(path: str, text: str) -> None:
    """A text file, whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_rows(path: str, rows: Rows) -> None:
    """A line of CSV a row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_result(path: str, config: Config, metrics: dict[str, Any]) -> None:
    """Settings, versions and figures of one run as JSON."""
    packages = ("tensorflow", "keras", "numpy")
    versions = {name: importlib.metadata.version(name) for name in packages}
    versions["python"] = platform.python_version()
    result = metrics | {"config": dataclasses.asdict(config), "versions": versions}
    write_text(path, json.dumps(result, indent=2) + "\n")


def save_figure(path: str, figure, dpi: int = 100) -> None:
    """A figure of matplotlib as a PNG, whole or not at all."""
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=dpi))


def plot_learning(path: str, rows: Rows, baselines: Sequence[float]) -> None:
    """Bits per character over the steps, beside what counting reaches.

    Args:
        path: of the PNG.
        rows: with "step", "train_bpc" and "valid_bpc".
        baselines: bits per character of the n-grams of orders 1, 2, ....
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    steps = [row["step"] for row in rows]
    for order, value in enumerate(baselines, start=1):
        name = NGRAMS.get(order, f"{order}-gram")
        axes.axhline(value, color="#999999", linewidth=0.8, linestyle="--")
        axes.annotate(
            f"{name} {value:.2f}",
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color="#555555",
        )
    train, valid = ([row[name] for row in rows] for name in ("train_bpc", "valid_bpc"))
    axes.plot(
        steps, train, color="#e0a030", label="training, mean since the last point"
    )
    axes.plot(steps, valid, color="#1f4e79", label="validation")
    axes.set(xlabel="step", ylabel="bits per character", xscale="log")
    axes.legend(frameon=False)
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))


def plot_gradients(
    path: str, panels: dict[tuple[str, str], dict[str, Sequence[float]]]
) -> None:
    """Gradient norms against how many steps they came back, a panel each.

    Args:
        path: of the PNG.
        panels: the curves by label, by activation and state of training.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    columns = list(dict.fromkeys(column for column, _ in panels))
    rows = list(dict.fromkeys(row for _, row in panels))
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    grid = figure.subplots(len(rows), len(columns), sharex=True, sharey="row")
    for (column, row), curves in panels.items():
        axes = grid[rows.index(row)][columns.index(column)]
        colors = colormaps["viridis"]([i / len(curves) for i in range(len(curves))])
        for color, (label, norms) in zip(colors, curves.items(), strict=True):
            axes.plot(range(1, len(norms) + 1), norms, color=color, label=label)
        axes.set(yscale="log", title=f"{column}, {row}")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("lag: steps back from the loss")
    for line in grid:
        line[0].set_ylabel("mean norm of the gradient")
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=110))

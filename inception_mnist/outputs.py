"""What a run leaves behind: tables, pictures and result.json."""

import csv
import dataclasses
import importlib.metadata
import io
import json
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np

from inception_mnist.checkpoint import write_whole
from inception_mnist.config import Config

BRANCHES = ("1x1", "3x3", "5x5", "pool")
MAPS = 16  # of each branch in the picture
Rows = Sequence[dict[str, Any]]


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


def write_result(path: str, config: Config | dict, metrics: dict[str, Any]) -> None:
    """Settings, versions and figures of one run as JSON."""
    packages = ("tensorflow", "keras", "numpy")
    versions = {name: importlib.metadata.version(name) for name in packages}
    versions["python"] = platform.python_version()
    if dataclasses.is_dataclass(config):
        config = dataclasses.asdict(config)
    result = metrics | {"config": config, "versions": versions}
    write_text(path, json.dumps(result, indent=2) + "\n")


def peak_memory_gib() -> float | None:
    """The most that this process has held so far; None where Linux does not tell."""
    try:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
    except OSError:
        return None
    return round(int(lines["VmHWM"].split()[0]) / 2**20, 2)


def _save(figure, path: str) -> None:
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))


def _figure(width: float, height: float):
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plot_learning(path: str, rows: Rows) -> None:
    """Cross-entropy and error over the steps, of training and validation.

    Args:
        path: of the PNG.
        rows: with "step", and "train_" and "valid_" before "loss" and "accuracy".
    """
    from matplotlib.ticker import NullLocator

    figure = _figure(9, 4)
    steps = [row["step"] for row in rows]
    loss, mistakes = figure.subplots(1, 2)
    for part, color, label in (
        ("train", "#e0a030", "training, mean since the last point"),
        ("valid", "#1f4e79", "validation"),
    ):
        losses = [row[f"{part}_loss"] for row in rows]
        errors = [100 * (1 - row[f"{part}_accuracy"]) for row in rows]
        loss.plot(steps, losses, color=color)
        mistakes.plot(steps, errors, color=color, label=label)
    loss.set(xlabel="step", ylabel="cross-entropy, nats", yscale="log")
    mistakes.set(xlabel="step", ylabel="mistakes, percent", ylim=(0, 100))
    mistakes.set_yscale("symlog", linthresh=1)
    mistakes.set_yticks([0, 0.5, 1, 2, 5, 10, 20, 50, 100])
    mistakes.yaxis.set_major_formatter("{x:g}")
    mistakes.yaxis.set_minor_locator(NullLocator())
    mistakes.legend(frameon=False)
    for axes in (loss, mistakes):
        axes.locator_params(axis="x", nbins=5)
        axes.grid(alpha=0.3)
    _save(figure, path)


def plot_confusion(path: str, counts: np.ndarray) -> None:
    """How often each digit was taken for each.

    Args:
        path: of the PNG.
        counts: int [10, 10], rows are right, columns are answers.
    """
    figure = _figure(6, 6)
    axes = figure.subplots()
    wrong = counts * (1 - np.eye(len(counts)))
    axes.imshow(wrong, cmap="Oranges", vmax=max(wrong.max(), 1) * 1.5)
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            if count:
                color = "#999999" if row == column else "black"
                axes.text(column, row, count, ha="center", va="center", color=color)
    digits = range(len(counts))
    total, right = counts.sum(), np.trace(counts)
    axes.set(
        xlabel="answer",
        ylabel="digit",
        xticks=digits,
        yticks=digits,
        title=f"{total - right} mistakes in {total:,}: {right / total:.2%} right",
    )
    _save(figure, path)


def plot_digits(
    path: str,
    images: np.ndarray,
    probabilities: np.ndarray,
    labels: np.ndarray | None = None,
) -> None:
    """A sheet of images with the two likeliest answers to each.

    Args:
        path: of the PNG.
        images: uint8 [N, 28, 28].
        probabilities: [N, 10].
        labels: the right answers [N], if known.
    """
    columns = min(8, max(len(images), 1))
    rows = max(-(-len(images) // columns), 1)
    figure = _figure(1.4 * columns, 1.9 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    if not len(images):
        grid[0].text(0.5, 0.5, "none", ha="center")
    for place, (axes, image) in enumerate(zip(grid, images, strict=False)):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        first, second = np.argsort(-probabilities[place])[:2]
        lines = [
            f"{digit}: {probabilities[place, digit]:.1%}" for digit in (first, second)
        ]
        if labels is not None:
            lines.insert(0, f"is {labels[place]}")
        axes.set_title("\n".join(lines), fontsize=8)
    _save(figure, path)


def plot_feature_maps(
    path: str, image: np.ndarray, modules: dict[str, list[np.ndarray]]
) -> None:
    """The maps that respond most to one image, a line a branch.

    Args:
        path: of the PNG.
        image: uint8 [28, 28].
        modules: by name, the maps of each branch, [H, W, C].
    """
    lines = [
        (f"{module}\n{branch}", maps)
        for module, branches in modules.items()
        for branch, maps in zip(BRANCHES, branches, strict=True)
    ]
    figure = _figure(MAPS * 0.75 + 1.5, len(lines) * 0.8 + 1)
    figure.suptitle("One digit, and the maps of each branch that vary most over it")
    grid = figure.subplots(len(lines) + 1, MAPS)
    for axes in grid.ravel():
        axes.set(xticks=[], yticks=[])
        axes.axis("off")
    grid[0, 0].imshow(image, cmap="magma")
    for cells, (name, maps) in zip(grid[1:], lines, strict=True):
        most = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:MAPS]
        for axes, number in zip(cells, most, strict=False):
            axes.imshow(maps[..., number], cmap="magma")
        cells[0].axis("on")
        cells[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    _save(figure, path)

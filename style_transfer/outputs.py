"""What a run leaves behind: pictures, an animation, the losses, and result.json."""

import csv
import dataclasses
import importlib.metadata
import io
import json
import os
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np

from style_transfer import images
from style_transfer.config import Config


class Recorder:
    """Follows a run and writes what it left; see `optimize.Report`.

    Attributes:
        image: the newest picture, float32 [height, width, 3] in [0, 255].
        rows: the losses of each step, with its number as "step".
    """

    def __init__(self, out_dir: str, start: np.ndarray, save_every: int):
        """Args:
        out_dir: an existing folder.
        start: the picture before the first step.
        save_every: steps between saved pictures; 0 saves none.
        """
        self.image = start
        self.rows: list[dict[str, float]] = []
        self._out_dir = out_dir
        self._save_every = save_every
        self._frames = []
        if save_every:
            self._keep(0)

    def report(self, step: int, losses: dict[str, float], image: np.ndarray) -> None:
        """Take in one step; every `save_every`-th picture goes to `frames/`."""
        self.image = image
        self.rows.append({"step": step} | losses)
        if self._save_every and step % self._save_every == 0:
            self._keep(step)

    def _keep(self, step: int) -> None:
        folder = os.path.join(self._out_dir, "frames")
        os.makedirs(folder, exist_ok=True)
        images.save_image(os.path.join(folder, f"step_{step:05d}.png"), self.image)
        self._frames.append(np.uint8(np.round(self.image)))

    def finish(self, picture: str) -> None:
        """Write the final picture, the animation, and the losses as table and plot.

        Args:
            picture: the path of the final picture.
        """
        images.save_image(picture, self.image)
        if self._frames:
            path = os.path.join(self._out_dir, "progress.gif")
            images.save_animation(path, [*self._frames, self.image])
        if self.rows:
            write_losses(os.path.join(self._out_dir, "loss.csv"), self.rows)
            plot_losses(os.path.join(self._out_dir, "loss.png"), self.rows)


def save_overview(path: str, pictures: Sequence[np.ndarray]) -> None:
    """Pictures [height, width, 3] in [0, 255] side by side, as high as the last."""
    height = pictures[-1].shape[0]
    gap = np.full((height, 8, 3), 255.0)
    row = []
    for picture in pictures:
        width = round(picture.shape[1] * height / picture.shape[0])
        row += [images.resize(picture, height, width), gap]
    images.save_image(path, np.concatenate(row[:-1], axis=1))


def write_losses(path: str, rows: Sequence[dict[str, float]]) -> None:
    """One line of CSV for each step."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    images.write_whole(path, lambda file: file.write(text.getvalue().encode()))


def plot_losses(path: str, rows: Sequence[dict[str, float]]) -> None:
    """Each loss over the steps, a panel each, on a logarithmic scale."""
    from matplotlib.figure import Figure

    names = [name for name in rows[0] if name != "step"]
    figure = Figure(figsize=(3.6 * len(names), 3.0), layout="constrained")
    steps = [row["step"] for row in rows]
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        axes.plot(steps, [row[name] for row in rows], color="#1f4e79")
        axes.set(title=name.replace("_", " "), xlabel="step", yscale="log")
        axes.grid(alpha=0.3, which="both")
    images.write_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))


def write_result(path: str, config: Config, metrics: dict[str, Any]) -> None:
    """Settings, versions and figures of one run as JSON.

    Args:
        path: of the file.
        config: the settings.
        metrics: what was measured, values that JSON has.
    """
    packages = ("tensorflow", "keras", "numpy", "scipy", "pillow")
    versions = {name: importlib.metadata.version(name) for name in packages}
    versions["python"] = platform.python_version()
    result = metrics | {"config": dataclasses.asdict(config), "versions": versions}
    text = json.dumps(result, indent=2) + "\n"
    images.write_whole(path, lambda file: file.write(text.encode()))

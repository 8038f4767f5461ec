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
import tensorflow as tf
from absl import logging
from tqdm import tqdm

from style_transfer import images
from style_transfer.config import Config


class Recorder:
    """Follows a run and writes what it left.

    Attributes:
        image: the newest picture, float32 [height, width, 3] in [0, 255].
        rows: the losses of each step, with its number as "step".
    """

    def __init__(
        self,
        out_dir: str,
        start: np.ndarray,
        save_every: int,
        rows: Sequence[dict[str, float]] = (),
    ):
        """Args:
        out_dir: an existing folder.
        start: the picture before the first step.
        save_every: steps between saved pictures; 0 saves none.
        rows: of the steps that an earlier run has made.
        """
        self.image = start
        self.rows = list(rows)
        self._folder = os.path.join(out_dir, "frames")
        self._out_dir = out_dir
        self._save_every = save_every
        if save_every and not rows:
            self._keep(0)

    def report(self, step: int, losses: dict[str, float], image: np.ndarray) -> None:
        """Take in one step; every `save_every`-th picture goes to `frames/`."""
        self.image = image
        self.rows.append({"step": step} | losses)
        if self._save_every and step % self._save_every == 0:
            self._keep(step)

    def _frame(self, step: int) -> str:
        return os.path.join(self._folder, f"step_{step:05d}.png")

    def _keep(self, step: int) -> None:
        os.makedirs(self._folder, exist_ok=True)
        images.save_image(self._frame(step), self.image)

    def metrics(self) -> dict[str, Any]:
        """The newest losses, and how many steps there were."""
        losses = dict(self.rows[-1]) if self.rows else {}
        height, width = self.image.shape[:2]
        losses.pop("step", None)
        return losses | {"steps": len(self.rows), "image_size": [width, height]}

    def finish(self, picture: str) -> None:
        """Write the final picture, the animation, and the losses as table and plot.

        Args:
            picture: the path of the final picture.
        """
        images.save_image(picture, self.image)
        if self._save_every:
            steps = range(0, len(self.rows) + 1, self._save_every)
            paths = [path for path in map(self._frame, steps) if os.path.exists(path)]
            frames = [images.load_image(path) for path in paths]
            path = os.path.join(self._out_dir, "progress.gif")
            images.save_animation(path, [*frames, self.image])
        if self.rows:
            write_losses(os.path.join(self._out_dir, "loss.csv"), self.rows)
            plot_losses(os.path.join(self._out_dir, "loss.png"), self.rows)


class Watch:
    """Shows a run while it goes: a bar on a terminal, else a line now and then."""

    def __init__(self, steps: int, done: int, folder: str | None):
        """Args:
        steps: that the run has in all.
        done: that an earlier run has made.
        folder: of summaries for TensorBoard; None: none.
        """
        self._bar = tqdm(total=steps, initial=done, unit="step", disable=None)
        self._every = max(1, steps // 10)
        self._writer = tf.summary.create_file_writer(folder) if folder else None

    def report(self, step: int, losses: dict[str, float], image: np.ndarray) -> None:
        """Show one step; `image` is [height, width, 3] in [0, 255]."""
        text = "  ".join(f"{name} {loss:.4g}" for name, loss in losses.items())
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update()
        if self._bar.disable and step % self._every == 0:
            logging.info("step %d  %s", step, text)
        if self._writer:
            with self._writer.as_default(step):
                for name, loss in losses.items():
                    tf.summary.scalar(name, loss)
                if step % self._every == 0:
                    tf.summary.image("picture", image[np.newaxis] / 255.0)

    def close(self) -> None:
        """Leave the terminal and the summaries complete."""
        self._bar.close()
        if self._writer:
            self._writer.close()


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

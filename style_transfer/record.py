"""What a run leaves behind: pictures, an animation, the losses, and a checkpoint."""

import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from runkit import checkpoint, files
from style_transfer import images
from style_transfer.painter import Progress, Run

FORMAT = checkpoint.Format("style_transfer", 2)
FRAMES, ANIMATION, SUMMARIES = "frames", "progress.gif", "tensorboard"
FREE = ("steps", "save_every")  # settings that a continuation may change
PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "pillow")

Rows = list[dict[str, float]]  # the losses of each step


class Recorder:
    """Follows a run and writes what it leaves.

    Attributes:
        image: The newest picture, float32 [height, width, 3] in [0, 255].
        rows: The losses of each step, with its number as "step".

    Args:
        folder: The folder of the run, which exists.
        run: The run.
        rows: The losses of the steps that an earlier run has made.
        image: The picture that it came to; None means the run's start.
        summaries: Whether to write summaries for TensorBoard.
    """

    def __init__(
        self,
        folder: str,
        run: Run,
        rows: Sequence[dict[str, float]] = (),
        image: np.ndarray | None = None,
        summaries: bool = False,
    ):
        self.image = run.finished(run.start if image is None else image)
        self.rows: Rows = list(rows)
        self._folder, self._run = folder, run
        self._save_every = run.config.save_every
        self._began, self._earlier = time.monotonic(), len(self.rows)
        if not rows:
            _remove_earlier(folder)
        path = os.path.join(folder, SUMMARIES)
        self._writer = tf.summary.create_file_writer(path) if summaries else None
        if self._save_every and not rows:
            self._keep(0)

    def report(self, progress: Progress) -> None:
        """Takes in one step; every `save_every`-th picture goes to `frames/`."""
        step = progress.step
        self.image = self._run.finished(progress.image)
        self.rows.append({"step": step, **progress.losses})
        if self._save_every and step % self._save_every == 0:
            self._keep(step)
        if self._writer:
            with self._writer.as_default(step):
                for name, loss in progress.losses.items():
                    tf.summary.scalar(name, loss)
                if step % (self._save_every or 25) == 0:
                    tf.summary.image("picture", self.image[np.newaxis] / 255.0)

    def save(self, progress: Progress) -> None:
        """Writes the checkpoint from which --resume goes on."""
        header = {
            "config": dataclasses.asdict(self._run.config),
            "fingerprint": self._run.fingerprint,
            "rows": self.rows,
        }
        try:
            checkpoint.save(self._folder, FORMAT, header, progress.arrays())
        except OSError as error:  # The picture may still find a place.
            logging.warning("no checkpoint: %s", error)

    def _frame(self, step: int) -> str:
        return os.path.join(self._folder, FRAMES, f"step_{step:05d}.png")

    def _keep(self, step: int) -> None:
        try:
            os.makedirs(os.path.dirname(self._frame(step)), exist_ok=True)
            images.save_image(self._frame(step), self.image)
        except OSError as error:  # The run goes on without it.
            logging.warning("no frame: %s", error)

    def metrics(self, seconds: float) -> dict[str, Any]:
        """Returns the newest losses, and how many steps took how long."""
        losses: dict[str, Any] = dict(self.rows[-1]) if self.rows else {}
        losses.pop("step", None)
        height, width = self.image.shape[:2]
        steps = len(self.rows)
        return losses | {
            "steps": steps,
            "image_size": [width, height],
            "seconds": round(seconds, 3),
            "seconds_per_step": round(seconds / max(steps - self._earlier, 1), 4),
        }

    def finish(self, picture: str) -> None:
        """Writes the final picture, all that is shown beside it, and result.json.

        Args:
            picture: The path of the final picture.

        Raises:
            OSError: Something cannot be written; the checkpoint has the picture.
        """
        seconds = time.monotonic() - self._began
        try:
            images.save_image(picture, self.image, self._run.opacity)
            self._show()
            files.write_result(
                self._folder,
                self._run.config,
                self.metrics(seconds) | self._run.metrics() | {"picture": picture},
                PACKAGES,
            )
        except (ValueError, OSError) as error:
            name = f"style_transfer_{os.getpid()}.png"
            spare = os.path.join(tempfile.gettempdir(), name)
            images.save_image(spare, self.image)
            raise OSError(
                f"output {picture}: {error}: the picture is in {spare}; --resume "
                "writes everything again, with another --output if need be"
            ) from error

    def _show(self) -> None:
        """Writes the animation, the losses and the overview."""
        if self._writer:
            self._writer.close()
        if self._save_every:
            steps = range(0, len(self.rows) + 1, self._save_every)
            paths = [path for path in map(self._frame, steps) if os.path.exists(path)]
            frames = [images.load_image(path) for path in paths]
            path = os.path.join(self._folder, ANIMATION)
            images.save_animation(path, [*frames, self.image])
        if self.rows:
            files.write_csv(os.path.join(self._folder, "loss.csv"), self.rows)
            path = os.path.join(self._folder, "loss.png")
            files.save_figure(path, loss_figure(self.rows), dpi=120)
        shown = self._run.shown
        by_mode = {"transfer": shown, "style": shown[1:]}
        sources = by_mode.get(self._run.config.mode, shown[:1])
        overview = os.path.join(self._folder, "overview.jpg")
        images.save_image(overview, side_by_side([*sources, self.image]))


def load(folder: str, run: Run) -> tuple[checkpoint.Arrays, Rows]:
    """Reads the checkpoint that a run is to go on from.

    Returns:
        The `Progress.arrays`, and the losses of the steps so far.

    Raises:
        OSError: There is no checkpoint, or it is damaged.
        ValueError: It belongs to a run with other settings, pictures or filters.
    """
    path, header, arrays, _ = checkpoint.load(folder, FORMAT)
    if header is None:
        raise FileNotFoundError(f"--resume: no checkpoint in {folder}")
    checkpoint.compare(path, header["config"], run.config, FREE)
    if header["fingerprint"] != run.fingerprint:
        raise ValueError(
            f"--resume: {path} is of a run with other pictures, filters or precision"
        )
    return arrays, header["rows"]


def _remove_earlier(folder: str) -> None:
    """Removes what an earlier run left and this one may not write again."""
    for name in (FRAMES, SUMMARIES):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    for name in (ANIMATION, checkpoint.CHECKPOINT, checkpoint.PREVIOUS, files.RESULT):
        if os.path.exists(path := os.path.join(folder, name)):
            os.remove(path)


def side_by_side(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Returns pictures [height, width, 3] in a row, as high as the last."""
    height = pictures[-1].shape[0]
    gap = np.full((height, 8, 3), 255.0)
    row = []
    for picture in pictures:
        width = round(picture.shape[1] * height / picture.shape[0])
        row += [images.resize(picture, height, width), gap]
    return np.concatenate(row[:-1], axis=1)


def loss_figure(rows: Rows) -> Any:
    """Draws each loss over the steps, a panel each, on a logarithmic scale."""
    from matplotlib.figure import Figure

    names = [name for name in rows[0] if name != "step"]
    figure = Figure(figsize=(3.6 * len(names), 3.0), layout="constrained")
    steps = [row["step"] for row in rows]
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        axes.plot(steps, [row[name] for row in rows], color="#1f4e79")
        axes.set(title=name.replace("_", " "), xlabel="step", yscale="log")
        axes.grid(alpha=0.3, which="both")
    return figure

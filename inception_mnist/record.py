"""A run with everything around it: validations, checkpoints, pictures, results.

Post, "Tensorflow implementation": "You'll want to see how your model is progressing".
"""

import contextlib
import gc
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from inception_mnist import checkpoint, data, evaluate
from inception_mnist.config import Config
from inception_mnist.training import Progress, Trainer
from runkit import files

SAVING_SHARE = 0.05  # of the time, at most, goes into checkpoints
MISTAKES = 24
BRANCHES = ("1x1", "3x3", "5x5", "pool")
MAPS = 16  # of each branch in the picture
PACKAGES = ("tensorflow", "keras", "numpy")
Rows = Sequence[dict[str, Any]]


class Recorder:
    """Follows a run and keeps all that it leaves.

    Args:
        folder: Folder of everything written; it exists.
        config: The settings.
        digits: The images.
        valid_every: Steps between validations; the post's is 100.
        save_every: Seconds between checkpoints, or more where they take long.
        make_trainer: In a process where the trainer is not the chief, nothing is
            validated, read or written.
        init_from: A trained network to begin with, if there is no checkpoint.

    Attributes:
        trainer: The trainer.
        rows: The figures of every validation.
    """

    news = ""  # `note` has the latest validation

    def __init__(
        self,
        folder: str,
        config: Config,
        digits: data.Digits,
        valid_every: int = 100,
        save_every: float = 30.0,
        make_trainer: Callable[..., Trainer] = Trainer,
        init_from: str | None = None,
    ):
        self._folder, self._config, self._digits = folder, config, digits
        self._valid_every, self._save_every = valid_every, save_every
        images, labels = digits.train_images, digits.train_labels
        if digits.valid:
            self._valid_images, self._valid_labels = digits.valid
        else:
            images, labels, self._valid_images, self._valid_labels = data.split(
                images, labels, config.valid_size
            )
        self._data_hash = data.digest(images, labels)
        if digits.valid:  # validations of other images cannot be compared
            self._data_hash += data.digest(*digits.valid)
        self.trainer = make_trainer(config, images, labels)
        if init_from is not None:
            arrays: checkpoint.Arrays = {}
            if self.trainer.is_chief:
                weights = checkpoint.load_initial(init_from, config)
                arrays = self.trainer.arrays_from(weights)
            self.trainer.restore(arrays)
        self._classifier = evaluate.Classifier(self.trainer.averaged)
        self.rows: list[dict[str, float]] = []
        self._sums = [0.0, 0.0]  # of loss and accuracy since the latest validation
        self._since = 0  # steps of these sums
        self._seconds = 0.0  # of training alone
        self._saved, self._pause = time.monotonic(), save_every
        self._writer: Any = None

    def resume(self) -> str:
        """Go on from the folder's checkpoint, if any; return a warning or ""."""
        found: tuple[checkpoint.Arrays, dict, str] = {}, {}, ""
        if self.trainer.is_chief:
            found = checkpoint.load(self._folder, self._config, self._data_hash)
        arrays, records, note = found
        self.trainer.restore(arrays)
        if records:
            self.rows, self._sums = records["rows"], records["sums"]
            self._since, self._seconds = records["since"], records["seconds"]
        return note

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            FloatingPointError: A number in it is not finite; nothing is written.
        """
        if not self.trainer.is_chief:
            return
        began = time.monotonic()
        records = {"rows": self.rows, "sums": self._sums, "since": self._since}
        records["seconds"] = self._seconds
        arrays = self.trainer.arrays()
        self.trainer.check_finite("state", *arrays.values())
        checkpoint.save(self._folder, self._config, self._data_hash, arrays, records)
        self._saved = time.monotonic()
        self._pause = max(self._save_every, (self._saved - began) / SAVING_SHARE)

    def run(self) -> Iterator[Progress]:
        """Train to the end, with validations and checkpoints on the way.

        Raises:
            FloatingPointError: The run diverged; what was kept before stays.
        """
        steps, trainer = self._config.steps, self.trainer
        began = time.monotonic()
        for progress in trainer.run(steps):
            self._seconds += time.monotonic() - began
            self._sums[0] += progress.loss
            self._sums[1] += progress.accuracy
            self._since += 1
            if progress.step % self._valid_every == 0 or progress.step == steps:
                self._validate()
            if time.monotonic() - self._saved > self._pause:
                self.save()
            yield progress
            began = time.monotonic()

    def images_per_second(self) -> float:
        """Return the mean speed of training so far."""
        return self.trainer.step * self._config.batch_size / (self._seconds or 1)

    def note(self, progress: Progress) -> str:
        """Return the latest figures and the speed, for a progress bar."""
        loss, accuracy, valid = progress.loss, progress.accuracy, ""
        if self.rows:
            row = self.rows[-1]
            loss, accuracy = row["train_loss"], row["train_accuracy"]
            valid = f", validation {row['valid_accuracy']:.2%}"
        if self._since:
            loss, accuracy = (total / self._since for total in self._sums)
        speed = f"{self.images_per_second():.0f} images/s"
        return f"loss {loss:.3f}, {accuracy:.1%} right{valid}, {speed}"

    def _validate(self) -> None:
        """Measure on the validation images; keep the weights if they are the best."""
        if not self.trainer.is_chief:
            return
        step, weights = self.trainer.step, self._weights()
        found = self._classifier.probabilities(
            self._valid_images, self._config.test_batch_size
        )
        row = {
            "step": step,
            "train_loss": self._sums[0] / max(self._since, 1),
            "train_accuracy": self._sums[1] / max(self._since, 1),
            "valid_loss": evaluate.cross_entropy(self._valid_labels, found),
            "valid_accuracy": evaluate.accuracy(self._valid_labels, found),
        }
        self._sums, self._since = [0.0, 0.0], 0
        best = max(map(_merit, self.rows), default=(-math.inf, -math.inf))
        if _merit(row) > best:
            checkpoint.save_weights(self._path(checkpoint.BEST), self._config, weights)
            if not self.rows:  # that of an earlier run in this folder
                with contextlib.suppress(FileNotFoundError):
                    os.remove(self._path(checkpoint.LAST))
        self.rows.append(row)
        files.write_csv(self._path("log.csv"), self.rows)
        folder = self._path("tensorboard")
        self._writer = self._writer or tf.summary.create_file_writer(folder)
        with self._writer.as_default(step):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(name, value)
        self._writer.flush()

    def _weights(self) -> list[np.ndarray]:
        weights = self.trainer.weights()
        self.trainer.check_finite("network", *weights)  # as a loss may be without it
        return weights

    def finish(self, stopped: bool) -> dict[str, Any]:
        """Write the last weights, curves, pictures and result.json.

        Args:
            stopped: Whether the run did not reach its end.

        Returns:
            The metrics.

        Raises:
            FloatingPointError: The run diverged.
        """
        if not self.rows or self.rows[-1]["step"] < self.trainer.step:
            self._validate()
        if max(map(_merit, self.rows))[0] == -math.inf:
            self.trainer.check_finite("validation", math.nan)
        last = self._path(checkpoint.LAST)
        checkpoint.save_weights(last, self._config, self._weights())
        config, digits = self._config, self._digits
        steps, replicas = self.trainer.step, self.trainer.replicas
        speed, seconds = self.images_per_second(), self._seconds
        del self.trainer, self._classifier  # the dense head's state makes room
        gc.collect()
        metrics = self._measure() | {
            "images_per_second": round(speed, 1),
            "steps": steps,
            "replicas": replicas,
            "stopped": stopped,
            "seconds": round(seconds, 3),
            "peak_memory_gib": files.peak_memory_gib(),
            "seed": config.seed,
            "dataset": digits.name,
            "is_mnist": digits.is_mnist,
            "train_images": len(digits.train_labels)
            - (0 if digits.valid else len(self._valid_labels)),
            "valid_images": len(self._valid_labels),
            "test_images": len(digits.test_labels),
        }
        plot_learning(self._path("learning.png"), self.rows)
        files.write_result(self._folder, config, metrics, PACKAGES)
        return metrics

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _measure(self) -> dict[str, Any]:
        """Show the best and the last network validation and test images."""
        digits, config = self._digits, self._config
        batch, labels = config.test_batch_size, digits.test_labels
        metrics: dict[str, Any] = {}
        for name, prefix in ((checkpoint.BEST, "best_"), (checkpoint.LAST, "")):
            classifier = None  # the one before makes room
            gc.collect()
            weights = checkpoint.load_weights(self._path(name))
            classifier = evaluate.Classifier(evaluate.trained_model(*weights))
            valid, test = (
                classifier.probabilities(images, batch)
                for images in (self._valid_images, digits.test_images)
            )
            metrics |= {
                f"{prefix}valid_accuracy": evaluate.accuracy(self._valid_labels, valid),
                f"{prefix}test_accuracy": evaluate.accuracy(labels, test),
            }
        assert classifier
        metrics["one_view_test_accuracy"] = metrics["test_accuracy"]
        for view in tqdm(range(1, config.views), unit="view", disable=None):
            test += classifier.probabilities(digits.test_images, batch, view)
        test /= config.views
        metrics["test_accuracy"] = evaluate.accuracy(labels, test)
        counts = evaluate.confusion(labels, test)
        worst = evaluate.worst_mistakes(labels, test, MISTAKES)
        plot_confusion(self._path("confusion.png"), counts, config)
        lines = [f"is {config.class_name(labels[place])}" for place in worst]
        sheet = digits.test_images[worst], test[worst], config, lines
        plot_digits(self._path("mistakes.png"), *sheet)
        image = digits.test_images[0]
        maps = evaluate.feature_maps(classifier.model, image)
        plot_feature_maps(self._path("feature_maps.png"), image, dict(maps))
        return metrics | {
            "best_step": max(self.rows, key=_merit)["step"],
            "parameters": classifier.model.count_params(),
            "test_mistakes": int(counts.sum() - np.trace(counts)),
        }


def _merit(row: dict[str, float]) -> tuple[float, float]:
    """Rank networks by validation accuracy, then cross-entropy; NaN is the worst."""
    if not math.isfinite(row["valid_loss"]):
        return -math.inf, -math.inf
    return row["valid_accuracy"], -row["valid_loss"]


def _figure(width: float, height: float):
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plot_learning(path: str, rows: Rows) -> None:
    """Plot cross-entropy and error over the steps, of training and validation.

    Args:
        path: The PNG.
        rows: Each with "step", and "train_" and "valid_" before "loss" and "accuracy".
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
    files.save_figure(path, figure, dpi=120)


def plot_confusion(path: str, counts: np.ndarray, config: Config) -> None:
    """Plot how often each class was taken for each.

    Args:
        path: The PNG.
        counts: int [K, K]; rows are right, columns are answers.
        config: It has the classes' names.
    """
    size = max(6.0, 0.35 * len(counts))
    figure = _figure(size, size)
    axes = figure.subplots()
    wrong = counts * (1 - np.eye(len(counts)))
    axes.imshow(wrong, cmap="Oranges", vmax=max(wrong.max(), 1) * 1.5)
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            if count:
                color = "#999999" if row == column else "black"
                axes.text(column, row, count, ha="center", va="center", color=color)
    names = [config.class_name(number) for number in range(len(counts))]
    total, right = counts.sum(), np.trace(counts)
    axes.set(
        xlabel="answer",
        ylabel="class" if config.class_names else "digit",
        title=f"{total - right} mistakes in {total:,}: {right / total:.2%} right",
    )
    axes.set_xticks(range(len(names)), names, rotation=90 * (max(map(len, names)) > 2))
    axes.set_yticks(range(len(names)), names)
    files.save_figure(path, figure, dpi=120)


def plot_digits(
    path: str,
    images: np.ndarray,
    probabilities: np.ndarray,
    config: Config,
    titles: Sequence[str] = (),
) -> None:
    """Plot a sheet of images with the two likeliest answers to each.

    Args:
        path: The PNG.
        images: uint8 [N, 28, 28].
        probabilities: [N, K].
        config: It has the classes' names.
        titles: A line above each image, if there are any.
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
        lines = [
            f"{config.class_name(number)}: {probabilities[place, number]:.1%}"
            for number in np.argsort(-probabilities[place])[:2]
        ]
        title = "\n".join([*titles[place : place + 1], *lines])
        axes.set_title(title, fontsize=8, parse_math=False)
    files.save_figure(path, figure, dpi=120)


def plot_feature_maps(
    path: str, image: np.ndarray, modules: dict[str, list[np.ndarray]]
) -> None:
    """Plot the maps that respond most to one image, a line for each branch.

    Args:
        path: The PNG.
        image: uint8 [28, 28].
        modules: By name, the maps of each branch, [H, W, C].
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
    files.save_figure(path, figure, dpi=120)

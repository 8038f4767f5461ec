"""A run with everything around it: validations, checkpoints, pictures, results.

Post, "Tensorflow implementation": "You'll want to see how your model is progressing".
"""

import gc
import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from inception_mnist import checkpoint, evaluate, outputs
from inception_mnist.config import Config
from inception_mnist.data import Digits, digest, split
from inception_mnist.train import Progress, Trainer

SAVING_SHARE = 0.05  # of the time, at most, goes into checkpoints
MISTAKES = 24


class Recorder:
    """Follows a run and keeps all that it leaves.

    Attributes:
        trainer: the run.
        rows: the figures of every validation.
    """

    def __init__(
        self,
        folder: str,
        config: Config,
        digits: Digits,
        valid_every: int = 100,
        save_every: float = 30.0,
        make_trainer: Callable[..., Trainer] = Trainer,
    ):
        """Args:
        folder: of everything written; exists.
        config: the settings.
        digits: the images.
        valid_every: steps between validations; the post's is 100.
        save_every: seconds between checkpoints, or more where they take long.
        make_trainer: in a process where the trainer is not the chief, nothing is
            validated, read or written.
        """
        self._folder, self._config, self._digits = folder, config, digits
        self._valid_every, self._save_every = valid_every, save_every
        images, labels, self._valid_images, self._valid_labels = split(
            digits.train_images, digits.train_labels, config.valid_size
        )
        self._data_hash = digest(images, labels)
        self.trainer = make_trainer(config, images, labels)
        self._classifier = evaluate.Classifier(self.trainer.averaged)
        self.rows: list[dict[str, float]] = []
        self._sums = [0.0, 0.0]  # of loss and accuracy since the latest validation
        self._since = 0  # steps of these sums
        self._seconds = 0.0  # of training alone
        self._saved, self._pause = time.monotonic(), save_every
        self._writer = None

    def resume(self) -> str:
        """Go on from the folder's checkpoint, if any; returns a warning or ""."""
        arrays, records, note = {}, {}, ""
        if self.trainer.is_chief:
            arrays, records, note = checkpoint.load(
                self._folder, self._config, self._data_hash
            )
        self.trainer.restore(arrays)
        if records:
            self.rows, self._sums = records["rows"], records["sums"]
            self._since, self._seconds = records["since"], records["seconds"]
        return note

    def save(self) -> None:
        """Write the checkpoint."""
        if not self.trainer.is_chief:
            return
        began = time.monotonic()
        records = {
            "rows": self.rows,
            "sums": self._sums,
            "since": self._since,
            "seconds": self._seconds,
        }
        arrays = self.trainer.arrays()
        checkpoint.save(self._folder, self._config, self._data_hash, arrays, records)
        self._saved = time.monotonic()
        self._pause = max(self._save_every, (self._saved - began) / SAVING_SHARE)

    def run(self) -> Iterator[Progress]:
        """Train to the end, with validations and checkpoints on the way."""
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
        """The mean speed of training so far."""
        return self.trainer.step * self._config.batch_size / (self._seconds or 1)

    def speedometer(self) -> str:
        """The latest figures and the speed, for a progress bar."""
        loss, accuracy = np.array(self._sums) / max(self._since, 1)
        speed = f"{self.images_per_second():.0f} images/s"
        if self._since:
            speed = f"loss {loss:.3f}, {accuracy:.1%} right, {speed}"
        if self.rows:
            speed = f"{speed}, validation {self.rows[-1]['valid_accuracy']:.2%}"
        return speed

    def _validate(self) -> None:
        """Measure on the validation images; keep the weights if they are the best."""
        if not self.trainer.is_chief:
            return
        step = self.trainer.step
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
        if all(_merit(row) > _merit(earlier) for earlier in self.rows):
            self._save_weights(checkpoint.BEST)
        self.rows.append(row)
        folder = os.path.join(self._folder, "tensorboard")
        self._writer = self._writer or tf.summary.create_file_writer(folder)
        with self._writer.as_default(step):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(name, value)
        self._writer.flush()

    def _save_weights(self, name: str) -> None:
        path = os.path.join(self._folder, name)
        checkpoint.save_weights(path, self._config, self.trainer.weights())

    def finish(self, stopped: bool) -> dict:
        """Write the last weights, curves, pictures and result.json.

        Args:
            stopped: the run did not reach its end.

        Returns:
            The metrics.
        """
        if not self.rows or self.rows[-1]["step"] < self.trainer.step:
            self._validate()
        self._save_weights(checkpoint.LAST)
        config, digits = self._config, self._digits
        steps, replicas = self.trainer.step, self.trainer.replicas
        speed, seconds = self.images_per_second(), self._seconds
        self.trainer = self._classifier = None  # the dense head's state makes room
        gc.collect()
        metrics = self._measure() | {
            "images_per_second": round(speed, 1),
            "steps": steps,
            "replicas": replicas,
            "stopped": stopped,
            "seconds": round(seconds, 3),
            "peak_memory_gib": outputs.peak_memory_gib(),
            "seed": config.seed,
            "dataset": digits.name,
            "train_images": len(digits.train_labels) - len(self._valid_labels),
            "valid_images": len(self._valid_labels),
            "test_images": len(digits.test_labels),
        }
        outputs.write_rows(self._path("log.csv"), self.rows)
        outputs.plot_learning(self._path("learning.png"), self.rows)
        outputs.write_result(self._path("result.json"), config, metrics)
        return metrics

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _measure(self) -> dict:
        """The best and the last network on validation and test images, in pictures."""
        digits, batch = self._digits, self._config.test_batch_size
        metrics = {}
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
                f"{prefix}test_accuracy": evaluate.accuracy(digits.test_labels, test),
            }
        metrics["one_view_test_accuracy"] = metrics["test_accuracy"]
        for view in tqdm(range(1, self._config.views), unit="view", disable=None):
            test += classifier.probabilities(digits.test_images, batch, view)
        test /= self._config.views
        metrics["test_accuracy"] = evaluate.accuracy(digits.test_labels, test)
        best = max(self.rows, key=_merit)
        counts = evaluate.confusion(digits.test_labels, test)
        worst = evaluate.worst_mistakes(digits.test_labels, test, MISTAKES)
        outputs.plot_confusion(self._path("confusion.png"), counts)
        outputs.plot_digits(
            self._path("mistakes.png"),
            digits.test_images[worst],
            test[worst],
            digits.test_labels[worst],
        )
        maps = evaluate.feature_maps(classifier.model, digits.test_images[0])
        outputs.plot_feature_maps(
            self._path("feature_maps.png"), digits.test_images[0], dict(maps)
        )
        return metrics | {
            "best_step": best["step"],
            "parameters": classifier.model.count_params(),
            "test_mistakes": int(counts.sum() - np.trace(counts)),
        }


def _merit(row: dict[str, float]) -> tuple[float, float]:
    """What makes a network the best: validation accuracy, then its cross-entropy."""
    return row["valid_accuracy"], -row["valid_loss"]

"""A run with everything around it: validation, samples, checkpoints and results.

Post, "Implementing Arch 1": "train, and evaluate periodically through training".
"""

import contextlib
import math
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from char_rnn import checkpoint, evaluate, text
from char_rnn.config import Config
from char_rnn.corpus import Corpus
from char_rnn.sampler import Sampler
from char_rnn.training import Progress, Trainer
from runkit import files

EVALUATIONS = 20  # along a run, unless the user gives the steps between two
EARLY = (100, 300, 1000, 3000)  # steps of further ones: the text changes fastest there
READ = 500_000  # characters of the validation text on the way; the end reads all of it
SAMPLE = 200  # characters
NGRAMS = {1: "letter counts", 2: "bigram", 3: "trigram"}
PACKAGES = "tensorflow", "keras", "numpy"

Rows = Sequence[dict[str, float]]


class Recorder:
    """Follows a run and keeps all that it leaves.

    In a process that is not the chief, nothing is evaluated, read or written.

    Attributes:
        trainer: What trains.
        news: The figures and the sample of the latest evaluation; "" when there was
            none since the latest report.
        rows: The figures of every evaluation.
    """

    def __init__(
        self,
        folder: str,
        config: Config,
        corpus: Corpus,
        report_every: int = 0,
        save_every: float = 5.0,
        initial: checkpoint.Arrays | None = None,
        strategy: tf.distribute.Strategy | None = None,
        is_chief: bool = True,
    ):
        """Builds the trainer.

        Args:
            folder: Where everything is written; it exists.
            config: The settings.
            corpus: The text.
            report_every: The steps between evaluations; 0 means `EVALUATIONS` in all.
            save_every: The seconds between checkpoints; there is one after every
                evaluation too.
            initial: Weights to begin with, by letter.
            strategy: How to train on several devices; None trains on one.
            is_chief: Whether this process is the one that writes.
        """
        self._folder, self._config, self._corpus = folder, config, corpus
        self._train, self._valid, self._test = corpus.split()
        self._save_every = save_every
        self._report_every = report_every or math.ceil(config.steps / EVALUATIONS)
        self._digest = corpus.digest()
        given = config, self._train, len(corpus.alphabet)
        if strategy:
            from char_rnn.distribute import DistributedTrainer

            self.trainer: Trainer = DistributedTrainer(*given, strategy, is_chief)
        else:
            self.trainer = Trainer(*given)
        if initial:
            self.trainer.restore(self.trainer.arrays() | dict(initial))
        self._evaluator = evaluate.Evaluator(self.trainer.model)
        self.news = ""
        self.rows: list[dict[str, float]] = []
        self._samples: list[str] = []
        self._nats = self._norms = 0.0  # sums since the latest evaluation
        self._since = 0  # steps of these sums
        self._seconds = 0.0  # of training alone
        self._saved = time.monotonic()
        self._writer: Any = None

    def resume(self) -> str:
        """Goes on from the folder's checkpoint, if any; returns a warning or ""."""
        found: tuple[checkpoint.Arrays, dict, str] = {}, {}, ""
        if self.trainer.is_chief:
            found = checkpoint.load(self._folder, self._config, self._digest)
        arrays, records, note = found
        self.trainer.restore(arrays or self.trainer.arrays())
        if records:
            self.rows, self._samples = records["rows"], records["samples"]
            self._nats, self._norms, self._since = records["sums"]
            self._seconds = records["seconds"]
        return note

    def save(self) -> None:
        """Writes the checkpoint."""
        if not self.trainer.is_chief:
            return
        records = {
            "rows": self.rows,
            "samples": self._samples,
            "sums": [self._nats, self._norms, self._since],
            "seconds": self._seconds,
        }
        arrays = self.trainer.arrays()
        checkpoint.save(self._folder, self._config, self._digest, arrays, records)
        self._saved = time.monotonic()

    def run(self) -> Iterator[Progress]:
        """Trains to the end, with evaluations and checkpoints on the way.

        Raises:
            FloatingPointError: The training diverges.
        """
        try:
            while self.trainer.step < self._config.steps:
                yield from self._run_to_evaluation()
        except FloatingPointError as error:
            best = self._best()
            kept = f"; the model of step {best['step']} is kept" if best else ""
            raise FloatingPointError(f"{error}{kept}") from None

    def _run_to_evaluation(self) -> Iterator[Progress]:
        trainer, every, end = self.trainer, self._report_every, self._config.steps
        regular = (trainer.step // every + 1) * every
        if end - regular < every / 2:  # The last mean loss, too, is of many steps.
            regular = end
        stop = min(regular, *(step for step in EARLY if trainer.step < step < end), end)
        began = time.monotonic()
        for progress in trainer.run(stop):
            self._seconds += time.monotonic() - began
            self._nats += float(progress.losses.sum(dtype=np.float64))
            self._norms += float(progress.norms.sum(dtype=np.float64))
            self._since += len(progress.losses)
            self.news = self._evaluate() if trainer.step == stop else ""
            if self.news or time.monotonic() - self._saved > self._save_every:
                self.save()
            yield progress
            began = time.monotonic()

    def note(self, progress: Progress) -> str:
        """Tells the latest losses and the speed, for a progress bar."""
        loss = float(progress.losses.mean())
        valid = f", validation {self.rows[-1]['valid_bpc']:.3f}" if self.rows else ""
        return (
            f"loss {loss:.3f}, {loss / math.log(2):.3f} bits/character{valid}, "
            f"{self.characters_per_second() / 1e3:.0f}k characters/s"
        )

    def characters_per_second(self) -> float:
        """Measures the mean speed of training so far."""
        config, step = self._config, self.trainer.step
        return step * config.batch_size * config.num_unrollings / (self._seconds or 1)

    def _best(self) -> dict[str, float] | None:
        """The first row with the best finite validation, whose model is kept."""
        rows = [row for row in self.rows if math.isfinite(row["valid_bpc"])]
        return min(rows, key=lambda row: row["valid_bpc"], default=None)

    def _evaluate(self) -> str:
        """Validates, writes a sample, and keeps the model if it is the best so far."""
        if not self.trainer.is_chief:
            return ""
        step, model = self.trainer.step, self.trainer.model
        valid_bpc = self._evaluator.bits_per_character(
            self._valid[:READ], self._config.teacher_forcing
        )
        row = {
            "step": step,
            "train_bpc": self._nats / self._since / math.log(2),
            "valid_bpc": valid_bpc,
            "gradient_norm": self._norms / self._since,
            "learning_rate": float(self.trainer.optimizer.learning_rate),
        }
        self._nats = self._norms = 0.0
        self._since = 0
        sample = self._sample()
        self.rows.append(row)
        self._samples.append(sample)
        if row is self._best():
            checkpoint.save_model(
                self._folder, self._config, self._corpus.alphabet, model.arrays()
            )
        lines = (
            f"step {each['step']}, validation {each['valid_bpc']:.3f}:\n{sample}\n\n"
            for each, sample in zip(self.rows, self._samples, strict=True)
        )
        files.write_text(os.path.join(self._folder, "samples.txt"), "".join(lines))
        files.write_csv(os.path.join(self._folder, "log.csv"), self.rows)
        self._summarize(row, sample)
        return f"step {step}, validation {valid_bpc:.3f} bits/character:\n  {sample}"

    def _sample(self) -> str:
        """`SAMPLE` characters by the network as it is; the step settles the draws."""
        alphabet = self._corpus.alphabet
        random = np.random.default_rng([self._config.seed, self.trainer.step])
        drawn = [text.random_character(random, len(alphabet))]
        sampler = Sampler(self._config, self.trainer.model.arrays())
        prime, twice = np.array(drawn), self._config.as_printed
        # A state that outgrows its numbers ends the sample, but not the run.
        with contextlib.suppress(FloatingPointError):
            drawn.extend(sampler.write(prime, SAMPLE, random, softmax_twice=twice))
        return text.decode(drawn, alphabet)

    def _figures(self, stopped: bool) -> dict[str, float | None]:
        """Bits per character at the end: the kept model's, over the whole texts."""
        names, latest = ("train_bpc", "valid_bpc", "test_bpc"), self.rows[-1]
        found = {name: latest.get(name, math.nan) for name in names}
        if not stopped:
            _, _, best = checkpoint.load_model(self._folder)
            self.trainer.model.assign(best)
            measure = self._evaluator.bits_per_character
            forced = self._config.teacher_forcing
            for name, data in (("valid_bpc", self._valid), ("test_bpc", self._test)):
                if not len(data):
                    continue
                found[name] = measure(data, forced)
                if self._config.arch == 2:
                    found[f"{name}_own_output"] = measure(data, False)
        return {name: v if math.isfinite(v) else None for name, v in found.items()}

    def _summarize(self, row: dict[str, float], sample: str) -> None:
        """Writes TensorBoard's curves, and the text getting better."""
        folder = os.path.join(self._folder, "tensorboard")
        self._writer = self._writer or tf.summary.create_file_writer(folder)
        with self._writer.as_default(row["step"]):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(name, value)
            tf.summary.text("sample", sample)
        self._writer.flush()

    def finish(self, stopped: bool) -> dict[str, Any]:
        """Writes samples, curves and result.json.

        Args:
            stopped: Whether the run did not reach its end; the figures are then those
                of the latest evaluation.

        Returns:
            The figures of result.json.

        Raises:
            FloatingPointError: No validation was finite, so that there is no model.
        """
        if not self.rows:
            self._evaluate()
        if not self._best():
            raise FloatingPointError(
                "no validation was finite: try a lower --learning_rate than "
                f"{self._config.learning_rate:g}"
            )
        baselines = []
        if not stopped:  # With a large text this takes a while.
            baselines = evaluate.ngram_bits_per_character(
                self._train, self._valid, len(self._corpus.alphabet)
            )
        weights = self.trainer.model.weights
        metrics = self._figures(stopped) | {
            "ngram_valid_bpc": [round(value, 4) for value in baselines],
            "characters_per_second": round(self.characters_per_second()),
            "steps": self.trainer.step,
            "replicas": self.trainer.replicas,
            "seconds": round(self._seconds, 3),
            "parameters": sum(weight.shape.num_elements() for weight in weights),
            "seed": self._config.seed,
            "corpus": self._corpus.name,
            "characters": len(self._corpus.ids),
            "sample": self._samples[-1],
        }
        figure = learning_figure(self.rows, baselines)
        files.save_figure(os.path.join(self._folder, "learning.png"), figure, dpi=120)
        files.write_result(self._folder, self._config, metrics, PACKAGES)
        return metrics


def learning_figure(rows: Rows, baselines: Sequence[float]):
    """Draws bits per character over the steps; returns the figure.

    The axis ends above most of the values, so that a spike hides nothing.

    Args:
        rows: What was measured, each with "step", "train_bpc" and "valid_bpc".
        baselines: Bits per character of the n-grams of orders 1, 2, ....
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
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
    steps, train, valid = (
        np.array([row[name] for row in rows])
        for name in ("step", "train_bpc", "valid_bpc")
    )
    top = np.quantile([train, valid], 0.8, method="lower")
    top = 1.1 * max([top, *baselines])
    if max(train.max(), valid.max()) > top:
        axes.set_ylim(0, top)
    axes.plot(
        steps, train, color="#e0a030", label="training, mean since the last point"
    )
    axes.plot(steps, valid, color="#1f4e79", label="validation")
    axes.set(xlabel="step", ylabel="bits per character", xscale="log")
    axes.legend(frameon=False)
    return figure

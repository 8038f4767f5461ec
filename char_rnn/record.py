"""A run with everything around it: looks at the text it writes, checkpoints, results.

Post, "Implementing Arch 1": "train, and evaluate periodically through training".
"""

import math
import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from char_rnn import checkpoint, evaluate, outputs, text
from char_rnn.config import Config
from char_rnn.sampler import Sampler
from char_rnn.train import Progress, Trainer

LOOKS = 20  # along a run, unless the user says how many steps apart
EARLY = (100, 300, 1000, 3000)  # steps of further looks: the text changes fastest there
LOOK_CHARACTERS = 500_000  # of the validation text; the end reads all of it
SAMPLE = 200  # characters


class Recorder:
    """Follows a run and keeps all that it leaves.

    Attributes:
        trainer: the run.
        news: of the latest look: its figures and a sample; "" when there was none
            since the latest report.
        rows: the figures of every look.
    """

    def __init__(
        self,
        folder: str,
        config: Config,
        corpus: text.Corpus,
        look_every: int = 0,
        save_every: float = 5.0,
        make_trainer: Callable[..., Trainer] = Trainer,
    ):
        """Args:
        folder: of everything written; exists.
        config: the settings.
        corpus: the text.
        look_every: steps between looks; 0: `LOOKS` in all.
        save_every: seconds between checkpoints; there is one after every look too.
        make_trainer: in a process where the trainer is not the chief, nothing is
            looked at, read or written.
        """
        self._folder, self._config, self._corpus = folder, config, corpus
        self._train, self._valid, self._test = corpus.split()
        self._save_every = save_every
        self._look_every = look_every or math.ceil(config.steps / LOOKS)
        self._corpus_hash = corpus.digest()
        self.trainer = make_trainer(config, self._train, len(corpus.alphabet))
        self._evaluator = evaluate.Evaluator(self.trainer.model)
        self.news = ""
        self.rows: list[dict[str, float]] = []
        self._samples: list[str] = []
        self._nats = self._norms = 0.0  # sums since the latest look
        self._since = 0  # steps of these sums
        self._seconds = 0.0  # of training alone
        self._saved = time.monotonic()
        self._writer = None

    def resume(self) -> str:
        """Go on from the folder's checkpoint, if any; returns a warning or ""."""
        arrays, records, note = {}, {}, ""
        if self.trainer.is_chief:
            arrays, records, note = checkpoint.load(
                self._folder, self._config, self._corpus_hash
            )
        self.trainer.restore(arrays or self.trainer.arrays())
        if records:
            self.rows, self._samples = records["rows"], records["samples"]
            self._nats, self._norms, self._since = records["sums"]
            self._seconds = records["seconds"]
        return note

    def save(self) -> None:
        """Write the checkpoint."""
        if not self.trainer.is_chief:
            return
        records = {
            "rows": self.rows,
            "samples": self._samples,
            "sums": [self._nats, self._norms, self._since],
            "seconds": self._seconds,
        }
        arrays = self.trainer.arrays()
        checkpoint.save(self._folder, self._config, self._corpus_hash, arrays, records)
        self._saved = time.monotonic()

    def run(self) -> Iterator[Progress]:
        """Train to the end, with looks and checkpoints on the way."""
        steps, trainer = self._config.steps, self.trainer
        while trainer.step < steps:
            regular = (trainer.step // self._look_every + 1) * self._look_every
            early = (step for step in EARLY if step > trainer.step)
            look = min(steps, regular, *early)
            began = time.monotonic()
            for progress in trainer.run(look):
                self._seconds += time.monotonic() - began
                self._nats += float(progress.losses.sum(dtype=np.float64))
                self._norms += float(progress.norms.sum(dtype=np.float64))
                self._since += len(progress.losses)
                self.news = self._look() if trainer.step == look else ""
                if self.news or time.monotonic() - self._saved > self._save_every:
                    self.save()
                yield progress
                began = time.monotonic()

    def speedometer(self, progress: Progress) -> str:
        """The latest loss and the speed, for a progress bar."""
        loss = float(progress.losses.mean())
        return (
            f"loss {loss:.3f}, {loss / math.log(2):.3f} bits/character, "
            f"{self.characters_per_second() / 1e3:.0f}k characters/s"
        )

    def characters_per_second(self) -> float:
        """The mean speed of training so far."""
        config, step = self._config, self.trainer.step
        return step * config.batch_size * config.num_unrollings / (self._seconds or 1)

    def _look(self) -> str:
        """Validate, write a sample, keep the model if it is the best so far."""
        if not self.trainer.is_chief:
            return ""
        step, model = self.trainer.step, self.trainer.model
        valid_bpc = self._evaluator.bits_per_character(
            self._valid[:LOOK_CHARACTERS], self._config.teacher_forcing
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
        if all(valid_bpc < earlier["valid_bpc"] for earlier in self.rows):
            checkpoint.save_model(
                self._folder, self._config, self._corpus.alphabet, model.arrays()
            )
        sample = self.sample()
        self.rows.append(row)
        self._samples.append(sample)
        self._summarize(row, sample)
        return f"step {step}, validation {valid_bpc:.3f} bits/character:\n  {sample}"

    def sample(self) -> str:
        """`SAMPLE` characters by the network as it is; the step settles the draws."""
        alphabet = self._corpus.alphabet
        random = np.random.default_rng([self._config.seed, self.trainer.step])
        first = text.sample_prob(text.random_dist(random, len(alphabet)), random)
        drawn = Sampler(self._config, self.trainer.model.arrays()).write(
            np.array([first]), SAMPLE, random, softmax_twice=self._config.as_printed
        )
        return text.decode([first, *drawn], alphabet)

    def _figures(self, stopped: bool) -> dict[str, float | None]:
        """Bits per character at the end: the kept model's, over the whole texts."""
        latest = self.rows[-1]
        figures = {"train_bpc": latest["train_bpc"], "valid_bpc": latest["valid_bpc"]}
        if stopped:
            return figures | {"test_bpc": None}
        _, _, best = checkpoint.load_model(self._folder)
        self.trainer.model.assign(best)
        measure = self._evaluator.bits_per_character
        forced = self._config.teacher_forcing
        for name, data in (("valid_bpc", self._valid), ("test_bpc", self._test)):
            figures[name] = measure(data, forced)
            if self._config.arch == 2:
                figures[f"{name}_own_output"] = measure(data, False)
        return figures

    def _summarize(self, row: dict[str, float], sample: str) -> None:
        """TensorBoard's curves, and the text getting better."""
        folder = os.path.join(self._folder, "tensorboard")
        self._writer = self._writer or tf.summary.create_file_writer(folder)
        with self._writer.as_default(row["step"]):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(name, value)
            tf.summary.text("sample", sample)
        self._writer.flush()

    def finish(self, stopped: bool) -> dict:
        """Write samples, curves and result.json; returns the metrics.

        Args:
            stopped: the run did not reach its end; the figures are then those of the
                latest look.
        """
        if not self.rows:
            self._look()
        baselines = []
        if not stopped:  # with a large text this takes a while
            baselines = evaluate.ngram_bits_per_character(
                self._train, self._valid, len(self._corpus.alphabet)
            )
        metrics = self._figures(stopped) | {
            "ngram_valid_bpc": [round(value, 4) for value in baselines],
            "characters_per_second": round(self.characters_per_second()),
            "steps": self.trainer.step,
            "replicas": self.trainer.replicas,
            "seconds": round(self._seconds, 3),
            "parameters": sum(
                w.shape.num_elements() for w in self.trainer.model.weights
            ),
            "seed": self._config.seed,
            "corpus": self._corpus.name,
            "characters": len(self._corpus.ids),
            "sample": self._samples[-1],
        }
        outputs.write_rows(os.path.join(self._folder, "log.csv"), self.rows)
        lines = (
            f"step {row['step']}, validation {row['valid_bpc']:.3f}:\n{sample}\n\n"
            for row, sample in zip(self.rows, self._samples, strict=True)
        )
        outputs.write_text(os.path.join(self._folder, "samples.txt"), "".join(lines))
        outputs.plot_learning(
            os.path.join(self._folder, "learning.png"), self.rows, baselines
        )
        outputs.write_result(
            os.path.join(self._folder, "result.json"), self._config, metrics
        )
        return metrics

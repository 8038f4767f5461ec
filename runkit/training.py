"""What the commands that train share: flags, workers, the loop, and how it ends."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from absl import flags, logging

from runkit import exits, files, progress, start, stop
from runkit.workers import cluster, meeting

FLAGS = flags.FLAGS


def define_flags(out_dir: str, checkpoint_seconds: float, threads: int) -> None:
    """Declares the flags that every training command has.

    Args:
        out_dir: The default of --out_dir.
        checkpoint_seconds: The default of --checkpoint_seconds.
        threads: The default of --threads.
    """
    flags.DEFINE_string("out_dir", out_dir, "Folder into which everything is written.")
    flags.DEFINE_bool(
        "resume", True, "Go on from the checkpoint in --out_dir, if there is one."
    )
    flags.DEFINE_float(
        "checkpoint_seconds",
        checkpoint_seconds,
        "Seconds between two checkpoints.",
        lower_bound=0.0,
    )
    flags.DEFINE_integer(
        "threads",
        threads,
        "Number of threads of one TensorFlow operation; 0 means one for each core.",
        lower_bound=0,
    )
    flags.DEFINE_enum(
        "distribute",
        "none",
        ("none", "mirrored", "multiworker"),
        "mirrored trains on several devices of this machine; multiworker trains on "
        "those of all machines that the environment variable TF_CONFIG lists, each of "
        "which runs this command. --batch_size is always that of all together.",
    )
    flags.DEFINE_integer(
        "devices",
        0,
        "Number of GPUs for --distribute=mirrored; 0 means all of them. Without a GPU, "
        "the number of parts into which the CPU is divided.",
        lower_bound=0,
    )
    flags.DEFINE_float(
        "connect_seconds",
        60.0,
        "Seconds that --distribute=multiworker waits for the others at the start.",
        lower_bound=0.0,
    )


class Launch:
    """The start of a run, on one machine or on several.

    Attributes:
        name: The command's name.
        is_chief: Whether this process is the one that writes files.
        release: What to call when the workers may part.
    """

    def __init__(self, name: str):
        """Checks the flags and takes this worker's port.

        Args:
            name: The command's name.

        Raises:
            ValueError: Flags or TF_CONFIG make no sense.
            OSError: The port is taken.
        """
        if FLAGS.devices and FLAGS.distribute != "mirrored":
            raise ValueError(
                f"--devices={FLAGS.devices}: it goes with --distribute=mirrored"
            )
        self.name = name
        self.release: Callable[[], None] = lambda: None
        self._workers: cluster.Cluster | None = None
        if FLAGS.distribute == "multiworker":
            self._workers = cluster.parse(os.environ.get("TF_CONFIG"))
            self._listener = meeting.bind(self._workers)
        self.is_chief = not self._workers or self._workers.is_chief

    def connect(self, purpose: str) -> Any:
        """Starts TensorFlow, when all devices of all machines are connected.

        Args:
            purpose: What must be the same in all processes, such as the settings.

        Returns:
            The `tf.distribute.Strategy`; None where a single device trains.
        """
        if not self._workers:
            return start.tensorflow(FLAGS.threads, self._strategy(purpose))
        logging.info(
            "waiting up to %g seconds for %s",
            FLAGS.connect_seconds,
            ", ".join(self._workers.others()) or "nobody",
        )
        strategy = start.tensorflow(FLAGS.threads, self._strategy(purpose))
        self.release = meeting.watch(self._workers, self._give_up)
        return strategy

    def _strategy(self, purpose: str) -> Callable[[], Any]:
        def make() -> Any:
            if FLAGS.distribute == "none":
                return None
            from runkit.workers import strategies

            if self._workers is None:
                return strategies.mirrored(FLAGS.devices)
            return strategies.multiworker(
                self._workers,
                self._listener,
                f"{self.name} {purpose}",
                FLAGS.connect_seconds,
            )

        return make

    def _give_up(self, worker: str) -> None:
        """Ends at once with one line, from any thread: TensorFlow may wait for ever."""
        print(
            f"{self.name}: {worker} does not answer any more: start all of them again "
            "to go on from the latest checkpoint",
            file=sys.stderr,
            flush=True,
        )
        os._exit(exits.FAILED)


@contextlib.contextmanager
def launch(name: str) -> Iterator[Launch]:
    """Makes and locks the folder of a run; only the chief logs and writes.

    Args:
        name: The command's name.
    """
    launched = Launch(name)
    if not launched.is_chief:
        logging.set_verbosity(logging.WARNING)
        yield launched
        return
    files.make_folder(FLAGS.out_dir)
    with files.locked(FLAGS.out_dir):
        yield launched


def follow(launched: Launch, recorder: Any, steps: int) -> bool:
    """Trains to the end, showing how far it is; saves, whatever ends it.

    Ctrl-C or SIGTERM on one machine ends the run on all of them.

    Args:
        launched: The start of the run.
        recorder: It has `trainer` (with `step`, `is_chief` and `any`), `resume()`,
            which returns a warning or "", `run()`, which yields records with a `step`,
            `note(record)` for the progress bar, `news` of the latest validation, and
            `save()`.
        steps: The step at which the run ends.

    Returns:
        Whether it was stopped before its end.
    """
    trainer = recorder.trainer
    if FLAGS.resume:
        note = recorder.resume()
        if note:
            logging.warning("%s", note)
        elif trainer.step:
            logging.info("going on from step %d", trainer.step)
    stopped = False
    with (
        stop.asked() as request,
        progress.Bar(steps, "step", trainer.step, trainer.is_chief) as bar,
    ):
        for record in recorder.run():
            bar.update(record.step, recorder.note(record))
            if recorder.news and bar.is_shown:  # a log has ten lines
                bar.write(recorder.news)
            stopped = trainer.any(request.now)
            if stopped:
                break
        launched.release()
        recorder.save()
    return stopped

"""Runs experiments side by side, each in a process, and knows which are done.

A folder's run.json says which command made it and whether that came to its end. What
was interrupted goes on from its checkpoint: char_rnn and inception_mnist do so by
themselves, style_transfer when --resume tells it to.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from reproduce.config import Config
from reproduce.post import Experiment
from runkit import files

RECORD, RESULT, LOG = "run.json", "result.json", "log.txt"
MOST_AT_ONCE = 4  # cores that are kept busy
DIVERGED = "--learning_rate than"  # in the last line of a run that has diverged


class Outcome(NamedTuple):
    """How one experiment ended.

    Attributes:
        experiment: Which one.
        error: The last line that a failed one wrote, else "".
        ran: Whether it ran now, rather than before.
    """

    experiment: Experiment
    error: str = ""
    ran: bool = True


def write_json(path: pathlib.Path, value: dict[str, Any]) -> None:
    """Writes an object as JSON, and the folder that it stands in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, json.dumps(value, indent=1) + "\n")


def read(path: pathlib.Path) -> dict[str, Any]:
    """Reads the object in a JSON file; it is {} where there is none or a broken one."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def is_done(experiment: Experiment, config: Config, folder: pathlib.Path) -> bool:
    """Whether the folder has the result of exactly this command."""
    record = read(folder / RECORD)
    command = config.command(experiment, str(folder))
    return record.get("command") == command and record.get("done") is True


def count_cores() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # neither macOS nor Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    experiments: Sequence[Experiment],
    config: Config,
    folder: pathlib.Path,
    tick: Callable[[dict[str, float]], None],
) -> Generator[Outcome, None, None]:
    """Runs what is not done, one-core experiments first, as many as there are cores.

    Args:
        experiments: Those of the length in `config`.
        config: The length, and where the data is.
        folder: Gets one folder for each experiment.
        tick: Called several times a second with the seconds that each experiment has
            been running for, by name.

    Yields:
        Outcomes as they come. If the iteration ends early, the processes save what
        they have, as after Ctrl-C.

    Raises:
        OSError: Another process runs one of the experiments in this folder.
    """
    cores = min(count_cores(), MOST_AT_ONCE)
    waiting = sorted(experiments, key=lambda experiment: experiment.cores)
    running: list[Process] = []
    try:
        while waiting or running:
            busy = sum(each.experiment.cores for each in running)
            if waiting and (not running or busy + waiting[0].cores <= cores):
                experiment = waiting.pop(0)
                if is_done(experiment, config, folder / experiment.name):
                    yield Outcome(experiment, ran=False)
                else:
                    running.append(Process(experiment, config, folder))
                continue
            for each in [each for each in running if each.poll() is not None]:
                running.remove(each)
                yield Outcome(each.experiment, each.finish())
            tick({r.experiment.name: time.monotonic() - r.began for r in running})
            time.sleep(0.2)
    finally:
        for each in running:
            if os.name != "nt":  # Windows tells every process of the console itself.
                each.send_signal(signal.SIGINT)
        for each in running:
            each.wait()
            each.finish()


class Process(subprocess.Popen):
    """The process of one experiment, which owns its folder.

    Args:
        experiment: What to run.
        config: The length, and where the data is.
        folder: Has a folder for each experiment.
    """

    def __init__(self, experiment: Experiment, config: Config, folder: pathlib.Path):
        self.experiment, self.folder = experiment, folder / experiment.name
        self.began = time.monotonic()
        command = config.command(experiment, str(self.folder))
        self._record = {"command": command, "done": False}
        self._lock = contextlib.ExitStack()
        beside = folder / ".locks" / experiment.name  # the command locks its own folder
        beside.mkdir(parents=True, exist_ok=True)
        self._lock.enter_context(files.locked(str(beside)))
        if (
            self.folder.exists()
            and read(self.folder / RECORD).get("command") != command
        ):
            shutil.rmtree(self.folder)  # what other settings left
        write_json(self.folder / RECORD, self._record)
        interrupted = (self.folder / "checkpoint.npz").exists()
        if interrupted and experiment.package == "style_transfer":
            command = [*command, "--resume"]
        with open(self.folder / LOG, "a") as log:
            super().__init__(
                [sys.executable, *command],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C comes from `run` alone, once
            )

    def finish(self) -> str:
        """Records how the process ended; returns what went wrong, or ""."""
        error = self._error()
        if not error:
            seconds = round(time.monotonic() - self.began, 1)
            record = self._record | {"done": True, "wall_seconds": seconds}
            write_json(self.folder / RECORD, record)
            for path in self.folder.glob(self.experiment.discard or "no file"):
                path.unlink()
        self._lock.close()
        return error

    def _error(self) -> str:
        # A machine that is not ready is a finding of gpu_setup.check, not a failure.
        fine = (0, 1) if self.experiment.package == "gpu_setup" else (0,)
        if self.returncode in fine and (self.folder / RESULT).exists():
            return ""
        lines = (self.folder / LOG).read_text(errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "").strip()
        if self.experiment.may_diverge and DIVERGED in said:
            write_json(self.folder / RESULT, {"diverged": said})
            return ""
        return said or f"exit code {self.returncode}"

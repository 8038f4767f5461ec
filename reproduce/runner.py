"""Runs experiments side by side, each a process, and knows which are done.

A folder's run.json says which command made it and whether it came to its end. What was
broken off goes on where it was: char_rnn and inception_mnist do so by themselves,
style_transfer when it is told to.
"""

import dataclasses
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from reproduce.config import Config
from reproduce.post import Experiment

RECORD, RESULT, LOG = "run.json", "result.json", "log.txt"
MOST_AT_ONCE = 4  # cores that are kept busy
DIVERGED = "the loss is not finite"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How one experiment ended.

    Attributes:
        experiment: which.
        error: the last line that a failed one wrote, else "".
        ran: whether it ran now, and was not done before.
    """

    experiment: Experiment
    error: str = ""
    ran: bool = True


def write_whole(path: pathlib.Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: pathlib.Path, value: dict[str, Any]) -> None:
    """Write an object as JSON."""
    write_whole(path, json.dumps(value, indent=2) + "\n")


def read(path: pathlib.Path) -> dict[str, Any]:
    """The object of a JSON file; {} where there is none or a broken one."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def is_done(experiment: Experiment, config: Config, folder: pathlib.Path) -> bool:
    """Whether the folder has the result of just this command."""
    record = read(folder / RECORD)
    asked = config.command(experiment, str(folder))
    return record.get("command") == asked and record.get("done") is True


def run(
    experiments: list[Experiment],
    config: Config,
    folder: pathlib.Path,
    tick: Callable[[dict[str, float]], None],
) -> Iterator[Outcome]:
    """Run what is not done, one-core experiments first, as many as there are cores.

    Args:
        experiments: those of the length in `config`.
        config: the length, and where the data is.
        folder: gets one folder an experiment.
        tick: called several times a second with the seconds that each experiment has
            been running for, by name.

    Yields:
        Outcomes as they come. Whatever ends the iteration early lets the processes
        save what they have, as after Ctrl-C, and waits for them.
    """
    cores = min(len(os.sched_getaffinity(0)), MOST_AT_ONCE)
    waiting = sorted(experiments, key=lambda experiment: experiment.cores)
    running: list[Running] = []
    try:
        while waiting or running:
            busy = sum(each.experiment.cores for each in running)
            if waiting and (not running or busy + waiting[0].cores <= cores):
                experiment = waiting.pop(0)
                if is_done(experiment, config, folder / experiment.name):
                    yield Outcome(experiment, ran=False)
                else:
                    running.append(Running(experiment, config, folder))
                continue
            for each in [each for each in running if each.process.poll() is not None]:
                running.remove(each)
                yield Outcome(each.experiment, each.finish())
            tick({r.experiment.name: time.monotonic() - r.began for r in running})
            time.sleep(0.2)
    finally:
        for each in running:
            each.process.send_signal(signal.SIGINT)
        for each in running:
            each.process.wait()
            each.finish()


class Running:
    """One process, with a lock on its folder.

    Args:
        experiment: what to run.
        config: the length, and where the data is.
        folder: has a folder for each experiment.
    """

    def __init__(self, experiment: Experiment, config: Config, folder: pathlib.Path):
        self.experiment, self.folder = experiment, folder / experiment.name
        command = config.command(experiment, str(self.folder))
        self._record = {"command": command, "done": False}
        self._lock = lock(self.folder)
        if (
            self.folder.exists()
            and read(self.folder / RECORD).get("command") != command
        ):
            shutil.rmtree(self.folder)  # what other settings left
        write_json(self.folder / RECORD, self._record)
        broken_off = (self.folder / "checkpoint.npz").exists()
        if broken_off and experiment.package == "style_transfer":
            command = [*command, "--resume"]
        self.began = time.monotonic()
        with open(self.folder / LOG, "a") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C comes from here alone, once
                pass_fds=[
                    self._lock
                ],  # held even if this process dies before the child
            )

    def finish(self) -> str:
        """Record that the process has ended; returns what went wrong, or ""."""
        error = self._error()
        if not error:
            seconds = round(time.monotonic() - self.began, 1)
            record = self._record | {"done": True, "wall_seconds": seconds}
            write_json(self.folder / RECORD, record)
            if self.experiment.discard:
                for path in self.folder.glob(self.experiment.discard):
                    path.unlink()
        os.close(self._lock)
        return error

    def _error(self) -> str:
        # A machine that is not ready is a finding of gpu_setup.check, not a failure.
        fine = (0, 1) if self.experiment.module == "gpu_setup.check" else (0,)
        if self.process.returncode in fine and (self.folder / RESULT).exists():
            return ""
        lines = (self.folder / LOG).read_text(errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "").strip()
        if self.experiment.may_diverge and DIVERGED in said:
            write_json(self.folder / RESULT, {"diverged": said})
            return ""
        return said or f"exit code {self.process.returncode}"


def lock(folder: pathlib.Path) -> int:
    """Lock a folder that another process may still be writing; returns a descriptor.

    Raises:
        BlockingIOError: another process has the lock.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.parent / f".{folder.name}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BlockingIOError(
            f"{folder}: another process is writing there: wait for its end"
        ) from None
    return descriptor

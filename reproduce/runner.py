"""Runs experiments side by side, each a process, and knows which are done.

A folder's run.json says which command made it and whether it came to its end. What was
broken off goes on where it was: char_rnn and inception_mnist do so by themselves,
style_transfer when it is told to.
"""

import contextlib
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
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from reproduce.config import Config
from reproduce.experiments import Experiment, command

RECORD, RESULT, LOG = "run.json", "result.json", "log.txt"
MOST_AT_ONCE = 4  # processes of one core each


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


def read(path: pathlib.Path) -> dict[str, Any]:
    """The object of a JSON file; {} where there is none or a broken one."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def is_done(experiment: Experiment, config: Config, folder: pathlib.Path) -> bool:
    """Whether the folder has the result of just this command."""
    record = read(folder / RECORD)
    asked = command(experiment, config, str(folder))
    return record.get("command") == asked and record.get("done") is True


class Runner:
    """Runs what is not done.

    Attributes:
        running: by name, when each experiment that runs now began.
    """

    def __init__(self, config: Config, folder: pathlib.Path):
        """Args:
        config: the length, and where the data is.
        folder: gets one folder an experiment.
        """
        self._config, self._folder = config, folder
        self._children: set[subprocess.Popen] = set()
        self._stopped = False
        self.running: dict[str, float] = {}

    def run(
        self, experiments: list[Experiment], tick: Callable[[], None]
    ) -> Iterator[Outcome]:
        """Outcomes as they come: one-core experiments side by side, then the others.

        Args:
            experiments: those of this length.
            tick: called about once a second.
        """
        cores = min(len(os.sched_getaffinity(0)), MOST_AT_ONCE)
        groups = [
            (cores, [e for e in experiments if e.cores == 1]),
            (1, [e for e in experiments if e.cores > 1]),
        ]
        for at_once, group in groups:
            with ThreadPoolExecutor(at_once) as pool:
                left = {pool.submit(self._one, each) for each in group}
                try:
                    while left:
                        done, left = wait(left, 1.0, FIRST_COMPLETED)
                        tick()
                        yield from (each.result() for each in done)
                except BaseException:
                    self._stop()
                    pool.shutdown(cancel_futures=True)
                    raise

    def _stop(self) -> None:
        """Let the children save what they have, as after Ctrl-C."""
        self._stopped = True
        for child in list(self._children):
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGINT)

    def _one(self, experiment: Experiment) -> Outcome:
        folder = self._folder / experiment.name
        if is_done(experiment, self._config, folder):
            return Outcome(experiment, ran=False)
        if self._stopped:
            return Outcome(experiment, "stopped")
        asked = command(experiment, self._config, str(folder))
        with _locked(folder) as lock:
            if folder.exists() and read(folder / RECORD).get("command") != asked:
                shutil.rmtree(folder)  # what other settings left
            record = {"command": asked, "done": False}
            write_whole(folder / RECORD, json.dumps(record, indent=2) + "\n")
            self.running[experiment.name] = time.monotonic()
            try:
                error = self._process(experiment, asked, folder, lock)
            finally:
                began = self.running.pop(experiment.name)
            if error:
                return Outcome(experiment, error)
            record |= {"done": True, "wall_seconds": round(time.monotonic() - began, 1)}
            write_whole(folder / RECORD, json.dumps(record, indent=2) + "\n")
        for pattern in experiment.discard:
            for path in folder.glob(pattern):
                path.unlink()
        return Outcome(experiment)

    def _process(
        self, experiment: Experiment, asked: list[str], folder: pathlib.Path, lock: int
    ) -> str:
        """Run the command to its end; returns what went wrong, or ""."""
        style = experiment.module == "style_transfer.main"
        resume = style and (folder / "checkpoint.npz").exists()
        with open(folder / LOG, "a") as log:
            child = subprocess.Popen(
                [sys.executable, *asked, *(["--resume"] if resume else [])],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C comes from here alone, once
                pass_fds=[lock],  # held until the child ends, even if this process dies
            )
            self._children.add(child)
            code = child.wait()
            self._children.discard(child)
        # A machine that is not ready is a finding of gpu_setup.check, not a failure.
        fine = (0, 1) if experiment.module == "gpu_setup.check" else (0,)
        if code in fine and (folder / RESULT).exists():
            return ""
        lines = (folder / LOG).read_text(errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "").strip()
        if experiment.may_diverge and code == 2 and "the loss is not finite" in said:
            text = json.dumps({"diverged": said}, indent=2) + "\n"
            write_whole(folder / RESULT, text)
            return ""
        return said or f"exit code {code}"


@contextlib.contextmanager
def _locked(folder: pathlib.Path) -> Iterator[int]:
    """A lock on a folder that another process may still be writing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder.parent / f".{folder.name}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(
            f"{folder}: another process is writing there: wait for its end"
        ) from None
    else:
        yield lock
    finally:
        os.close(lock)

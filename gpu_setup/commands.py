"""Runs a command of the machine, and ends all of it when its time is up."""

import os
import signal
import subprocess
from typing import NamedTuple


class Output(NamedTuple):
    """What a command answered: stdout and stderr in one text.

    The state is "ok" (it ran, whatever its exit code), "missing", "denied" or
    "timeout"; "unrecorded" where a saved machine was never asked.
    """

    state: str
    code: int | None = None
    text: str = ""


def run_command(argv: list[str], seconds: float, environment: dict[str, str]) -> Output:
    """Runs one command in a session of its own, and kills all of it in time.

    No shell is involved, and whatever the command does, nothing is raised.
    """
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    except FileNotFoundError:
        return Output("missing")
    except OSError:
        return Output("denied")
    try:
        text, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(child)
        return Output("timeout")
    except BaseException:  # Ctrl-C: the session of its own did not get it
        _end(child)
        raise
    return Output("ok", child.returncode, text.decode(errors="replace"))


def _end(child: subprocess.Popen) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:  # Windows
            child.kill()
        child.communicate(timeout=1)
    except (OSError, subprocess.TimeoutExpired):
        pass  # a process stuck in the driver cannot be killed; do not wait for it

"""TensorFlow, asked in a child process: it may be missing, broken, or never answer."""

import json
import os
import sys
from importlib import resources
from typing import Any

from gpu_setup import compatibility as fit
from gpu_setup.commands import run_command
from gpu_setup.config import Probing
from gpu_setup.machine import Machine

MARK = "gpu_setup-answer:"
LOG_LINES = 200  # a reason can stand far before the failure that it causes


def ask(machine: Machine, config: Probing) -> dict[str, Any]:
    """Asks TensorFlow what it is and what it sees.

    Args:
        machine: Only the one that runs this program can be asked; a saved one answers
            with what it recorded.
        config: `tensorflow_seconds`, and `tensorflow` to ask at all.

    Returns:
        `state` ("ok", "missing", "broken", "timeout", "skipped" or "unrecorded"); if ok
        `version`, `build`, `gpus`, `cpu_product`; if it sees no GPU `missing`, the
        libraries that would not load, and `pip_only`, those that do by their full path
        alone; `log`, the last lines on stderr.
    """
    if not machine.is_here:
        return dict(machine.saved.get("tensorflow", {"state": "unrecorded"}))
    if not config.tensorflow:
        return {"state": "skipped"}
    child = resources.files("gpu_setup") / "tensorflow_child.py"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
    releases = {
        ".".join(row["cuda"].split(".")[:2]) for row in fit.table("cuda_drivers")
    }
    numbers = {cuda: fit.library_numbers(cuda) for cuda in releases}
    argv = [sys.executable, "-c", child.read_text(), json.dumps(numbers)]
    output = run_command(argv, config.tensorflow_seconds, environment)
    log, _, answer = output.text.rpartition(MARK)
    if output.state != "ok":
        return {"state": output.state, "seconds": config.tensorflow_seconds}
    try:
        told = json.JSONDecoder().raw_decode(answer.strip())[0]
    except ValueError:
        told = {"state": "broken", "error": f"the import ended with {output.code}"}
        log = output.text
    told["log"] = "\n".join(log.splitlines()[-LOG_LINES:])
    return told

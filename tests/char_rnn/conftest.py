"""Small texts, small networks, and the entry points as a user runs them."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def data():
    """3,000 ids of the 27, in which each character leans on the two before."""
    random = np.random.default_rng(0)
    ids = [1, 2]
    for draw in random.integers(0, 27, 2998):
        ids.append((ids[-1] + 3 * ids[-2] + (draw == 0)) % 27)
    return np.array(ids, np.uint8)


def command(out, module, *flags):
    return [sys.executable, "-m", f"char_rnn.{module}", f"--out_dir={out}", *flags]


@pytest.fixture(scope="session")
def run_in():
    """Runs `python -m char_rnn.<module>` to its end, with its output in a folder."""

    def run(out, module, *flags):
        return subprocess.run(
            command(out, module, *flags), cwd=ROOT, capture_output=True, text=True
        )

    return run


@pytest.fixture(scope="session")
def start_in():
    """Starts such a process, which the test ends."""

    def start(out, module, *flags):
        return subprocess.Popen(
            command(out, module, *flags),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start

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


@pytest.fixture
def run(tmp_path):
    """Runs `python -m char_rnn.<module>` with its output in tmp_path/out."""

    def command(module, *arguments):
        out = f"--out_dir={tmp_path / 'out'}"
        return [sys.executable, "-m", f"char_rnn.{module}", out, *arguments]

    def run(module, *arguments):
        return subprocess.run(
            command(module, *arguments), cwd=ROOT, capture_output=True, text=True
        )

    run.command = command
    run.out = tmp_path / "out"
    return run

"""Small problems, and the entry point as a user runs it."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from genetic import problem

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def small():
    """Ten items, two resources: small enough to try all 1,024 solutions."""
    return problem.generate(10, 2, 0.5, seed=3)


@pytest.fixture
def everything():
    """All solutions of ten bits, [1024, 10]."""
    return (np.arange(1024)[:, None] >> np.arange(10)) & 1


@pytest.fixture
def main(tmp_path):
    """Runs `python -m genetic.main` with its output in tmp_path/out."""

    def command(*arguments):
        out = f"--out_dir={tmp_path / 'out'}"
        return [sys.executable, "-m", "genetic.main", out, *arguments]

    def run(*arguments):
        return subprocess.run(
            command(*arguments), cwd=ROOT, capture_output=True, text=True
        )

    run.command = command
    run.out = tmp_path / "out"
    return run

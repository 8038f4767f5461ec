"""Small problems, and the entry point as a user runs it."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from genetic import problem

ROOT = pathlib.Path(__file__).parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture
def small():
    """Ten items, two resources: small enough to try all 1,024 solutions."""
    return problem.generate(10, 2, 0.5, seed=3)


@pytest.fixture
def everything():
    """All solutions of ten bits, [1024, 10]."""
    return (np.arange(1024)[:, None] >> np.arange(10)) & 1


@pytest.fixture
def file(tmp_path):
    """Writes a problem's file."""

    def write(text, name="problem.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


class Main:
    """Runs `python -m genetic.main` with its output in a folder."""

    def __init__(self, out):
        self.out = out
        self.environment = os.environ | ONE_THREAD

    def command(self, *arguments):
        out = f"--out_dir={self.out}"
        return [sys.executable, "-m", "genetic.main", out, *arguments]

    def start(self, *arguments, **more):
        return subprocess.Popen(
            self.command(*arguments), cwd=ROOT, env=self.environment, **more
        )

    def __call__(self, *arguments):
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def main(tmp_path):
    return Main(tmp_path / "out")

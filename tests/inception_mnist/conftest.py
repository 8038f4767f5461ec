"""Small images, small networks, and the entry points as a user runs them."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def digits():
    """200 images of scikit-learn's digits, uint8 [N, 28, 28], and their labels [N]."""
    from inception_mnist import data

    found = data.load("digits", None, None)
    return found.train_images[:200], found.train_labels[:200]


@pytest.fixture
def images():
    """Random pixels, uint8 [6, 28, 28]."""
    return np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype(np.uint8)


@pytest.fixture
def run(tmp_path):
    """Runs `python -m inception_mnist.<module>` with its output in tmp_path/out."""

    def command(module, *arguments):
        out = f"--out_dir={tmp_path / 'out'}"
        return [sys.executable, "-m", f"inception_mnist.{module}", out, *arguments]

    def run(module, *arguments):
        return subprocess.run(
            command(module, *arguments),
            cwd=ROOT,
            capture_output=True,
            text=True,
            env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        )

    run.command = command
    run.out = tmp_path / "out"
    return run

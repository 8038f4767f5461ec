"""Small pictures, and the entry point as a user runs it."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from style_transfer.features import CHANNELS

ROOT = pathlib.Path(__file__).parents[2]


def pattern(height: int, width: int, seed: int) -> np.ndarray:
    """A smooth seeded picture, uint8 [height, width, 3]."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height)))


@pytest.fixture(scope="module")
def keras_vgg():
    tf.keras.utils.set_random_seed(0)
    return tf.keras.applications.VGG19(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )


@pytest.fixture(scope="module")
def filters(keras_vgg):
    """Keras's filters before training, for each layer through conv5_1."""
    convolutions = [layer for layer in keras_vgg.layers if "conv" in layer.name]
    pairs = [tuple(layer.get_weights()) for layer in convolutions]
    return dict(zip(CHANNELS["vgg19"], pairs, strict=False))


@pytest.fixture
def content() -> np.ndarray:
    return np.float32(pattern(32, 40, seed=1))


@pytest.fixture
def style() -> np.ndarray:
    return np.float32(pattern(36, 32, seed=2))


@pytest.fixture
def picture(tmp_path) -> str:
    path = tmp_path / "content.png"
    Image.fromarray(pattern(48, 64, seed=1)).save(path)
    return str(path)


@pytest.fixture
def main(tmp_path):
    """Runs `python -m style_transfer.main` quickly, with its output in tmp_path/out."""

    def command(*arguments: str) -> list[str]:
        small = ["--size=64", "--steps=2", "--weights=compact", "--save_every=1"]
        out = f"--out_dir={tmp_path / 'out'}"
        return [sys.executable, "-m", "style_transfer.main", *small, out, *arguments]

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            command(*arguments), cwd=ROOT, capture_output=True, text=True
        )

    run.command = command
    run.out = tmp_path / "out"
    return run

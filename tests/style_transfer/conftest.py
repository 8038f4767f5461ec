"""Small pictures, a small network, and the entry point as a user runs it."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from style_transfer.vgg import LAYERS, Network

ROOT = pathlib.Path(__file__).parents[2]
DRIVER = """
import contextlib, io, json, sys
from runkit import cli
from style_transfer import main
from absl import flags
found = []
for arguments in json.loads(sys.argv[1]):
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    sys.argv = main.spread(["main", *arguments])
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            cli.run(main.main, main.NAME, main.FIRST)
        except SystemExit as end:
            found.append([end.code, errors.getvalue()])
print(json.dumps(found))
"""


def pattern(height: int, width: int, seed: int) -> np.ndarray:
    """A smooth seeded picture, uint8 [height, width, 3]."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height)))


@pytest.fixture(scope="session")
def network() -> Network:
    """VGG-16 with at most eight maps in a layer, of smooth seeded filters."""
    generator = np.random.default_rng(0)
    filters, ins = {}, 3
    for layer in LAYERS["vgg16"]:
        kernel = generator.normal(size=(3, 3, ins, 8)) + generator.normal(
            size=(1, 1, ins, 8)
        )
        kernel *= (0.02 if ins == 3 else 1.0) / np.sqrt(9 * ins)
        filters[layer] = np.float32(kernel), np.full(8, 0.1, np.float32)
        ins = 8
    return Network("vgg16", filters, "test")


@pytest.fixture
def content() -> np.ndarray:
    return np.float32(pattern(32, 48, seed=1))


@pytest.fixture
def style() -> np.ndarray:
    return np.float32(pattern(48, 32, seed=2))


@pytest.fixture
def picture(tmp_path) -> str:
    path = tmp_path / "content.png"
    Image.fromarray(pattern(48, 64, seed=1)).save(path)
    return str(path)


def command(out: pathlib.Path, *arguments: str) -> list[str]:
    """The command line of a short run whose output is in `out`."""
    small = ["--size=64", "--steps=2", "--scales=1", "--save_every=1"]
    return [
        *(sys.executable, "-m", "style_transfer.main", *small),
        *(f"--out_dir={out}", *arguments),
    ]


def run_main(out: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    """One run in a process of its own."""
    return subprocess.run(
        command(out, *arguments), cwd=ROOT, capture_output=True, text=True
    )


def run_all(commands: list[list[str]]) -> list[tuple[int, str]]:
    """Exit code and stderr of many runs, one after the other in one process."""
    lines = [line[3:] for line in commands]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])

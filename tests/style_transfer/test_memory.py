"""The estimate: that it holds, and what follows from it."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

from style_transfer import memory
from style_transfer.config import Config

ROOT = pathlib.Path(__file__).parents[2]


def plan(size, limit, network="vgg16"):
    run = (Config(), network, "bfloat16", size * 3 // 4, size)
    return memory.plan(*run, limit * memory.GIB)


def test_whole_then_smaller_tiles_then_refused():
    assert plan(512, 4) is None
    sides = [plan(4096, limit) for limit in (64, 12, 8)]
    assert sides[0] is None and sides[1] > sides[2]
    with pytest.raises(ValueError, match="--size=4096 needs about .* GiB") as error:
        plan(4096, 2)
    fits = int(re.search(r"--size=(\d+) would fit", str(error.value)).group(1))
    assert 512 < fits < 4096
    plan(fits, 2)
    with pytest.raises(ValueError, match="needs about"):
        plan(fits + 64, 2)


def test_less_memory_for_the_smaller_network_and_for_fewer_layers():
    def needed(network, **settings):
        run = (Config(**settings), network, "float32", 768, 1024)
        return memory.estimate(*run)

    assert needed("vgg16") < needed("vgg19")
    assert needed("vgg19", optimizer="adam") < needed("vgg19")
    shallow = {"mode": "content", "content_layers": ("conv1_1",)}
    assert needed("vgg19", **shallow) < needed("vgg19")


PEAKS = """
import json, re
import numpy as np
from style_transfer import memory, objective, painter, weights
from style_transfer.config import Config
image = np.random.default_rng(0).uniform(0, 255, (480, 640, 3)).astype("f4")
network = weights.load("auto", "auto", "average", "auto")
config = Config(scales=1, steps=2)
pictures = objective.Pictures(image, (image,))
found = []
for side in (256, None):
    for _ in painter.paint(config, pictures, network, image * 0.5, side):
        pass
    status = open("/proc/self/status").read()
    peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", status).group(1))
    run = config, "vgg16", network.precision, 480, 640, side
    found.append(peak / memory.estimate(*run))
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_estimate_is_kept():
    """The peaks of real runs in a process of their own, in tiles and then whole.

    Not `ru_maxrss`: a process starts with the peak of the one that started it.
    """
    done = subprocess.run(
        [sys.executable, "-c", PEAKS], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for share in json.loads(done.stdout):
        assert 0.5 < share < 1.0


def test_available_is_plausible():
    assert 2**24 < memory.available() < 2**50


def test_the_process_limit_counts(monkeypatch):
    """What `ulimit -v` leaves is all that a run may use, whatever the user allows."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**40, 2**40))
    assert 0 < memory.limit(2.0**44) < 0.9 * 2**40

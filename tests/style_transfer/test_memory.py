"""The estimate: that it holds, and what follows from it."""

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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("side", [None, 256])
def test_the_estimate_is_kept(side):
    """The peak of a real run, in a process of its own.

    Not `ru_maxrss`: a process starts with the peak of the one that started it.
    """
    code = f"""
import re
import numpy as np
from style_transfer import memory, objective, painter, weights
from style_transfer.config import Config
image = np.random.default_rng(0).uniform(0, 255, (576, 768, 3)).astype("f4")
network = weights.load("auto", "auto", "average", "auto")
config = Config(scales=1, steps=2)
pictures = objective.Pictures(image, (image,))
for _ in painter.paint(config, pictures, network, image * 0.5, {side}):
    pass
estimate = memory.estimate(config, "vgg16", network.precision, 576, 768, {side})
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read()).group(1)
print(int(peak) * 1024 / estimate)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 0.4 < float(done.stdout) < 1.0


def test_available_is_plausible():
    assert 2**24 < memory.available() < 2**50


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_limit_counts():
    """What `ulimit -v` leaves is all that a run may use, whatever the user allows."""
    code = (
        "import resource; from style_transfer import memory; "
        "resource.setrlimit(resource.RLIMIT_AS, (2**36, 2**36)); "
        "print(memory.limit(2.0**40))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert 0 < float(done.stdout) < 2**36

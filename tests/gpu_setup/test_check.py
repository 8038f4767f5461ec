"""The check on saved machines: the verdict, the first problem, and its command."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def check(tmp_path):
    """Judges the machine whose files stand under tmp_path."""

    def run(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        command = [sys.executable, "-m", "gpu_setup.check", f"--root={tmp_path}"]
        done = subprocess.run(
            [*command, "--format=json", "--notensorflow"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        return done.returncode, json.loads(done.stdout)

    return run


CARD = "sys/bus/pci/devices/0000:01:00.0/"
GPU = {
    CARD + "vendor": "0x10de\n",
    CARD + "device": "0x1c03\n",
    CARD + "class": "0x030000\n",
}


def test_a_machine_without_a_card_is_a_cpu_machine(check):
    code, found = check({"proc/modules": ""})
    assert (code, found["verdict"]) == (1, "cpu")
    keys = {"id", "title", "status", "found", "expected", "advice", "command"}
    for step in found["steps"]:
        assert keys <= set(step)
        assert step["status"] in {"ok", "problem", "skip", "unknown"}


def test_a_card_without_a_driver_is_a_problem_with_advice(check):
    code, found = check(GPU | {"proc/modules": ""})
    assert (code, found["verdict"]) == (1, "problem")
    problem = next(step for step in found["steps"] if step["status"] == "problem")
    assert problem["advice"] and problem["command"]


def test_nouveau_is_the_first_problem(check):
    _, found = check(GPU | {"proc/modules": "nouveau 2400256 1 - Live 0x0\n"})
    problem = next(step for step in found["steps"] if step["status"] == "problem")
    assert "nouveau" in problem["found"] + problem["advice"]

"""Every entry point answers for its flags: help, an unknown one, a bad value."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Module: a flag with a value that it must refuse.
ENTRY_POINTS = {
    "char_rnn.figures": "--characters=few",
    "char_rnn.gradients": "--characters=few",
    "char_rnn.main": "--num_nodes=many",
    "char_rnn.sample": "--length=long",
    "genetic.main": "--population=many",
    "gpu_setup.check": "--command_seconds=soon",
    "gpu_setup.snapshot": "--tensorflow=perhaps",
    "inception_mnist.export": "--out_dir",
    "inception_mnist.main": "--steps=many",
    "inception_mnist.operations": "--size=big",
    "inception_mnist.predict": "--checkpoint",
    "remote_notebook": "--local_port=many",
    "reproduce.convnet": "--steps=many",
    "reproduce.main": "--length=endless",
    "style_transfer.figures": "--steps=many",
    "style_transfer.main": "--steps=many",
    "style_transfer.quantize": "--no_output=many",
}
NO_FOLDER = {"gpu_setup.snapshot", "style_transfer.quantize"}  # these write none


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("module", ENTRY_POINTS)
def test_helpshort_explains_every_flag(module):
    done = run(module, "--helpshort")
    assert "--out_dir" in done.stdout or module in NO_FOLDER
    assert "(no help available)" not in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("module", ENTRY_POINTS)
def test_unknown_flag_is_one_line(module):
    done = run(module, "--no_such_flag")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no_such_flag" in done.stderr


@pytest.mark.parametrize(("module", "flag"), ENTRY_POINTS.items())
def test_bad_value_is_one_line(module, flag):
    done = run(module, flag)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert flag[2:].partition("=")[0] in done.stderr

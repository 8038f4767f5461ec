"""Every entry point answers for its flags: help, an unknown one, a bad value.

Its console script does so too, and so does the package's own name.
"""

import configparser
import pathlib
import subprocess
import sys

import pytest

import runkit

ROOT = pathlib.Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
SCRIPTS = dict(
    line.split(" = ")
    for line in SETUP["options.entry_points"]["console_scripts"].strip().splitlines()
)
TOPICS = ["char_rnn", "genetic", "gpu_setup", "inception_mnist", "remote_notebook"]
TOPICS += ["reproduce", "style_transfer"]
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


def script(name: str, *arguments: str) -> subprocess.CompletedProcess:
    """Runs what pip writes as the script of this name."""
    module, function = SCRIPTS[name].split(":")
    code = f"import sys; from {module} import {function}; sys.argv[0] = {name!r}; "
    command = [sys.executable, "-c", f"{code}sys.exit({function}())", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_every_command_has_a_script():
    modules = {
        place.split(":")[0].removesuffix(".__main__") for place in SCRIPTS.values()
    }
    named = {
        name.replace("remote_notebook", "remote_notebook.main") for name in ENTRY_POINTS
    }
    assert modules == named - {"style_transfer.quantize"}  # which makes the package


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_explains_its_flags(name):
    done = script(name, "-h")
    assert done.returncode == 0 and done.stderr == ""
    assert "(no help available)" not in done.stdout
    assert "--out_dir" in done.stdout or name == "gpu-snapshot"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_package_runs_its_command(topic):
    done = run(topic, "--version")
    assert done.stderr == ""
    assert done.stdout == f"deep-learning-posts {runkit.__version__}\n"

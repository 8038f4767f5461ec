"""Every entry point answers for its flags: help, an unknown one, a bad value.

Its console script does so too, and so does the package's own name.
"""

import configparser
import importlib.util
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
# What macOS or Windows lacks of POSIX is taken away before a script starts, except what
# Python, NumPy and psutil themselves use on Linux.
WITHOUT_POSIX = """
import asyncio, os, signal, sys  # asyncio of Python 3.13 asks for sysconf
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios"):
    sys.modules[name] = None
for name in ("getuid", "killpg", "sched_getaffinity", "setsid", "sysconf"):
    delattr(os, name)
for name in ("SIGALRM", "SIGHUP", "pthread_sigmask"):
    delattr(signal, name)
"""
# One makes the package, one is an experiment of the whole.
FOR_THE_PROJECT = {"style_transfer.quantize", "reproduce.convnet"}
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
    """Runs what pip writes as this script, where POSIX parts are missing."""
    module, function = SCRIPTS[name].split(":")
    start = f"from {module} import {function}; sys.argv[0] = {name!r}; {function}()"
    command = [sys.executable, "-c", WITHOUT_POSIX + start, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_every_command_has_a_script():
    modules = {
        place.split(":")[0].removesuffix(".__main__") for place in SCRIPTS.values()
    }
    named = {
        name.replace("remote_notebook", "remote_notebook.main") for name in ENTRY_POINTS
    }
    assert modules == named - FOR_THE_PROJECT


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


def test_without_posix_genetic_runs(tmp_path):
    done = script("genetic-solve", "--generations=3", f"--out_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "result.json").exists()


def test_without_posix_a_machine_is_judged(tmp_path):
    """No command may take longer than this, so each is ended."""
    done = script(
        "gpu-check", "--command_seconds=0.01", "--tensorflow_seconds=0.01", "--redact"
    )
    assert done.returncode == 1 and done.stderr == ""
    assert "TensorFlow" in done.stdout


def test_without_posix_a_notebook_is_refused_in_one_line():
    done = script("remote-notebook", "user@host")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "--print_only" in done.stderr
    typed = script("remote-notebook", "user@host", "--print_only")
    assert typed.returncode == 0 and typed.stdout.count("ssh ") == 2


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="is missing")
def test_without_posix_memory_and_processors_are_counted():
    code = """
from runkit import files
from reproduce import runner
from style_transfer import memory
files.peak_memory_gib()  # a figure, or None
print(memory.available() > 2**20, runner.count_cores() > 0)
"""
    command = [sys.executable, "-c", f"import psutil{WITHOUT_POSIX}{code}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "True True\n", done.stderr

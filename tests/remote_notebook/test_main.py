"""What the command says before it reaches for any machine."""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys

import pytest

from tests.remote_notebook.remote import ROOT, until, write_program


def run(*arguments, module="remote_notebook", **variables):
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-oProxyCommand=touch /tmp/x"], "oProxyCommand"),
        (["--", "-oProxyCommand=touch /tmp/x"], "not a machine"),
        ([], "name one machine"),
        (["host", "more"], "name one machine"),
        (["host", "--local_port=70000"], "--local_port=70000"),
        (["host", "--print_only", "--out_dir=/proc/x"], "--out_dir=/proc/x"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and message in done.stderr


def test_without_ssh_it_says_so(tmp_path):
    done = run("host", PATH=str(tmp_path), TMPDIR=str(tmp_path))
    assert done.returncode == 2 and "ssh is not on PATH" in done.stderr
    assert not list(tmp_path.iterdir())


def test_helpshort_puts_first_what_matters_most():
    done = run("--helpshort")
    assert done.returncode == 0, done.stderr
    flags = re.findall(r"^  --(?:\[no\])?(\w+)", done.stdout, re.M)
    assert flags[:5] == ["key", "venv", "directory", "local_port", "print_only"]
    assert done.stdout.startswith("Opens a Jupyter notebook")


@pytest.fixture
def printed(tmp_path):
    """Runs --print_only; returns the words of both commands."""

    def run_it(*arguments):
        done = run("ubuntu@host:22", *arguments, "--print_only")
        assert done.returncode == 0, done.stderr
        return list(map(shlex.split, done.stdout.splitlines()))

    return run_it


def test_print_only_gives_the_two_commands(printed, tmp_path):
    key = tmp_path / "my key.pem"
    key.touch()
    first, second = printed(f"--key={key}", f"--out_dir={tmp_path}/out")
    assert first[:-1] == ["ssh", "-t", "-i", str(key), "-p", "22", "--", "ubuntu@host"]
    assert second[:4] == ["ssh", "-N", "-L", "127.0.0.1:8888:127.0.0.1:8886"]
    assert second[-4:] == ["-p", "22", "--", "ubuntu@host"]
    assert "ExitOnForwardFailure=yes" in second
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert list(map(shlex.split, result["commands"])) == [first, second]
    assert result["config"]["destination"] == "ubuntu@host:22"
    assert result["config"]["key"] == str(key) and "python" in result["versions"]


SEEN = '#!/bin/sh\n{ pwd; printf "%s\\n" "$0" "$@" "$PATH"; } > "$HOME/seen"\n'


def typed(command, home, *variables):
    """What the program that a printed command starts there writes down."""
    there = ["env", "-i", f"HOME={home}", "PATH=/usr/bin:/bin", *variables]
    (home / "seen").unlink(missing_ok=True)
    subprocess.run([*there, "sh", "-c", command[-1]], check=True, cwd=home)
    return (home / "seen").read_text().splitlines()


def test_the_printed_command_does_what_the_program_does(printed, tmp_path):
    options = ["--no-browser", "--ip=127.0.0.1", "--port=8886", "--allow-root"]
    conda = write_program(tmp_path / "miniconda3" / "bin" / "conda", SEEN)
    first, _ = printed("--conda_env=a b'c")
    seen = typed(first, tmp_path, "SHELL=/bin/sh")
    called = ["run", "--no-capture-output", "-n", "a b'c", "jupyter", "notebook"]
    assert seen[:-1] == [str(tmp_path), str(conda), *called, *options]
    (tmp_path / "it's $HOME").mkdir()
    own = write_program(tmp_path / "env `x`" / "bin" / "jupyter", SEEN)
    first, _ = printed("--venv=env `x`", "--directory=it's $HOME", "--lab")
    seen = typed(first, tmp_path, "SHELL=/bin/bash")
    assert seen[:-1] == [str(tmp_path / "it's $HOME"), str(own), "lab", *options]
    assert seen[-1].startswith(f"{own.parent}:")
    # The one that the login shell finds.
    own = write_program(tmp_path / "own" / "jupyter", SEEN)
    (tmp_path / ".bash_profile").write_text(f"PATH='{own.parent}':$PATH\n")
    first, _ = printed()
    seen = typed(first, tmp_path, "SHELL=/bin/bash")
    assert seen[1:3] == [str(own), "notebook"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_first_moment_it_is_quiet(tmp_path, number):
    """It hangs in its imports, as on a slow disk, when the signal comes."""
    (tmp_path / "absl").mkdir()
    slow = f"import pathlib, time\npathlib.Path({str(tmp_path)!r}, 'now').touch()\n"
    (tmp_path / "absl" / "__init__.py").write_text(f"{slow}time.sleep(1000)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "remote_notebook", "host"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: pathlib.Path(tmp_path, "now").exists(), "the import")
    process.send_signal(number)
    _, errors = process.communicate(timeout=180)
    assert (process.returncode, errors) == (130, "")

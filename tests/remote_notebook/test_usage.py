"""What the notebook program says before it reaches for any machine."""

import shlex
import subprocess
import sys

import pytest

from tests.remote_notebook.remote import ROOT


def run(*arguments):
    command = [sys.executable, "-m", "remote_notebook", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-oProxyCommand=touch /tmp/x"], "oProxyCommand"),
        (["--", "-oProxyCommand=touch /tmp/x"], "destination"),
        (["host;touch x"], "destination"),
        (["$(touch x)"], "destination"),
        (["a b"], "destination"),
        ([], "name one machine"),
        (["host", "more"], "name one machine"),
        (["host", "--key=/no/such"], "key"),
        (["host", "--ssh_config=/no/such"], "ssh_config"),
        (["host", "--remote_port=0"], "remote_port"),
        (["host", "--local_port=70000"], "local_port"),
        (["host", "--conda_env=-n"], "conda_env"),
        (["host", "--directory=a\nb"], "directory"),
        (["host", "--poll_seconds=0"], "poll_seconds"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and message in done.stderr
    assert "Traceback" not in done.stderr


def test_print_only_gives_the_two_commands(tmp_path):
    key = tmp_path / "my key.pem"
    key.touch()
    done = run(
        "ubuntu@host",
        f"--key={key}",
        "--directory=~/it's",
        "--conda_env=a b",
        "--print_only",
    )
    assert done.returncode == 0, done.stderr
    first, second = map(shlex.split, done.stdout.splitlines())
    assert first[:6] == ["ssh", "-t", "-i", str(key), "--", "ubuntu@host"]
    assert shlex.split(first[6])[:3] == ["cd", "$HOME/it's", "&&"]
    assert "a b" in shlex.split(first[6]) and "--port=8886" in shlex.split(first[6])
    assert second[:4] == ["ssh", "-N", "-L", "127.0.0.1:8888:127.0.0.1:8886"]
    assert "ExitOnForwardFailure=yes" in second


def test_without_ssh_it_says_so(tmp_path):
    command = [sys.executable, "-m", "remote_notebook", "host"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 2 and "ssh is not on PATH" in done.stderr

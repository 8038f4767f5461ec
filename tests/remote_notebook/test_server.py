"""Which Jupyter is started on the remote machine, and why one is not."""

import json
import signal

import pytest

from remote_notebook.server import remote_path
from tests.remote_notebook.remote import NEVER, STAND_IN, write_program


def test_no_jupyter_and_no_such_program(remote, refused):
    remote.set_path()
    refused(words=["no jupyter", "pip install notebook"])
    program = "/no/such/bin/jupyter"
    refused(f"--jupyter={program}", words=[f"no program {program}"])
    program = remote.home / "none" / "bin" / "jupyter"
    refused("--venv=~/none", words=[f"no program {program}", "pip install notebook"])


def test_no_such_directory(refused):
    words = ["cannot enter", "/no/such; touch"]
    refused("--directory=/no/such; touch x", words=words)


def test_jupyter_that_ends_gives_its_reason(remote, refused):
    text = "#!/bin/sh\necho 'http://x/?token=0' >&2; echo 'ImportError: no zmq' >&2\n"
    remote.install(f"{text}echo '  at: token=0' >&2; exit 1\n")
    refused(words=["jupyter ended: ImportError: no zmq"])


def test_jupyter_that_never_starts_is_stopped(remote, refused):
    remote.install(NEVER)
    refused("--start_seconds=0.5", words=["did not start within 0.5 s"])


@pytest.fixture
def started(remote, notebook):
    """Starts Jupyter, ends it again, and returns how it was called."""

    def start(*arguments):
        program = notebook(*arguments)
        program.says("http://")
        program.signal(signal.SIGTERM)
        assert program.ends() == 0
        assert program.errors.read_text() == ""
        return json.loads((remote.home / "call").read_text())

    return start


def test_a_virtual_environment(remote, started):
    remote.set_path()
    program = write_program(remote.home / "my env" / "bin" / "jupyter", STAND_IN)
    call = started("--venv=my env/", "--remote_port=8765")
    options = ["--no-browser", "--ip=127.0.0.1", "--port=8765", "--allow-root"]
    assert call["argv"] == [str(program), "notebook", *options]
    assert call["folder"] == str(remote.home)
    assert call["variables"]["PATH"].startswith(f"{program.parent}:")
    assert call["variables"]["VIRTUAL_ENV"] == str(remote.home / "my env")


def test_a_program_of_ones_own_and_a_directory(remote, started):
    program = write_program(remote.home / "start it's", STAND_IN)
    (remote.home / "a folder").mkdir()
    call = started("--jupyter=~/start it's", "--lab", "--directory=~/a folder")
    assert call["argv"][:2] == [str(program), "lab"]
    assert call["folder"] == str(remote.home / "a folder")


def test_lab_where_only_lab_is_installed(remote, started):
    hidden = remote.home / "pipx" / "bin"
    write_program(hidden / "jupyter", STAND_IN)
    write_program(hidden / "jupyter-lab", "#!/bin/sh\nexit 1\n")
    (remote.home / ".local" / "bin").mkdir(parents=True)
    (remote.home / ".local" / "bin" / "jupyter-lab").symlink_to(hidden / "jupyter-lab")
    remote.set_path()
    assert started()["argv"][:2] == [str(hidden / "jupyter"), "lab"]
    # Both on PATH, but not side by side.
    remote.install()
    assert started()["argv"][:2] == [str(remote.home / "bin" / "jupyter"), "lab"]


@pytest.mark.parametrize("interactive_works", [True, False])
def test_the_jupyter_that_a_login_shell_finds(remote, started, interactive_works):
    """One types into a shell that reads .bashrc, unless that goes astray."""
    program = write_program(remote.home / "env" / "bin" / "jupyter", STAND_IN)
    activate = f"export PATH='{program.parent}':$PATH MULTI='a\n\"b'"
    source = "case $- in *i*) . ~/.bashrc ;; esac"
    remote.set_shell("/bin/bash")
    lines = (
        (source, activate)
        if interactive_works
        else (f"{activate}\n{source}", "exec cat")
    )
    for name, line in zip((".bash_profile", ".bashrc"), lines, strict=True):
        (remote.home / name).write_text(f"{line}\n")
    call = started()
    assert call["argv"][0] == str(program)
    assert call["variables"]["MULTI"] == 'a\n"b'


def conda(remote, prefix):
    """A conda that writes down which environment it activates."""
    seen = remote.home / "seen"
    write_program(
        remote.home / "miniconda3" / "bin" / "conda",
        f'#!/bin/sh\nprintf %s "$3" > {seen}\n'
        f"echo \"export CONDA_PREFIX='{prefix}' PATH='{prefix}/bin':\\$PATH\"\n",
    )
    return seen


def test_conda_environment_is_activated(remote, started, refused):
    remote.set_path()  # so that it is found through conda alone
    seen = conda(remote, remote.home / "prefix")
    refused("--conda_env=empty", words=["no program", "conda install"])
    program = write_program(remote.home / "prefix" / "bin" / "jupyter", STAND_IN)
    assert started("--conda_env=a b'c")["argv"][0] == str(program)
    assert seen.read_text() == "a b'c"


EVIL = """$(touch {0}) `touch {0}` '; touch {0}; ' "; touch {0}; " a\\'; touch {0}"""


def test_no_argument_reaches_a_shell(notebook, tmp_path):
    mark = tmp_path / "touched"
    flags = ("directory", "conda_env", "venv", "jupyter")
    for program in [notebook(f"--{flag}={EVIL.format(mark)}") for flag in flags]:
        assert program.ends() == 2
        errors = program.errors.read_text()
        assert errors.count("\n") == 1 and "touch" in errors
    assert not mark.exists()


def test_a_path_begins_in_the_home_folder():
    assert remote_path("") == remote_path("~") == remote_path("~/") == '"$HOME"'
    assert remote_path("~/a b") == remote_path("a b") == "\"$HOME\"/'a b'"
    assert remote_path("/a b") == "'/a b'"

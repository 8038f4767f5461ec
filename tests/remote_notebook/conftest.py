"""The remote machine and the program that reaches it."""

import os
import pathlib
import signal
import tempfile

import pytest

from tests.remote_notebook.remote import Notebook, Remote, missing, processes, until


@pytest.fixture
def tmp_path():
    """A short one: the path of a socket may have 104 characters, pytest's have more."""
    with tempfile.TemporaryDirectory(prefix="gs") as folder:
        yield pathlib.Path(folder)


@pytest.fixture
def remote(tmp_path):
    """The remote machine; afterwards nothing of it may be left."""
    if missing() and not os.environ.get("CI"):
        pytest.skip(f"needs {missing()}")
    assert not missing()
    folder = tmp_path / "remote"
    folder.mkdir()
    machine = Remote(folder)
    machine.start()
    yield machine
    machine.stop()
    try:
        until(lambda: not processes(str(tmp_path)), "the end of its processes", 20)
    finally:
        for process in processes(str(tmp_path)):
            os.kill(process, signal.SIGKILL)
    assert not list(machine.temporary.iterdir())


@pytest.fixture
def notebook(remote, tmp_path):
    """Starts the program; ends it, come what may."""
    started = []

    def start(*arguments, **variables):
        folder = tmp_path / f"local{len(started)}"
        folder.mkdir()
        started.append(Notebook(remote, folder, *arguments, **variables))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


@pytest.fixture
def refused(notebook):
    """Runs the program; it must end with exit code 2 and say the words on stderr."""

    def run(*arguments, words, lines=1):
        program = notebook(*arguments)
        code, errors = program.ends(), program.errors.read_text()
        assert code == 2, errors
        assert errors.count("\n") == lines or lines is None, errors
        assert "Traceback" not in errors
        for word in words:
            assert word in errors, errors
        assert not program.left()
        return errors

    return run

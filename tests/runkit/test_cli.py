"""How a command ends: one line, the right exit code, and no traceback."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

import runkit

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = '''"""Says what it does.

More words.
"""
from runkit import cli
import sys, time
from absl import flags
flags.DEFINE_integer("steps", 3, "The number of steps.")
flags.DEFINE_enum("kind", "a", ["a", "b"], "The kind.")
flags.DEFINE_bool("fast", False, "Whether to hurry.")
def main(argv):
    {body}
if __name__ == "__main__":
    cli.run(main, "topic", first=("kind",))
'''


def program(tmp_path, body="pass"):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(body=body))
    return [sys.executable, str(path)]


def run(tmp_path, body, *arguments, **more):
    return subprocess.run(
        [*program(tmp_path, body), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        **more,
    )


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("pass", 0, ""),
        ("return 130", 130, ""),
        ("raise ValueError('two\\nlines')", 2, "topic: two lines\n"),
        ("open('/no/such/file')", 2, "topic: [Errno 2] No such file or directory"),
        ("raise cli.Failed('diverged')", 1, "topic: diverged\n"),
        ("raise FloatingPointError('diverged')", 1, "topic: diverged\n"),
        ("raise MemoryError('1 GiB')", 1, "topic: out of memory: 1 GiB\n"),
        ("raise KeyboardInterrupt", 130, ""),
        ("raise BrokenPipeError", 0, ""),
    ],
)
def test_exit_codes(tmp_path, body, code, message):
    done = run(tmp_path, body)
    assert done.returncode == code
    assert done.stderr.startswith(message) and done.stderr.count("\n") == bool(message)


@pytest.mark.parametrize("wrong", ["--steps=many", "--kind=c", "--none", "more"])
def test_a_wrong_command_line_is_one_line(tmp_path, wrong):
    done = run(tmp_path, "pass", wrong)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert wrong.strip("-").partition("=")[0] in done.stderr
    assert "--helpshort" in done.stderr and done.stderr.startswith("topic: ")


@pytest.mark.parametrize("flag", ["-h", "--help", "--helpshort"])
def test_help_shows_the_flags_that_matter_first(tmp_path, flag):
    done = run(tmp_path, "pass", flag)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("Says what it does.\n")
    first, others = (done.stdout.index(each) for each in ("--kind=a|b [a]", "--steps"))
    assert first < others and "--[no]fast" in done.stdout
    assert done.stdout.count("--kind") == 1


def test_version(tmp_path):
    done = run(tmp_path, "pass", "--version")
    assert done.returncode == 0
    assert done.stdout == f"deep-learning-posts {runkit.__version__}\n"


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("style_transfer", "tensorflow", "style"),
        ("char_rnn.sample", "tensorflow", "rnn"),
        ("genetic", "distributed", "distributed"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(tmp_path, name, missing, extra):
    (tmp_path / f"{missing}.py").write_text(
        f"raise ModuleNotFoundError('no {missing}', name='{missing}')"
    )
    main = f"lambda argv: __import__({missing!r})"
    code = f"from runkit import cli; cli.run({main}, {name!r})"
    paths = os.pathsep.join((str(tmp_path), str(ROOT)))
    env = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr == (
        f"{name}: {missing} is missing: run "
        f"`pip install 'deep-learning-posts[{extra}]'`\n"
    )


@pytest.mark.parametrize("name", ["fcntl", "genetic.none"])
def test_what_no_package_brings_is_a_failure_of_ours(tmp_path, name):
    done = run(tmp_path, f"raise ModuleNotFoundError('gone', name={name!r})")
    assert done.returncode == 1 and "Traceback" in done.stderr
    assert "pip install" not in done.stderr


def test_without_absl_a_flag_says_how_to_install_it(tmp_path):
    (tmp_path / "absl.py").write_text("raise ImportError('no absl')")
    code = "from runkit import cli; cli.run(lambda argv: print('ran'), 'topic')"
    command = [sys.executable, "-c", code]
    paths = os.pathsep.join((str(tmp_path), str(ROOT)))
    env = {**os.environ, "PYTHONPATH": paths}
    plain = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (plain.returncode, plain.stdout) == (0, "ran\n")
    flagged = subprocess.run(
        [*command, "--steps=1"], env=env, capture_output=True, text=True
    )
    assert flagged.returncode == 2
    assert flagged.stderr.count("\n") == 1 and "pip install absl-py" in flagged.stderr


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["imports", "main"])
def test_a_signal_ends_it_without_a_traceback(tmp_path, number, when):
    body = "print('ready', flush=True); time.sleep(60)"
    command = program(tmp_path, body)
    if when == "imports":
        path = pathlib.Path(command[1])
        path.write_text(
            path.read_text().replace(
                "import sys, time\n",
                f"""
import sys, time; {body}
""",
            )
        )
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and errors == b""


STOP = """
import os, signal, sys
from runkit import stop
with stop.asked() as request:
    assert not request.now
    os.kill(os.getpid(), signal.{name})
    print(request.now, flush=True)
    if len(sys.argv) > 1: os.kill(os.getpid(), signal.{name})
signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_first_signal_asks_and_a_second_ends(name):
    command = [sys.executable, "-c", STOP.format(name=name)]
    options = {"cwd": ROOT, "capture_output": True, "text": True}
    once = subprocess.run(command, **options)
    assert once.stdout == "True\n" and "KeyboardInterrupt" in once.stderr
    twice = subprocess.run([*command, "again"], **options)
    assert twice.returncode == -getattr(signal, name) and twice.stderr == ""


BAR = """
from absl import logging
from runkit import progress
logging.set_verbosity(logging.INFO)
with progress.Bar(1000, "step") as bar:
    for step in range(1, 1001):
        bar.update(step, f"loss {1 / step:.2f}")
    bar.update(1000)
    bar.write("done")
"""


def test_without_a_terminal_progress_is_ten_lines():
    command = [sys.executable, "-c", BAR]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = done.stderr.splitlines()
    assert len(lines) == 11 and lines[-1].endswith("done"), done.stderr
    assert "step 100 of 1000, loss 0.01, " in lines[0] and "left" in lines[0]


def test_on_a_terminal_progress_is_a_bar():
    fcntl, pty, termios = map(pytest.importorskip, ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, bytes([24, 0, 80, 0, 0, 0, 0, 0]))
    subprocess.run([sys.executable, "-c", BAR], cwd=ROOT, stderr=theirs, check=True)
    shown = os.read(ours, 4096).decode()
    assert "%|" in shown and "step 100 of" not in shown

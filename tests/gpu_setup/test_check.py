"""The programs as a user runs them: formats, exit codes, redaction, snapshots."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import venv
from html.parser import HTMLParser

import pytest

from gpu_setup import guide, redaction, report
from gpu_setup.case import guide_data
from gpu_setup.machine import Machine
from tests.gpu_setup.machines import BLIND, NO_CARD, SOUND

ROOT = pathlib.Path(__file__).parents[2]
GUIDE = guide_data()["guide"]
TITLES = [row["title"] for row in GUIDE]
STATUSES = {"ok", "problem", "skip", "unknown"}


@pytest.fixture
def check(tmp_path):
    """Runs `python -m gpu_setup.check` on a saved machine, or with no machine here."""

    def run(*flags, machine=None, module="check", **more):
        command = [sys.executable, "-m", f"gpu_setup.{module}", *flags]
        if machine:
            root = tmp_path / "machine"
            if not root.exists():
                root.mkdir()
                machine.write(root)
            command += [f"--root={root}", "--run_commands"]
            path = f"{root / 'commands'}"
            more.setdefault("env", {**os.environ, "PATH": path})
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=120, **more
        )

    return run


def assert_schema(text):
    """The schema that `docs/gpu_setup.md` states."""
    report = json.loads(text)
    assert list(report) == ["headline", "verdict", "command", "steps"]
    assert report["verdict"] in {"ready", "problem", "cpu"}
    assert [step["id"] for step in report["steps"]] == [row["id"] for row in GUIDE]
    for step in report["steps"]:
        fields = ["id", "title", "status", "found", "expected", "advice", "command"]
        assert list(step) == fields
        assert all(isinstance(value, str) for value in step.values())
        assert step["status"] in STATUSES
    return report


@pytest.mark.parametrize(
    ("machine", "flags", "code", "verdict"),
    [
        (SOUND, [], 0, "ready"),
        (SOUND, ["--expect=cpu"], 0, "ready"),
        (BLIND, [], 1, "problem"),
        (BLIND, ["--expect=cpu"], 0, "problem"),
        (NO_CARD, [], 1, "cpu"),
        (NO_CARD, ["--expect=cpu"], 0, "cpu"),
        (NO_CARD.but(tensorflow={"state": "broken"}), ["--expect=cpu"], 1, "problem"),
    ],
)
def test_json_and_exit_code(check, machine, flags, code, verdict):
    done = check("--format=json", *flags, machine=machine)
    assert done.returncode == code, done.stderr
    assert assert_schema(done.stdout)["verdict"] == verdict
    assert done.stderr == ""


def test_text_stays_within_the_terminal(check):
    done = check(machine=BLIND)
    lines = done.stdout.splitlines()
    rest = [x for x in lines[1:] if not x.lstrip().startswith("$")]
    assert all(len(x) <= 88 for x in rest), rest
    assert all(title in done.stdout for title in TITLES)
    assert lines[0].startswith("Not ready: ") and " Next: " in lines[0]


def test_every_format_is_written(check, tmp_path):
    out = tmp_path / "out"
    done = check("--format=text,markdown,json,html", f"--out_dir={out}", machine=BLIND)
    assert done.returncode == 1
    names = {path.name for path in out.iterdir()}
    assert names == {f"report.{e}" for e in ("txt", "md", "json", "html")} | {
        "result.json"
    }
    assert_schema((out / "report.json").read_text())
    result = json.loads((out / "result.json").read_text())
    assert (result["verdict"], result["exit_code"]) == ("problem", 1)
    assert list(result["steps"]) == TITLES
    assert result["config"]["expect"] == "gpu" and result["seconds"] > 0
    for path in out.glob("report.[tm]*"):
        assert path.read_text().strip("*").startswith("Not ready: ")
    assert "<b>Not ready:</b>" in (out / "report.html").read_text()
    rows = [x for x in (out / "report.md").read_text().splitlines() if x[0:1] == "|"]
    assert len(rows) == 2 + len(GUIDE)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows)


class Page(HTMLParser):
    """The classes of the steps, the text, and whether every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.steps, self.text, self.tags = [], [], "", set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "li":
            self.steps.append(dict(attributes)["class"])
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_html_escapes_and_needs_nothing_from_outside():
    nasty = ("problem", "<script>x</script>", "a & b", "\"'", "x | y `z` $verdict")
    step = guide.Step(*nasty, "gpu", "1. <i>")
    judgement = guide.Judgement("problem", [step, guide.Step("ok", id="a", title="b")])
    page = Page(report.as_html(judgement))
    assert page.open == [] and page.steps == ["problem", "ok"]
    assert not page.tags & {"script", "i"}
    assert "<script>x</script>" in page.text and "$verdict" in page.text
    assert not re.search(r"https?://", report.as_html(judgement))
    assert "x \\| y" in report.as_markdown(judgement)


def test_a_step_has_the_colour_of_its_own_status():
    """Under a verdict of "problem", an "ok" must not be red."""
    style = report.as_html(guide.Judgement("problem", []))
    selectors = re.findall(r"\.(\w+) > \.status", style)
    assert set(selectors) == STATUSES
    assert '<header class="verdict-problem">' in style
    assert 'class="problem"' not in style


def test_redaction_hides_who_and_where(monkeypatch):
    words = {"fox": "HOST", "eve": "USER", "/home/eve": "~"}
    monkeypatch.setattr(redaction, "private_words", lambda: words)
    text = "fox /home/eve/x /home/adam/y eve@fox evening foxes Serial Number: 0123 "
    hidden = redaction.redact(text + "GPU-12345678-1234-1234-1234-123456789abc")
    assert hidden == (
        "HOST ~/x /home/USER/y USER@HOST evening foxes Serial Number: SERIAL SERIAL"
    )


@pytest.mark.parametrize(
    ("flags", "terminal", "file"),
    [([], True, False), (["--redact"], False, False), (["--noredact"], True, True)],
)
def test_redaction_is_for_files_unless_asked(check, tmp_path, flags, terminal, file):
    out = tmp_path / "out"
    done = check("--format=json", f"--out_dir={out}", *flags, machine=SOUND)
    assert ("/home/eve" in done.stdout) == terminal
    assert ("/home/eve" in (out / "report.json").read_text()) == file


def test_snapshot_holds_no_secret_and_is_judged_alike(check, tmp_path):
    archive = tmp_path / "machine.tar.gz"
    environment = {**os.environ, "HOME": "/home/eve", "VIRTUAL_ENV": "/home/eve/v"}
    done = check(str(archive), "--notensorflow", module="snapshot", env=environment)
    assert done.returncode == 0, done.stderr
    assert "redacted" in done.stdout
    with tarfile.open(archive) as saved:
        names = saved.getnames()
        texts = [saved.extractfile(m).read() for m in saved if m.isfile()]
    assert "machine.json" in names
    assert not any(b"/home/eve" in text for text in texts)
    again = check(f"--root={archive}", "--format=json", "--redact")
    here = check("--notensorflow", "--format=json", "--redact", env=environment)
    steps = [assert_schema(x.stdout)["steps"] for x in (again, here)]
    for saved_step, step in zip(*steps, strict=True):
        assert (saved_step["id"], saved_step["status"]) == (step["id"], step["status"])


@pytest.mark.parametrize(
    "members",
    [
        [("proc", "../../../../proc")],
        [("proc", "/proc")],
        [("../escaped", None)],
        [("a", "."), ("a/../../escaped", None)],
        [("pipe", "pipe")],
    ],
)
def test_a_snapshot_cannot_lead_outside(check, tmp_path, members):
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as evil:
        for name, link in members:
            entry = tarfile.TarInfo(name)
            if link:
                entry.type, entry.linkname = tarfile.SYMTYPE, link
            if name == "pipe":
                entry.type = tarfile.FIFOTYPE
            evil.addfile(entry)
    done = check(f"--root={archive}")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is not a snapshot" in done.stderr
    assert not list(tmp_path.rglob("escaped"))


def test_what_has_changed_since_it_worked(check, tmp_path):
    before = tmp_path / "before"
    before.mkdir()
    SOUND.write(before)
    done = check(f"--before={before}", machine=BLIND)
    assert done.returncode == 1
    changed = done.stdout.partition("Changed since")[2]
    assert "You're all done!\n  then  unknown" not in changed
    assert "then  ok: 1 GPU, each" in changed and "now   problem: no GPU" in changed
    assert "0. nomodeset" not in changed
    assert check(f"--root={before}", f"--before={before}").stdout.endswith(
        ":\nnothing that this program looks at\n"
    )


LOG = """\
2024-05-01 10:00:00.1: E cuda_fft.cc:485] Unable to register cuFFT factory: Attempting
Loaded runtime CuDNN library: 9.1.0 but source was compiled with: 9.3.0.  CuDNN
a line of one's own
"""


@pytest.mark.parametrize(
    ("log", "code", "first"),
    [
        (LOG, 1, "Cause, in line 2: cuDNN 9.1.0 is older than the 9.3.0"),
        ("Using TensorFlow backend.\n", 0, "Nothing is wrong."),
        ("all well\n", 3, "Cannot tell"),
    ],
)
def test_log_flag(check, tmp_path, log, code, first):
    path = tmp_path / "log"
    path.write_text(log)
    done = check(f"--log={path}")
    assert done.returncode == code
    assert done.stdout.startswith(first)


def test_log_from_stdin(check):
    done = check("--log=-", input=LOG)
    assert done.returncode == 1 and "2 of 3 lines are known." in done.stdout


def test_log_of_powershell(check, tmp_path):
    path = tmp_path / "log"
    path.write_text(LOG.replace("Loaded", "\x1b[31mLoaded\x1b[0m"), encoding="utf-16")
    assert "2 of 3 lines are known." in check(f"--log={path}").stdout


@pytest.mark.skipif(not os.path.exists("/sbin/ldconfig"), reason="no ldconfig")
def test_commands_of_the_system_are_found_without_their_folders_on_path(monkeypatch):
    monkeypatch.setenv("PATH", "/no/such")
    assert Machine().run("ldconfig", "-p").state == "ok"


def test_nothing_but_a_python_is_needed(tmp_path):
    """A virtual environment without any package, not even pip; in less than 1 s.

    Seconds of the processor are counted: others may keep the machine busy.
    """
    venv.create(tmp_path, symlinks=True)
    bare = [str(tmp_path / "bin" / "python"), "-m", "gpu_setup.check"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def run(*flags):
        return subprocess.run(
            [*bare, *flags], cwd=ROOT, capture_output=True, text=True, env=environment
        )

    began = os.times()
    done = run()
    used = os.times()
    assert (done.returncode, done.stderr) == (1, "")
    assert "TensorFlow is not installed" in done.stdout
    spent = used.children_user + used.children_system
    assert spent - began.children_user - began.children_system < 1
    done = run("--log=x")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "pip install absl-py" in done.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--format=pdf"], "format"),
        (["--format="], "format"),
        (["--root=/no/such"], "/no/such: no such machine"),
        (["--root=/no/such.tar.gz"], "/no/such.tar.gz"),
        (["--before=/no/such"], "/no/such: no such machine"),
        (["--log=/no/such"], "/no/such"),
        (["--expect=tpu"], "expect"),
        (["--command_seconds=0"], "command_seconds"),
        (["--tensorflow_seconds=nan"], "tensorflow_seconds"),
        (["more"], "unexpected 'more'"),
        (["--notensorflow", "--out_dir=setup.cfg/x"], "setup.cfg"),
    ],
)
def test_bad_usage_is_one_line(check, flags, message):
    done = check(*flags)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and message in done.stderr


@pytest.mark.parametrize("arguments", [[], ["a.zip"], ["/no/such/machine.tar.gz"]])
def test_bad_usage_of_snapshot_is_one_line(check, arguments):
    done = check(*arguments, "--notensorflow", module="snapshot")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1

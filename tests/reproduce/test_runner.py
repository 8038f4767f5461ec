"""Runs go on where they were stopped, fail alone, and keep out of each other's way."""

import dataclasses
import json
import pathlib

import pytest

from reproduce import runner
from reproduce.config import Config
from reproduce.post import Experiment
from runkit import files

ROOT = pathlib.Path(__file__).parents[2]
# A command that ends well, ends badly, or waits for Ctrl-C and can go on.
STUB = """\
import pathlib, sys, time

folder = pathlib.Path(sys.argv[-1].partition("=")[2])
if "--fail" in sys.argv:
    print("it starts")
    sys.exit("stub: not finite: try a lower --learning_rate than 25")
if "--wait" in sys.argv and not (folder / "checkpoint.npz").exists():
    try:
        (folder / "waiting").touch()
        time.sleep(600)
    except KeyboardInterrupt:
        (folder / "checkpoint.npz").touch()
        sys.exit(130)
(folder / "weights.npz").touch()
(folder / "result.json").write_text("{}")
"""
QUICK = Experiment("quick", "stub --quick")
FAILING = Experiment("failing", "stub --fail")
WAITING = Experiment("waiting", "stub --wait")


@pytest.fixture(autouse=True)
def stub(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("stub")
    (folder / "stub.py").write_text(STUB)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def run(folder, *experiments):
    outcomes = runner.run(experiments, Config(), folder, lambda running: None)
    return {outcome.experiment.name: outcome for outcome in outcomes}


def record(folder):
    return json.loads((folder / "run.json").read_text())


def test_what_is_done_is_not_run_again(tmp_path):
    assert run(tmp_path, QUICK)["quick"] == runner.Outcome(QUICK)
    written = (tmp_path / "quick" / "result.json").stat().st_mtime_ns
    assert not run(tmp_path, QUICK)["quick"].ran
    assert (tmp_path / "quick" / "result.json").stat().st_mtime_ns == written


def test_another_command_starts_anew(tmp_path):
    run(tmp_path, QUICK)
    (tmp_path / "quick" / "left").touch()
    other = dataclasses.replace(QUICK, command="stub --other")
    assert run(tmp_path, other)["quick"].ran
    assert "--other" in record(tmp_path / "quick")["command"]
    assert not (tmp_path / "quick" / "left").exists()


def test_a_failure_is_one_line_and_stops_nothing(tmp_path):
    outcomes = run(tmp_path, FAILING, QUICK)
    assert (
        outcomes["failing"].error
        == "stub: not finite: try a lower --learning_rate than 25"
    )
    assert outcomes["quick"].error == ""
    assert not runner.is_done(FAILING, Config(), tmp_path / "failing")


def test_a_divergence_can_be_a_finding(tmp_path):
    diverging = dataclasses.replace(FAILING, may_diverge=True)
    assert run(tmp_path, diverging)["failing"].error == ""
    result = json.loads((tmp_path / "failing" / "result.json").read_text())
    assert result == {
        "diverged": "stub: not finite: try a lower --learning_rate than 25"
    }
    assert runner.DIVERGED in (ROOT / "char_rnn" / "training.py").read_text()


def test_what_is_not_needed_is_thrown_away(tmp_path):
    run(tmp_path, dataclasses.replace(QUICK, discard="*.npz"))
    assert not list((tmp_path / "quick").glob("*.npz"))


def test_two_at_once_in_one_folder_are_refused(tmp_path):
    beside = tmp_path / ".locks" / "quick"
    beside.mkdir(parents=True)
    refused = pytest.raises(OSError, match="another run is using")
    with files.locked(str(beside)), refused:
        run(tmp_path, QUICK)


def test_what_is_interrupted_saves_and_goes_on(tmp_path):
    folder = tmp_path / "waiting"

    def interrupt(running):
        assert set(running) == {"waiting"}
        if (folder / "waiting").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(runner.run([WAITING], Config(), tmp_path, interrupt))
    assert (folder / "checkpoint.npz").exists()
    assert not record(folder)["done"]
    (folder / "left").touch()  # what goes on is not started anew
    assert run(tmp_path, WAITING)["waiting"] == runner.Outcome(WAITING)
    assert record(folder)["done"] and (folder / "left").exists()

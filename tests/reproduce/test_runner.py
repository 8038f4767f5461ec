"""Runs go on where they were stopped, fail alone, and keep out of each other's way."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from reproduce import runner, store
from reproduce.config import Config
from reproduce.post import Experiment
from reproduce.posts import EXPERIMENTS

ROOT = pathlib.Path(__file__).parents[2]
QUICK = Experiment("quick", "genetic.main --generations=5")
FAILING = Experiment("failing", "genetic.main --population=1")


def run(folder, *experiments, config=None):
    outcomes = runner.run(experiments, config or Config(), folder, lambda running: None)
    return {outcome.experiment.name: outcome for outcome in outcomes}


def test_names_are_unique_and_have_a_time():
    assert len({e.name for e in EXPERIMENTS}) == len(EXPERIMENTS)
    assert all(any(experiment.seconds) for experiment in EXPERIMENTS)


def test_what_is_done_is_not_run_again(tmp_path):
    assert run(tmp_path, QUICK)["quick"] == runner.Outcome(QUICK)
    written = (tmp_path / "quick" / "result.json").stat().st_mtime_ns
    assert not run(tmp_path, QUICK)["quick"].ran
    assert (tmp_path / "quick" / "result.json").stat().st_mtime_ns == written


def test_another_command_starts_anew(tmp_path):
    run(tmp_path, QUICK)
    (tmp_path / "quick" / "left").touch()
    longer = Experiment("quick", "genetic.main --generations=6")
    assert run(tmp_path, longer)["quick"].ran
    result = json.loads((tmp_path / "quick" / "result.json").read_text())
    assert result["generations"] == 6
    assert not (tmp_path / "quick" / "left").exists()


def test_a_failure_is_one_line_and_stops_nothing(tmp_path):
    outcomes = run(tmp_path, FAILING, QUICK)
    assert "--population=1" in outcomes["failing"].error
    assert outcomes["quick"].error == ""
    assert not runner.is_done(FAILING, Config(), tmp_path / "failing")


def test_a_divergence_can_be_a_finding(tmp_path):
    command = "char_rnn.main --learning_rate=1e6 --steps=200"
    diverging = Experiment("rate", command)
    assert "the loss is not finite" in run(tmp_path, diverging)["rate"].error
    diverging = dataclasses.replace(diverging, may_diverge=True)
    assert run(tmp_path, diverging)["rate"].error == ""
    result = json.loads((tmp_path / "rate" / "result.json").read_text())
    assert "the loss is not finite" in result["diverged"]


def test_what_is_not_needed_is_thrown_away(tmp_path):
    experiment = dataclasses.replace(QUICK, discard="*.npz")
    run(tmp_path, experiment)
    assert not list((tmp_path / "quick").glob("*.npz"))


def test_two_at_once_in_one_folder_are_refused(tmp_path):
    refused = pytest.raises(BlockingIOError, match="another process is writing there")
    runner.lock(tmp_path / "quick")
    with refused:
        run(tmp_path, QUICK)


def test_real_data_is_taken_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = next(e for e in EXPERIMENTS if e.name == "concat")
    assert "--corpus=embedded" in Config().command(text, "out")
    cached = tmp_path / "char_rnn" / "text8.zip"
    cached.parent.mkdir()
    cached.touch()
    assert f"--corpus={cached}" in Config().command(text, "out")
    named = tmp_path / "mine.zip"
    named.touch()
    assert f"--corpus={named}" in Config(text=str(named)).command(text, "out")


def test_paths_of_the_machine_are_not_kept():
    kept = store.bare(
        {"a": ["--corpus=/home/eve/text8.zip", "/x/y.png", "a/b", 1], "b": "c = /d"}
    )
    assert kept == {"a": ["--corpus=text8.zip", "y.png", "a/b", 1], "b": "c = /d"}
    ours = f"--problem={ROOT}/reproduce/data/toy.csv"
    assert store.bare(ours) == "--problem=reproduce/data/toy.csv"


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_children_and_the_next_call_goes_on(tmp_path, number):
    """char_rnn saves when it is interrupted, and goes on from there."""
    folder = tmp_path / "short" / "concat"
    flags = [
        "--only=concat",
        f"--out_dir={tmp_path}",
        f"--gallery={tmp_path}/gallery.html",
    ]
    main = [sys.executable, "-m", "reproduce.main", *flags]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    process = subprocess.Popen(main, cwd=ROOT, env=environment)
    wait_for((folder / "checkpoint.npz").exists)
    process.send_signal(number)
    assert process.wait(60) == 130
    steps = json.loads((folder / "result.json").read_text())["steps"]
    assert 0 < steps < 20_000
    assert not json.loads((folder / "run.json").read_text())["done"]
    (folder / "left").touch()  # what goes on is not started anew
    process = subprocess.Popen(main, cwd=ROOT, env=environment)
    wait_for(lambda: "going on from step" in (folder / "log.txt").read_text())
    process.send_signal(number)
    assert process.wait(60) == 130
    assert (folder / "left").exists()

"""A run with all that it leaves, how it goes on, and that a NaN never wins."""

import csv
import dataclasses
import json
import math
import shutil

import numpy as np
import pytest

from char_rnn import checkpoint, evaluate, record, text
from char_rnn.config import Config
from char_rnn.corpus import Corpus

CONFIG = Config.of_recipe(
    "modern", num_nodes=8, num_unrollings=5, batch_size=4, steps=60
)


@pytest.fixture(scope="module")
def corpus(data):
    return Corpus("mine", text.ALPHABET, np.tile(data, 2))


@pytest.fixture
def make(tmp_path, corpus):
    """Makes a recorder that evaluates every 20 steps, after four calls."""

    def make(config=CONFIG, **settings):
        settings = {"folder": str(tmp_path), "corpus": corpus} | settings
        recorder = record.Recorder(
            config=config, report_every=20, save_every=0, **settings
        )
        recorder.trainer.steps_per_call = 5
        return recorder

    return make


@pytest.fixture(scope="module")
def whole(tmp_path_factory, corpus):
    """A folder of a run that nothing disturbed, and what `finish` returned."""
    folder = tmp_path_factory.mktemp("whole")
    recorder = record.Recorder(str(folder), CONFIG, corpus, 20)
    news = [recorder.news for _ in recorder.run()]
    assert [each.partition(",")[0] for each in news] == [
        "step 20",
        "step 40",
        "step 60",
    ]
    return folder, recorder.finish(False)


def rows(folder):
    with open(folder / "log.csv") as file:
        return list(csv.DictReader(file))


def test_the_last_evaluation_is_after_many_steps_too(make):
    recorder = make(dataclasses.replace(CONFIG, steps=61))
    assert all(recorder.run())
    assert [row["step"] for row in recorder.rows] == [20, 40, 61]


def test_what_a_run_leaves(whole):
    folder, metrics = whole
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.npz",
        "checkpoint_previous.npz",
        "learning.png",
        "log.csv",
        "model.npz",
        "result.json",
        "samples.txt",
        "tensorboard",
    }
    found = json.loads((folder / "result.json").read_text())
    assert found.items() >= metrics.items()
    assert found["steps"] == 60 and found["corpus"] == "mine"
    assert len(found["ngram_valid_bpc"]) == 5 and len(found["sample"]) == 201
    assert [row["step"] for row in rows(folder)] == ["20", "40", "60"]
    assert (folder / "samples.txt").read_text().count("validation") == 3
    assert (folder / "learning.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_broken_off_ends_on_the_same_bits(make, whole, tmp_path):
    broken = make()
    for progress in broken.run():
        if progress.step == 35:
            break
    assert [row["step"] for row in rows(tmp_path)] == ["20"]  # already there
    again = make()
    assert again.resume() == "" and again.trainer.step == 35
    for _ in again.run():
        pass
    again.finish(False)
    folder, _ = whole
    for name in ("checkpoint.npz", "model.npz"):
        with np.load(folder / name) as one, np.load(tmp_path / name) as two:
            for key in set(one) - {"header"}:
                np.testing.assert_array_equal(one[key], two[key])
    for name in ("log.csv", "samples.txt"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_more_steps_after_the_end(make, whole, tmp_path):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    longer = make(dataclasses.replace(CONFIG, steps=80))
    assert "--steps=80 instead of 60" in longer.resume()
    assert [progress.step for progress in longer.run()] == [65, 70, 75, 80]
    assert longer.finish(False)["steps"] == 80
    assert len(rows(tmp_path)) == 4


def test_a_trained_model_to_begin_with(make, whole):
    _, alphabet, weights = checkpoint.load_model(str(whole[0]))
    config = dataclasses.replace(CONFIG, batch_size=8, learning_rate=1e-30, steps=20)
    valid = text.encode("a validation text of its own " * 20)
    corpus = Corpus("other", alphabet, np.tile(valid, 5), valid=valid)
    recorder = make(config, corpus=corpus, initial=weights)
    for _ in recorder.run():
        pass
    for letter, value in recorder.trainer.model.arrays().items():
        np.testing.assert_allclose(value, weights[letter], atol=1e-12)
    metrics = recorder.finish(False)
    assert metrics["test_bpc"] is None and metrics["valid_bpc"] > 1


def test_a_nan_never_wins(make, tmp_path, monkeypatch):
    """A validation that is not finite counts as the worst, and the run goes on."""
    measured = iter([5.0, math.inf, 4.0])
    with monkeypatch.context() as patch:
        patch.setattr(
            evaluate.Evaluator, "bits_per_character", lambda *_: next(measured)
        )
        recorder = make()
        for _ in recorder.run():
            pass
    metrics = recorder.finish(False)
    assert [row["valid_bpc"] for row in rows(tmp_path)] == ["5.0", "inf", "4.0"]
    _, _, kept = checkpoint.load_model(str(tmp_path))
    np.testing.assert_array_equal(kept["W"], recorder.trainer.model.arrays()["W"])
    assert math.isfinite(metrics["valid_bpc"])


def test_no_finite_validation_is_a_failure(make, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate.Evaluator, "bits_per_character", lambda *_: math.inf)
    recorder = make(dataclasses.replace(CONFIG, steps=20))
    for _ in recorder.run():
        pass
    with pytest.raises(FloatingPointError, match="no validation was finite"):
        recorder.finish(False)
    assert not (tmp_path / "model.npz").exists()


def test_a_diverging_run_keeps_the_last_good_model(make, tmp_path):
    config = dataclasses.replace(
        CONFIG, optimizer="sgd", schedule="staircase", decay_steps=30, decay_rate=1e30
    )
    recorder = make(config)
    with pytest.raises(FloatingPointError, match="the model of step 20 is kept"):
        for _ in recorder.run():
            pass
    _, _, weights = checkpoint.load_model(str(tmp_path))
    assert all(np.isfinite(value).all() for value in weights.values())
    with np.load(tmp_path / "checkpoint.npz") as saved:
        assert saved["step"] == 30
        assert all(np.isfinite(saved[name]).all() for name in "UWbVc")


def test_a_spike_never_hides_the_curve():
    def top(train):
        rows = [
            {"step": step, "train_bpc": bits, "valid_bpc": 3.0}
            for step, bits in enumerate(train, start=1)
        ]
        return record.learning_figure(rows, [4.1, 2.5]).axes[0].get_ylim()[1]

    assert top([1e16, 3.5, 3.0, 2.5, 2.0]) < 5
    assert top([math.inf, 3.5, 3.0, 2.5, math.nan]) < 5
    assert 11 < top([11.5, 11.4, 11.4, 11.3, 11.2]) < 13

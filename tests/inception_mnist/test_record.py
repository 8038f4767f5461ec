"""What a run leaves, what never wins, and what a run goes on from."""

import csv
import math

import numpy as np
import pytest

from inception_mnist import checkpoint, data, evaluate, record
from inception_mnist.config import Config

SMALL = {
    "recipe": "modern",
    "normalization": "none",
    "map1": 2,
    "map2": 2,
    "reduce1x1": 1,
    "hidden": 4,
    "batch_size": 5,
    "precision": "float32",
    "schedule": "constant",
    "augmentation": "none",
    "average": 0.0,
    "views": 1,
    "steps": 8,
}


@pytest.fixture
def make(digits, tmp_path):
    """Makes a recorder whose folder is tmp_path."""

    def make(folder=tmp_path, valid=None, init_from=None, **options):
        images, labels = digits
        source = data.Digits("some", images, labels, images[:20], labels[:20], valid)
        config = Config.of_recipe(**{**SMALL, **options})
        return record.Recorder(
            str(folder), config, source, valid_every=2, init_from=init_from
        )

    return make


def steps(recorder):
    return [progress.step for progress in recorder.run()]


def test_goes_on_with_more_steps_or_from_another_network(make, tmp_path):
    first = make()
    for progress in first.run():
        if progress.step == 2:  # flushed as it goes
            rows = list(csv.DictReader((tmp_path / "log.csv").open()))
            assert [row["step"] for row in rows] == ["2"]
        assert f"{progress.step * 5}" and "images/s" in first.note(progress)
    first.save()
    weights = [np.array(weight) for weight in first.trainer.weights()]

    longer = make(steps=12)
    assert longer.resume() == "" and longer.trainer.step == 8
    assert steps(longer) == [9, 10, 11, 12]
    assert [row["step"] for row in longer.rows] == [2, 4, 6, 8, 10, 12]

    checkpoint.save_weights(tmp_path / "net.npz", first.trainer.config, weights)
    (tmp_path / "other").mkdir()
    other = make(
        tmp_path / "other",
        init_from=str(tmp_path / "net.npz"),
        batch_size=3,
        learning_rate=1e-4,
        average=0.9,
    )
    for one, two in zip(other.trainer.weights(), weights, strict=True):
        np.testing.assert_array_equal(one, two)
    assert steps(other) == list(range(1, 9))


def test_a_validation_that_is_not_finite_never_wins(make, tmp_path, monkeypatch):
    losses = iter([2.0, math.nan, 1.5, math.inf])
    monkeypatch.setattr(evaluate, "cross_entropy", lambda *_: next(losses))
    monkeypatch.setattr(evaluate, "accuracy", lambda *_: 0.5)
    recorder, kept = make(), []
    for progress in recorder.run():
        if progress.step % 2 == 0:
            best = tmp_path / checkpoint.BEST
            kept.append(best.stat().st_mtime_ns)
    assert kept[0] == kept[1] < kept[2] == kept[3]


def poison(recorder):
    weight = recorder.trainer.model.trainable_weights[0]
    weight.assign(np.full(weight.shape, np.nan))


def test_divergence_keeps_the_last_good_network(make, tmp_path):
    recorder = make(normalization="batch")  # after which a ReLU may hide the NaN
    with pytest.raises(FloatingPointError, match="network is not finite after step 6"):
        for progress in recorder.run():
            if progress.step == 4:
                recorder.save()
            if progress.step == 5:
                poison(recorder)
                with pytest.raises(FloatingPointError, match="state is not finite"):
                    recorder.save()
    resumed = make(normalization="batch")
    resumed.resume()
    assert resumed.trainer.step == 4
    weights = list(checkpoint.load_weights(str(tmp_path))[1])
    assert all(np.isfinite(weight).all() for weight in weights)
    poison(recorder)
    with pytest.raises(FloatingPointError, match="network is not finite"):
        recorder.finish(stopped=True)
    assert not (tmp_path / checkpoint.LAST).exists()


def test_own_validation_images(make, digits, tmp_path):
    images, labels = digits
    recorder = make(valid=(images[:7], labels[:7]))
    (tmp_path / checkpoint.LAST).write_text("of an earlier run")
    steps(recorder)
    assert not (tmp_path / checkpoint.LAST).exists()
    metrics = recorder.finish(stopped=False)
    assert metrics["valid_images"] == 7 and metrics["train_images"] == len(images)
    assert not metrics["is_mnist"] and metrics["dataset"] == "some"
    assert (tmp_path / checkpoint.LAST).exists()

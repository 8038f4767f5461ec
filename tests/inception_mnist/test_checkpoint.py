"""Files of a run: what fits, what does not, and what is damaged."""

import json

import numpy as np
import pytest

from inception_mnist import checkpoint
from inception_mnist.config import Config

CONFIG = Config(head="gap", hidden=4)
WEIGHTS = [np.ones((2, 3), np.float32), np.arange(4, dtype=np.float32)]


def test_weights_come_back(tmp_path):
    path = tmp_path / checkpoint.LAST
    checkpoint.save_weights(path, CONFIG, WEIGHTS)
    named = Config.of_recipe(class_names=("a", "b"), precision="float32")
    checkpoint.save_weights(tmp_path / "named.npz", named, WEIGHTS)
    for name, expected in ((tmp_path, CONFIG), (tmp_path / "named.npz", named)):
        config, weights = checkpoint.load_weights(str(name))
        assert config == expected
        for one, two in zip(weights, WEIGHTS, strict=True):
            np.testing.assert_array_equal(one, two)


def test_of_a_run_that_has_not_ended_the_best_is_used(tmp_path):
    with pytest.raises(OSError, match="last.npz: no such file: train first"):
        checkpoint.load_weights(str(tmp_path))
    checkpoint.save_weights(tmp_path / checkpoint.BEST, CONFIG, WEIGHTS)
    assert checkpoint.load_weights(str(tmp_path))[0] == CONFIG


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    path = tmp_path / "last.npz"
    checkpoint.save_weights(path, CONFIG, [*WEIGHTS, np.array([1, value])])
    with pytest.raises(ValueError, match="last.npz: its weights are not finite"):
        list(checkpoint.load_weights(str(path))[1])


def change_header(path, **changes):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file}
    header = json.loads(str(arrays.pop("header")))
    for name, value in changes.items():
        if value is None:
            del header[name]
        else:
            header[name] = value
    np.savez(path, header=np.array(json.dumps(header)), **arrays)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"package": "char_rnn"}, "char_rnn wrote this file, not inception_mnist"),
        ({"version": 1}, "has format 1, and this program reads format 2"),
        ({"version": 99, "more": 1}, "has format 99"),
        ({"package": None, "version": None}, "has format 0"),
        ({"config": {"head": "gap"}}, "another version wrote it"),
        ({"config": {"class_names": [], "depth": 3}}, "another version wrote it"),
        ({"config": None}, "another version wrote it"),
    ],
)
def test_a_file_from_elsewhere_is_one_line(tmp_path, changes, wanted):
    path = tmp_path / "last.npz"
    checkpoint.save_weights(path, CONFIG, WEIGHTS)
    change_header(path, **changes)
    with pytest.raises(ValueError, match=wanted) as error:
        checkpoint.load_weights(str(path))
    assert "\n" not in str(error.value)


def test_other_arrays_and_damage_are_one_line(tmp_path):
    folder = str(tmp_path)
    checkpoint.save(folder, CONFIG, "hash", {"a": np.ones(9)}, {})
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(ValueError, match="not a trained network: name best.npz or"):
        checkpoint.load_weights(str(path))
    for content in (b"", b"a,b\n", path.read_bytes()[:-40]):
        path.write_bytes(content)
        with pytest.raises(OSError, match="checkpoint.npz: the file is damaged"):
            checkpoint.load_weights(str(path))


def test_a_checkpoint_knows_its_run(tmp_path):
    folder, arrays = str(tmp_path), {"a": np.ones(9)}
    assert checkpoint.load(folder, CONFIG, "hash") == ({}, {}, "")
    checkpoint.save(folder, CONFIG, "hash", arrays, {"rows": [1]})
    found, records, note = checkpoint.load(folder, CONFIG, "hash")
    np.testing.assert_array_equal(found["a"], arrays["a"])
    assert records == {"rows": [1]} and note == ""
    longer = Config(head="gap", hidden=4, steps=30_000, views=3)
    assert checkpoint.load(folder, longer, "hash")[1] == records
    with pytest.raises(ValueError, match="trained with --hidden=4, not 5: repeat its"):
        checkpoint.load(folder, Config(head="gap", hidden=5), "hash")
    with pytest.raises(ValueError, match="trained on other images"):
        checkpoint.load(folder, CONFIG, "other")
    cycle = Config(schedule="one_cycle", steps=100)
    checkpoint.save(folder, cycle, "hash", arrays, {})
    with pytest.raises(ValueError, match="made for --steps=100, not 200.*--init_from"):
        checkpoint.load(folder, Config(schedule="one_cycle", steps=200), "hash")


def test_initial_weights_must_fit(tmp_path):
    checkpoint.save_weights(tmp_path / "last.npz", CONFIG, WEIGHTS)
    other = Config(head="gap", hidden=4, steps=5, batch_size=3, learning_rate=0.1)
    assert len(list(checkpoint.load_initial(str(tmp_path), other))) == 2
    with pytest.raises(ValueError, match="--init_from=.*trained with --map1=32, not 8"):
        checkpoint.load_initial(str(tmp_path), Config(head="gap", hidden=4, map1=8))

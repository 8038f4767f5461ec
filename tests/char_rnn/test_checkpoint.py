"""Files of a run: what comes back, and one line for a file from elsewhere."""

import dataclasses
import json
import random

import numpy as np
import pytest

from char_rnn import checkpoint
from char_rnn.config import Config

CONFIG = Config(num_nodes=2)
WEIGHTS = {
    "U": np.ones((3, 2)),
    "W": np.ones((4, 2)),
    "b": np.ones(4),
    "V": np.ones((4, 3)),
    "c": np.ones(3),
}


def header(**changed):
    config = dataclasses.asdict(CONFIG)
    facts = {"package": "char_rnn", "version": checkpoint.FORMAT.version}
    return facts | {"config": config, "alphabet": "abc", "corpus": "x"} | changed


def write(path, head, **arrays):
    np.savez(path, header=np.array(json.dumps(head)), **WEIGHTS | arrays)


def test_a_model_comes_back(tmp_path):
    checkpoint.save_model(str(tmp_path), CONFIG, "abc", WEIGHTS)
    for path in (tmp_path, tmp_path / "model.npz"):
        config, alphabet, weights = checkpoint.load_model(str(path))
        assert (config, alphabet) == (CONFIG, "abc")
        for letter, value in WEIGHTS.items():
            np.testing.assert_array_equal(weights[letter], value)


CONFIG_OF_TOMORROW = dataclasses.asdict(CONFIG) | {"momentum": 0.9}


@pytest.mark.parametrize(
    ("head", "arrays", "message"),
    [
        (header(package="inception_mnist"), {}, "inception_mnist wrote this file"),
        (header(version=3), {}, "format 3"),
        (header(version=3, config=CONFIG_OF_TOMORROW), {}, "format 3"),
        ({"config": CONFIG_OF_TOMORROW}, {}, "format 0"),
        ({}, {}, "format 0"),
        (header(config=CONFIG_OF_TOMORROW), {}, "not a model"),
        (header(config={"arch": 7}), {}, "not a model"),
        (header(), {"W": np.full((4, 2), np.nan)}, "not finite"),
        (header(), {"V": np.array([None])}, "not a model"),
        (["a list"], {}, "damaged"),
    ],
)
def test_a_model_from_elsewhere_is_one_line(tmp_path, head, arrays, message):
    path = tmp_path / "model.npz"
    write(path, head, **arrays)
    with pytest.raises((ValueError, OSError), match=message) as caught:
        checkpoint.load_model(str(tmp_path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_checkpoint_is_no_model(tmp_path):
    checkpoint.save(str(tmp_path), CONFIG, "x", WEIGHTS, {})
    with pytest.raises(ValueError, match="not a model"):
        checkpoint.load_model(str(tmp_path / "checkpoint.npz"))


def test_a_checkpoint_belongs_to_its_settings_and_its_text(tmp_path):
    folder = str(tmp_path)
    assert checkpoint.load(folder, CONFIG, "x") == ({}, {}, "")
    checkpoint.save(folder, CONFIG, "x", WEIGHTS, {"rows": [1]})
    longer = dataclasses.replace(CONFIG, steps=9, plain=True)
    arrays, records, note = checkpoint.load(folder, longer, "x")
    assert (set(arrays), records, note) == (set(WEIGHTS), {"rows": [1]}, "")
    other = dataclasses.replace(CONFIG, num_nodes=3)
    for config, corpus, message in (
        (other, "x", "--num_nodes=2, not 3"),
        (CONFIG, "y", "another text"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            checkpoint.load(folder, config, corpus)
        assert "--noresume" in str(caught.value)
    path = tmp_path / "checkpoint.npz"
    write(path, header())
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.load(folder, CONFIG, "x")
    write(path, header(config=CONFIG_OF_TOMORROW, records={}))
    with pytest.raises(ValueError, match="momentum"):
        checkpoint.load(folder, CONFIG, "x")


def test_a_cosine_that_ends_elsewhere_says_so(tmp_path):
    config = Config.of_recipe("modern", steps=10)
    checkpoint.save(str(tmp_path), config, "x", WEIGHTS, {"rows": []})
    longer = dataclasses.replace(config, steps=20)
    *_, note = checkpoint.load(str(tmp_path), longer, "x")
    assert "--steps=20 instead of 10" in note and "rate" in note


@pytest.mark.parametrize("seed", range(40))
def test_no_damaged_file_gives_a_traceback(tmp_path, seed):
    chance = random.Random(seed)
    checkpoint.save_model(str(tmp_path), CONFIG, "abc", WEIGHTS)
    path = tmp_path / "model.npz"
    raw = bytearray(path.read_bytes())
    if seed % 2:
        del raw[chance.randrange(len(raw)) :]
    else:
        for _ in range(chance.randrange(1, 9)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
    path.write_bytes(raw)
    try:
        checkpoint.load_model(str(tmp_path))
    except (ValueError, OSError) as error:
        assert str(path) in str(error) and "\n" not in str(error)

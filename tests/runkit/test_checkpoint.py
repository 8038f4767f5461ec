"""A checkpoint is whole, of this package and this format, or refused in one line."""

import dataclasses
import json

import numpy as np
import pytest

from runkit import checkpoint

FORM = checkpoint.Format("topic", 2)
ARRAYS = {"weights": np.arange(6.0).reshape(2, 3), "step": np.array(7)}


def test_what_was_saved_comes_back(tmp_path):
    assert checkpoint.load(tmp_path, FORM) == ("", None, {}, "")
    checkpoint.save(tmp_path, FORM, {"seed": 1}, ARRAYS)
    path, header, arrays, note = checkpoint.load(tmp_path, FORM)
    assert path == str(tmp_path / "checkpoint.npz") and note == ""
    assert header["seed"] == 1 and set(arrays) == set(ARRAYS) and len(arrays) == 2
    np.testing.assert_array_equal(arrays["weights"], ARRAYS["weights"])
    with pytest.raises(KeyError):
        arrays["header"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_one_is_passed_over_with_a_word(tmp_path, damage):
    for step in (1, 2):
        checkpoint.save(tmp_path, FORM, {"step": step}, ARRAYS)
    path = tmp_path / "checkpoint.npz"
    data = bytearray(path.read_bytes())
    place = data.find(ARRAYS["weights"].tobytes()) + 5
    data[place] ^= 255
    kinds = {"cut": data[:-50], "flipped": data, "empty": b"", "text": b"hello"}
    path.write_bytes(kinds[damage])
    _, header, _, note = checkpoint.load(tmp_path, FORM)
    assert header["step"] == 1 and "damaged" in note and "previous" in note
    (tmp_path / "checkpoint_previous.npz").unlink()
    with pytest.raises(OSError, match="damaged.*--noresume"):
        checkpoint.load(tmp_path, FORM)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"package": "topic", "version": 1}, "has format 1, and this program reads"),
        ({"package": "topic", "version": 3}, "has format 3"),
        ({"package": "other", "version": 2}, "other wrote this file, not topic"),
        ({"anything": {"else": 1}}, "has format 0"),
        ([], "damaged"),
    ],
)
def test_another_format_is_refused_whatever_it_holds(tmp_path, header, message):
    np.savez(tmp_path / "checkpoint.npz", header=np.array(json.dumps(header)))
    with pytest.raises((ValueError, OSError), match=message) as error:
        checkpoint.load(tmp_path, FORM)
    assert "\n" not in str(error.value)


def test_a_file_that_is_missing_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoint.read(tmp_path / "none.npz", FORM)


def test_settings_are_compared():
    @dataclasses.dataclass
    class Config:
        steps: int = 3
        layers: tuple = ("a", "b")

    checkpoint.compare("file", {"steps": 3, "layers": ["a", "b"]}, Config())
    checkpoint.compare("file", {"steps": 9, "layers": ["a", "b"]}, Config(), {"steps"})
    for theirs in ({"steps": 9, "layers": ["a", "b"]}, {"steps": 3}, {"more": 1}):
        with pytest.raises(ValueError, match="file: trained with --"):
            checkpoint.compare("file", theirs, Config())

"""Digits from files, tensorflow_datasets and scikit-learn, and how they are kept."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from inception_mnist import csv_reader, data
from tests.inception_mnist.test_csv_reader import lines, table

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No test reads or writes the user's own caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "inception_mnist"


def write(path, count, seed=0):
    path.write_text("\n".join(lines(table(count, seed))) + "\n")
    return str(path)


@pytest.fixture
def pair(tmp_path):
    """Paths of a training csv of 7 rows and a test csv of 3."""
    return write(tmp_path / "train.csv", 7), write(tmp_path / "test.csv", 3, seed=1)


def test_missing_file_and_folder(tmp_path, pair):
    with pytest.raises(OSError, match="none.csv: no such file: name a csv"):
        data.load("csv", str(tmp_path / "none.csv"), pair[1])
    with pytest.raises(ValueError, match="a folder of pictures for each class"):
        data.load("csv", pair[0], str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("csv", None, None), "give --train_csv and --test_csv"),
        (("csv", "a", None), "--train_csv without --test_csv"),
        (("auto", None, "a"), "--test_csv without --train_csv"),
        (("tfds", "a", "b"), "--dataset=tfds reads no csv"),
        (("digits", "a", None), "--dataset=digits reads no csv"),
        (
            ("mnist", None, None),
            "--dataset=mnist: choose one of auto, csv, tfds, digits",
        ),
        (("auto", None, None, None, 10, "a"), "--valid_csv without --train_csv"),
    ],
)
def test_arguments_that_do_not_fit(arguments, wanted):
    with pytest.raises(ValueError, match=wanted):
        data.load(*arguments)


def change_quietly(path):
    """Other content, of the same size and time of change."""
    state = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"x")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_second_load_parses_nothing(pair):
    first = data.load("csv", *pair)
    change_quietly(pair[0])
    with pytest.raises(ValueError):
        csv_reader.read(pair[0])
    second = data.load("auto", *pair)
    assert second.name == "train.csv and test.csv" and second.note == ""
    assert not second.is_mnist
    np.testing.assert_array_equal(first.train_images, second.train_images)
    np.testing.assert_array_equal(second.train_labels, table(7)[:, 0])
    np.testing.assert_array_equal(second.test_labels, table(3, seed=1)[:, 0])


def test_a_changed_file_is_read_anew(pair, cache):
    data.load("csv", *pair)
    write(pathlib.Path(pair[0]), 9)
    assert len(data.load("csv", *pair).train_images) == 9
    assert len(list(cache.glob("*.npz"))) == 2


def test_nothing_is_kept_of_a_file_that_failed(pair, cache):
    change_quietly(pair[0])
    with pytest.raises(ValueError, match="row 1, column 1"):
        data.load("csv", *pair)
    assert not cache.exists()


@pytest.mark.parametrize("damage", ["short", "flipped", "empty", "folder"])
def test_damaged_cache_is_read_past_and_rewritten(pair, cache, damage):
    data.load("csv", *pair)
    for path in cache.glob("*.npz"):
        content = bytearray(path.read_bytes())
        if damage == "folder":
            path.unlink()
            path.mkdir()
            continue
        if damage == "flipped":
            content[len(content) // 2] ^= 255
        path.write_bytes(content if damage == "flipped" else b"")
        if damage == "short":
            path.write_bytes(content[: len(content) // 2])
    found = data.load("csv", *pair)
    np.testing.assert_array_equal(found.train_images.reshape(7, -1), table(7)[:, 1:])
    if damage != "folder":
        change_quietly(pair[0])
        assert len(data.load("csv", *pair).train_images) == 7


def test_cache_that_cannot_be_written_is_no_error(pair, tmp_path):
    (tmp_path / "taken").write_text("a file")
    assert len(data.load("csv", *pair, cache=str(tmp_path / "taken")).test_images) == 3


def test_digits_have_the_geometry_of_mnist():
    digits = data.load("digits", None, None)
    assert digits.name == "scikit-learn digits, not MNIST"
    assert digits.train_images.shape == (1437, 28, 28)
    assert digits.test_images.shape == (360, 28, 28)
    assert digits.train_images.dtype == digits.train_labels.dtype == np.uint8
    images = np.concatenate([digits.train_images, digits.test_images])
    inside = images[:, 4:-4, 4:-4]
    assert images.sum() == inside.sum()
    assert inside.max() == 255 and (inside.max(axis=(1, 2)) > 200).all()
    assert np.bincount(digits.test_labels).min() > 30
    again = data.load("digits", None, None)
    np.testing.assert_array_equal(digits.test_images, again.test_images)


def test_auto_is_digits_where_there_is_no_mnist(pair):
    data.load("csv", *pair)  # ten rows are no MNIST
    digits = data.load("auto", None, None)
    assert digits.name == "scikit-learn digits, not MNIST"
    assert "--dataset=tfds" in digits.note and "--train_csv" in digits.note


def test_auto_is_the_mnist_of_an_earlier_run(pair, cache, monkeypatch):
    monkeypatch.setattr(data, "is_mnist", lambda train, test: len(train[0]) == 7)
    assert data.load("csv", *pair).is_mnist
    os.remove(pair[0])
    digits = data.load("auto", None, None)
    assert digits.name == "mnist (csv)" and digits.is_mnist
    assert digits.note == f"MNIST as last read from {pair[0]} and {pair[1]}"
    np.testing.assert_array_equal(digits.train_labels, table(7)[:, 0])
    for content in ("[3]", "5", "{", '["a", "b"]', "[]"):
        (cache / data.LATEST).write_text(content)
        assert data.load("auto", None, None).name == "scikit-learn digits, not MNIST"


def test_mnist_is_known_by_its_digest_in_any_order(monkeypatch):
    train, test = (
        (part[:, 1:].reshape(-1, 28, 28).astype(np.uint8), part[:, 0].astype(np.uint8))
        for part in (table(7), table(3, seed=1))
    )
    assert not data.is_mnist(train, test)
    known = tuple(data.sum_of_hashes(*part) for part in (train, test))
    monkeypatch.setattr(data, "MNIST", known)
    assert data.is_mnist(train, test)
    order = np.random.default_rng(0).permutation(7)
    assert data.is_mnist((train[0][order], train[1][order]), test)
    assert not data.is_mnist((train[0], train[1][order]), test)
    assert not data.is_mnist(test, train)


def test_own_validation_file(pair, tmp_path):
    valid = write(tmp_path / "valid.csv", 4, seed=2)
    digits = data.load("csv", *pair, valid_csv=valid)
    assert len(digits.train_images) == 7
    np.testing.assert_array_equal(digits.valid[1], table(4, seed=2)[:, 0])


def test_more_classes_are_asked_for_and_one_is_none(tmp_path, pair):
    rows = table(3)
    rows[:, 0] = 46, 3, 12
    (tmp_path / "emnist.csv").write_text("\n".join(lines(rows)))
    path = str(tmp_path / "emnist.csv")
    with pytest.raises(ValueError, match="label '46', not .* 0 to 9; see --classes"):
        data.load("csv", path, pair[1])
    assert data.load("csv", path, pair[1], classes=47).train_labels.max() == 46
    rows[:, 0] = 5
    (tmp_path / "one.csv").write_text("\n".join(lines(rows)))
    with pytest.raises(ValueError, match="all labels are 5: two classes"):
        data.load("csv", str(tmp_path / "one.csv"), pair[1])


def prepare_tfds(folder):
    """A tensorflow_datasets "mnist" of 7 and 3 digits, as its own builder writes it."""
    tfds = pytest.importorskip("tensorflow_datasets")
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(28, 28, 1)),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
    )
    splits = {
        name: [
            (key, {"image": row[1:].reshape(28, 28, 1), "label": row[0]})
            for key, row in enumerate(table(count).astype(np.uint8))
        ]
        for name, count in (("train", 7), ("test", 3))
    }
    with data.quiet():
        tfds.disable_progress_bar()
        tfds.dataset_builders.store_as_tfds_dataset(
            "mnist", "3.0.1", features, splits, data_dir=folder
        )


@pytest.mark.slow
def test_tfds_reads_what_is_prepared_and_auto_finds_it(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(data, "is_mnist", lambda train, test: len(train[0]) == 7)
    prepare_tfds(tmp_path / "tfds")
    capfd.readouterr()
    pairs = sorted((int(row[1:].sum()), int(row[0])) for row in table(7))
    for dataset in "tfds", "auto":
        digits = data.load(dataset, None, None)
        assert digits.name == "mnist (tfds)" and digits.is_mnist
        assert digits.train_images.shape == (7, 28, 28)
        assert digits.test_images.shape == (3, 28, 28)
        assert digits.train_images.dtype == digits.train_labels.dtype == np.uint8
        sums = digits.train_images.sum(axis=(1, 2)).tolist()
        found = sorted(zip(sums, digits.train_labels.tolist(), strict=True))
        assert found == pairs
    assert digits.note == f"MNIST as tensorflow_datasets keeps it in {tmp_path}/tfds"
    assert capfd.readouterr().out == ""
    next((tmp_path / "tfds").glob("mnist/*/mnist-test*")).write_bytes(b"damaged")
    assert "there is no MNIST at hand" in data.load("auto", None, None).note
    with pytest.raises(OSError, match=r"--dataset=tfds: no MNIST \(.*\): give --data"):
        data.load("tfds", None, None)


def test_tfds_without_network_is_one_error(monkeypatch):
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # which refuses
    monkeypatch.setenv("no_proxy", "")
    wanted = r"no MNIST \(https://.* cannot be reached\): give --dataset=digits, or --t"
    with pytest.raises(OSError, match=wanted):
        data.load("tfds", None, None)


def test_tfds_without_its_package_is_one_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(
        OSError, match="pip install tensorflow-datasets, or give --data"
    ):
        data.load("tfds", None, None)


def test_import_needs_neither_tensorflow_nor_pandas():
    heavy = "{'tensorflow', 'pandas', 'sklearn', 'tensorflow_datasets'}"
    code = (
        f"import sys, inception_mnist.data; sys.exit(bool({heavy} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("count", "valid", "wanted"),
    [(60_000, 500, 500), (2_500, 500, 500), (2_499, 500, 499), (5, 500, 1), (9, 0, 0)],
)
def test_the_last_ones_validate(count, valid, wanted):
    images = np.broadcast_to(np.arange(count)[:, None, None], (count, 28, 28))
    parts = data.split(images, np.arange(count), valid)
    assert [len(part) for part in parts] == 2 * [count - wanted] + 2 * [wanted]
    np.testing.assert_array_equal(np.concatenate(parts[1::2]), np.arange(count))
    np.testing.assert_array_equal(parts[2][:, 0, 0], parts[3])


def test_too_few_to_split():
    with pytest.raises(ValueError, match="4 images to train on: at least 5"):
        data.split(np.zeros((4, 28, 28), np.uint8), np.zeros(4, np.uint8), 500)
    with pytest.raises(ValueError, match="valid=-1"):
        data.split(np.zeros((9, 28, 28), np.uint8), np.zeros(9, np.uint8), -1)


IMAGES = np.zeros((3, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "wanted"),
    [
        (IMAGES.astype(float), [0, 1, 2], "images: float64"),
        (IMAGES[:, 1:], [0, 1, 2], "images: uint8 .3, 27, 28.: must be uint8"),
        (IMAGES[:0], [], "images: uint8 .0, 28, 28."),
        (IMAGES, [0, 1], r"labels: int64 \[2\]: must be integers, one for each of"),
        (IMAGES, [0.0, 1.0, 2.0], "labels: float64"),
        (IMAGES, [0, 1, 10], "label 10: not from 0 to 9"),
        (IMAGES, [0, -1, 9], "label -1: not from 0 to 9"),
        ("no images", [0, 1, 2], "images: "),
    ],
)
def test_arrays_are_checked(images, labels, wanted):
    with pytest.raises(ValueError, match=wanted):
        data.check(images, np.array(labels), 10)

"""Digits from csv, tensorflow_datasets and scikit-learn, and every fault of a csv."""

import gzip
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from inception_mnist import csv_reader, data

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No test reads or writes the user's own caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "inception_mnist"


def table(count, seed=0):
    """Rows of a label and 784 pixels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, (count, 1))
    return np.hstack([labels, random.integers(0, 256, (count, 784))])


def lines(rows):
    return [",".join(map(str, row)) for row in rows]


def write(path, text):
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


@pytest.fixture
def pair(tmp_path):
    """Paths of a training csv of 7 rows and a test csv of 3."""
    train = write(tmp_path / "train.csv", "\n".join(lines(table(7))) + "\n")
    test = write(tmp_path / "test.csv", "\n".join(lines(table(3, seed=1))) + "\n")
    return train, test


KAGGLE = "label," + ",".join(f"pixel{place}" for place in range(784))
NUMBERED = "label," + ",".join(map(str, range(784)))
SQUARES = "label," + ",".join(f"{y}x{x}" for y in range(1, 29) for x in range(1, 29))
ROWS = lines(table(3))


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "plain": "\n".join(ROWS),
        "gzip.gz": "\n".join(ROWS),
        "kaggle": "\n".join([KAGGLE, *ROWS]),
        "squares.gz": "\n".join([SQUARES, *ROWS]),
        "numbered": "\n".join([NUMBERED, *ROWS]),
        "windows": "\r\n".join([KAGGLE, *ROWS, ""]),
        "byte order mark": "\ufeff" + "\n".join(ROWS),
        "both": "\ufeff" + "\r\n".join([KAGGLE, *ROWS]),
        "blank lines": "\n\n" + "\n\n".join([KAGGLE, *ROWS]) + "\n \n\n",
        "spaces": "\n".join(ROWS).replace(",", " , "),
        "quoted": "\n".join('"' + row.replace(",", '","') + '"' for row in ROWS),
        "floats": "\n".join(row.replace(",", ".0,") + ".000e+00" for row in ROWS),
        "one float": "\n".join([*ROWS[:2], ROWS[2] + ".0"]),
    }.items(),
)
def test_every_way_to_write_a_table_gives_the_same_digits(tmp_path, name, text):
    images, labels = csv_reader.read(write(tmp_path / name, text))
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images, table(3)[:, 1:].reshape(3, 28, 28))
    np.testing.assert_array_equal(labels, table(3)[:, 0])


def test_content_tells_gzip_not_the_name(tmp_path):
    plain, packed = tmp_path / "plain.gz", tmp_path / "packed.csv"
    plain.write_text("\n".join(ROWS))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert (
        len(csv_reader.read(str(plain))[0]) == len(csv_reader.read(str(packed))[0]) == 3
    )
    plain.write_text("<html>\n<p>Not found</p>\n")
    with pytest.raises(ValueError, match=r"plain\.gz: row 1 has 1 columns.*nor is it"):
        csv_reader.read(str(plain))


def test_pandas_is_asked_in_parts_and_rows_are_counted_through(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_reader, "ROWS", 2)
    rows = lines(table(7))
    images, _ = csv_reader.read(write(tmp_path / "a.csv", "\n".join(rows)))
    np.testing.assert_array_equal(images.reshape(7, -1), table(7)[:, 1:])
    rows[5] += ",1"
    with pytest.raises(ValueError, match="row 6 has 786 columns, not 785"):
        csv_reader.read(write(tmp_path / "a.csv", "\n".join(rows)))


def with_cell(row, column, value):
    """Four rows, one cell (from 1) of them replaced."""
    cells = [line.split(",") for line in lines(table(4))]
    cells[row - 1][column - 1] = value
    return "\n".join(map(",".join, cells))


@pytest.mark.parametrize("value", ["256", "-1", "12.5", "", "nan", "inf", "x", "1_0"])
@pytest.mark.parametrize(("row", "column"), [(1, 2), (3, 400), (4, 785)])
def test_a_wrong_pixel_is_named(tmp_path, value, row, column):
    path = write(tmp_path / "bad.csv.gz", with_cell(row, column, value))
    wanted = rf"bad\.csv\.gz: row {row}, column {column}: pixel '{value}', not a whole"
    with pytest.raises(ValueError, match=wanted):
        csv_reader.read(path)


@pytest.mark.parametrize("value", ["10", "-1", "0.5", "", "True", "9" * 30, "256"])
@pytest.mark.parametrize("row", [1, 4])
def test_a_wrong_label_is_named(tmp_path, value, row):
    path = write(tmp_path / "bad.csv", with_cell(row, 1, value))
    wanted = rf"row {row}, column 1: label '{value[:20]}', not a whole number from 0 to"
    with pytest.raises(ValueError, match=wanted):
        csv_reader.read(path)


def test_true_is_no_number_even_where_all_of_a_column_is(tmp_path):
    path = write(tmp_path / "bad.csv", "True," + ROWS[0].partition(",")[2])
    with pytest.raises(ValueError, match="row 1, column 1: label 'True'"):
        csv_reader.read(path)


@pytest.mark.parametrize(
    ("text", "wanted"),
    {
        "": "bad.csv: empty",
        "\n \n": "bad.csv: empty",
        KAGGLE: "bad.csv: no digits below its header",
        f"{KAGGLE}\n\n": "bad.csv: no digits below its header",
        "7": "row 1 has 1 columns, not 785",
        "7\n1\n": "row 1 has 1 columns, not 785",
        ROWS[0].replace(",", ";"): "row 1 has 1 columns.*with commas between",
        "\n".join([ROWS[0], ROWS[1][: ROWS[1].rindex(",")]]): "row 2 has 784 columns",
        "\n".join([ROWS[0], "", ROWS[1] + ",0"]): "row 3 has 786 columns",
        "\n".join([ROWS[0] + ",", ROWS[1] + ","]): "row 1 has 786 columns",
        "\n".join([KAGGLE, ROWS[0][2:]]): "row 2 has 784 columns",
        "\n".join([KAGGLE, ROWS[0], KAGGLE]): "row 3, column 1: label 'label'",
        "\n".join([ROWS[0], '"' + ROWS[1], *ROWS]): "row 2 has 1 columns",
        "\n".join([ROWS[0], '"' + 50 * ROWS[1]]): "row 2: field larger",
        "\n".join([ROWS[0], "\x00" + ROWS[1]]): "row 2",
        b"\x89PNG\r\n\x1a\n\x00\x00": "bad.csv: not text",
        "\n".join(ROWS).encode("utf-16"): "bad.csv: not text",
        "\n".join(ROWS).encode() + b"\xff": "bad.csv: not text",
    }.items(),
)
def test_what_is_no_table_is_one_line(tmp_path, text, wanted):
    with pytest.raises(ValueError, match=wanted) as caught:
        csv_reader.read(write(tmp_path / "bad.csv", text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["short", "flipped", "checksum", "more"])
def test_damaged_gzip(tmp_path, damage):
    content = bytearray(gzip.compress("\n".join(lines(table(50))).encode()))
    if damage == "short":
        del content[len(content) // 2 :]
    elif damage == "more":
        content += b"and more"
    else:
        place = {"flipped": len(content) // 2, "checksum": -8}[damage]
        content[place] ^= 255
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(content)
    with pytest.raises((OSError, ValueError), match=r"bad\.csv\.gz: ") as caught:
        csv_reader.read(str(path))
    if damage != "flipped":  # which may also yield other digits first
        assert "damaged gzip" in str(caught.value)


def test_missing_file_and_folder(tmp_path, pair):
    with pytest.raises(OSError, match="none.csv: no such file: name a csv"):
        data.load("csv", str(tmp_path / "none.csv"), pair[1])
    with pytest.raises(OSError, match=f"{tmp_path}: not a file: name a csv"):
        data.load("csv", pair[0], str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("csv", None, None), "give --train_csv and --test_csv"),
        (("csv", "a", None), "--train_csv without --test_csv"),
        (("auto", None, "a"), "--test_csv without --train_csv"),
        (("tfds", "a", "b"), "--dataset=tfds reads no csv"),
        (("digits", "a", None), "--dataset=digits reads no csv"),
        (("mnist", None, None), "--dataset=mnist: not one of auto, csv, tfds, digits"),
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
    assert second.name == "mnist (csv)" and second.note == ""
    np.testing.assert_array_equal(first.train_images, second.train_images)
    np.testing.assert_array_equal(second.train_labels, table(7)[:, 0])
    np.testing.assert_array_equal(second.test_labels, table(3, seed=1)[:, 0])


def test_a_changed_file_is_read_anew(pair, cache):
    data.load("csv", *pair)
    write(pathlib.Path(pair[0]), "\n".join(lines(table(9))))
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
    write(tmp_path / "taken", "a file")
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
    monkeypatch.setattr(data, "MNIST_SIZES", (7, 3))
    data.load("csv", *pair)
    os.remove(pair[0])
    digits = data.load("auto", None, None)
    assert digits.name == "mnist (csv)"
    assert digits.note == f"MNIST as last read from {pair[0]} and {pair[1]}"
    np.testing.assert_array_equal(digits.train_labels, table(7)[:, 0])
    for content in ("[3]", "5", "{", '["a", "b"]', "[]"):
        (cache / data.LATEST).write_text(content)
        assert data.load("auto", None, None).name == "scikit-learn digits, not MNIST"


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
    with data._quiet():
        tfds.disable_progress_bar()
        tfds.dataset_builders.store_as_tfds_dataset(
            "mnist", "3.0.1", features, splits, data_dir=folder
        )


def test_tfds_reads_what_is_prepared_and_auto_finds_it(tmp_path, capfd):
    prepare_tfds(tmp_path / "tfds")
    capfd.readouterr()
    pairs = sorted((int(row[1:].sum()), int(row[0])) for row in table(7))
    for dataset in "tfds", "auto":
        digits = data.load(dataset, None, None)
        assert digits.name == "mnist (tfds)"
        assert digits.train_images.shape == (7, 28, 28)
        assert digits.test_images.shape == (3, 28, 28)
        assert digits.train_images.dtype == digits.train_labels.dtype == np.uint8
        sums = digits.train_images.sum(axis=(1, 2)).tolist()
        found = sorted(zip(sums, digits.train_labels.tolist(), strict=True))
        assert found == pairs
    assert digits.note == f"MNIST as tensorflow_datasets keeps it in {tmp_path}/tfds"
    assert capfd.readouterr().out == ""
    next((tmp_path / "tfds").glob("mnist/*/mnist-test*")).write_bytes(b"damaged")
    assert "no MNIST at hand" in data.load("auto", None, None).note
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

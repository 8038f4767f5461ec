"""Every way in which a table of digits is written, and every fault of one."""

import gzip

import numpy as np
import pytest

from inception_mnist import csv_reader


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


KAGGLE = "label," + ",".join(f"pixel{place}" for place in range(784))
NUMBERED = "label," + ",".join(map(str, range(784)))
SQUARES = "label," + ",".join(f"{y}x{x}" for y in range(1, 29) for x in range(1, 29))
ROWS = lines(table(3))
LAST_HEADER = [",".join([*KAGGLE.split(",")[1:], "Label"])]
LAST = [",".join([*row.split(",")[1:], row.split(",")[0]]) for row in ROWS]
MIDDLE_HEADER = [*KAGGLE.split(",")[1:300], "class", *KAGGLE.split(",")[300:]]
MIDDLE = [
    ",".join([*cells[1:300], cells[0], *cells[300:]])
    for cells in (row.split(",") for row in ROWS)
]
INDEXED = [f"{place},{row}" for place, row in enumerate(ROWS, 17)]
INDEXED_LAST = [f"{place},{row}" for place, row in enumerate(LAST)]
COUNTED = "," + ",".join(map(str, range(785)))
UNIT = [
    ",".join([row.split(",")[0], *(f"{int(x) / 255:.4g}" for x in row.split(",")[1:])])
    for row in ROWS
]
BOTH_ENDS = "\n".join(f"{n}{',200' * 783},{9 - n}" for n in range(10))
UNIT_LAST = [",".join([*row.split(",")[1:], row.split(",")[0]]) for row in UNIT]


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
        "semicolons": "\n".join(ROWS).replace(",", ";"),
        "tabs": "\n".join([KAGGLE, *ROWS]).replace(",", "\t"),
        "blanks": "\n".join(ROWS).replace(",", " "),
        "decimal commas": "\n".join(row.replace(",", ",0;") + ",0" for row in ROWS),
        "European floats": "\n".join(
            row.replace(",", ";") if row is KAGGLE else row.replace(",", ",0;") + ",0"
            for row in [KAGGLE, *ROWS]
        ),
        "label last": "\n".join(LAST),
        "label last by header": "\n".join([*LAST_HEADER, *LAST]),
        "label in the middle": "\n".join([",".join(MIDDLE_HEADER), *MIDDLE]),
        "index": "\n".join([f",{KAGGLE}", *INDEXED]),
        "index without a header": "\n".join(INDEXED),
        "index and label last": "\n".join(INDEXED_LAST),
        "counted columns": "\n".join([COUNTED, *INDEXED]),
        "trailing separator": "\n".join(row + ";" for row in ROWS).replace(",", ";"),
        "from 0 to 1": "\n".join(UNIT),
        "from 0 to 1, label last": "\n".join([LAST_HEADER[0], *UNIT_LAST]),
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
        ROWS[0].replace(",", ":"): "row 1 has 1 columns.*with commas, semicolons",
        "\n".join(row.partition(",")[2] for row in ROWS): "row 1 has 784 columns, not",
        "\n".join([ROWS[0], ROWS[1][: ROWS[1].rindex(",")]]): "row 2 has 784 columns",
        "\n".join([ROWS[0], "", ROWS[1] + ",0"]): "row 3 has 786 columns",
        "\n".join(["5," + ROWS[0], "9," + ROWS[1]]): "row 1 has 786 columns",
        "\n".join([UNIT[0], ROWS[1]]): "row 2, column 2: pixel '.*', not a number from",
        "\n".join([ROWS[0], UNIT[1]]): "row 2, column .*: pixel '0\\..*, not a whole",
        BOTH_ENDS: "the label may be the first or the last column: add a header",
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


def digits_of(count, classes=10):
    """Tables as real ones are: corners that are nearly always 0."""
    random = np.random.default_rng(0)
    rows = random.integers(0, 256, (count, 785))
    rows[:, [1, 784]] = random.random((count, 2)) < 0.02
    rows[:, 0] = random.integers(0, classes, count)
    return rows


def write_rows(path, rows):
    return write(path, "\n".join(lines(rows)))


@pytest.mark.parametrize("classes", [10, 47])
def test_values_prove_where_the_label_is(tmp_path, classes):
    first = digits_of(60, classes)
    last = np.roll(first, -1, axis=1)
    for rows in first, last:
        images, labels = csv_reader.read(write_rows(tmp_path / "a", rows), classes)
        np.testing.assert_array_equal(labels, first[:, 0])
        np.testing.assert_array_equal(images.reshape(60, 784), first[:, 1:])


def test_one_class_is_not_taken_for_a_corner(tmp_path):
    rows = digits_of(40)
    rows[:, 0], rows[:, [1, 784]] = 5, 0
    for table in rows, np.roll(rows, -1, axis=1):
        _, labels = csv_reader.read(write_rows(tmp_path / "a", table))
        assert (labels == 5).all()


def test_a_damaged_label_is_not_hidden_by_a_black_corner(tmp_path):
    rows = digits_of(40)
    rows[7, 0] = 11
    with pytest.raises(ValueError, match="row 8, column 1: label '11'"):
        csv_reader.read(write_rows(tmp_path / "a", rows))
    last = np.roll(rows, -1, axis=1)
    with pytest.raises(ValueError, match="row 8, column 785: label '11'"):
        csv_reader.read(write_rows(tmp_path / "a", last))


def test_without_labels_if_none_are_needed(tmp_path):
    rows = digits_of(40)
    header = ",".join(f"pixel{place}" for place in range(784))
    for text in (
        "\n".join([header, *lines(rows[:, 1:])]),
        "\n".join(lines(rows[:, 1:])),
    ):
        path = write(tmp_path / "test.csv", text)
        images, labels = csv_reader.read(path, labelled=False)
        assert labels is None
        np.testing.assert_array_equal(images.reshape(40, 784), rows[:, 1:])
        with pytest.raises(
            ValueError, match="columns, not 785: a label|has 784 columns"
        ):
            csv_reader.read(path)
    _, labels = csv_reader.read(write_rows(tmp_path / "a", rows), labelled=False)
    np.testing.assert_array_equal(labels, rows[:, 0])


def test_two_levels_are_black_and_white(tmp_path):
    rows = digits_of(5)
    rows[:, 1:] = rows[:, 1:] > 127
    images, _ = csv_reader.read(write_rows(tmp_path / "a", rows))
    np.testing.assert_array_equal(images.reshape(5, 784), 255 * rows[:, 1:])

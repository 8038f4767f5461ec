"""Problems from files: what is read, and what is refused in one line."""

import pathlib

import numpy as np
import pytest

import genetic
from genetic import orlib, reading

ROOT = pathlib.Path(__file__).parents[2]
MKNAP1 = ROOT / "genetic" / "data" / "mknap1.txt"
GOOD = "name,profit,fuel,crew\na,5,2,1\nb,3,1,1\ncapacity,,2,>=1\n"
# Two items of 1.5 and 2.25 (2 and 3 of profit) within 3.5, as spreadsheets write them.
DIALECTS = {
    "comma": "n,o,w\na,2,1.5\nb,3,2.25\ncapacity,,3.5\n",
    "semicolon": "n;o;w\na;2;1.5\nb;3;2.25\ncapacity;;3.5\n",
    "decimal comma": "n;o;w\na;2,0;1,5\nb;3;2,25\ncapacity;;3,5\n",
    "tab": "n\to\tw\na\t2\t1.5\nb\t3\t2.25\ncapacity\t\t3.5\n",
    "tab and decimal comma": "n\to\tw\na\t2\t1,5\nb\t3\t2,25\ncapacity\t\t3,5\n",
    "quoted decimal comma": 'n,o,w\na,2,"1,5"\nb,3,"2,25"\ncapacity,,"3,5"\n',
    "sep": "sep=;\nn;o;w\na;2;1.5\nb;3;2.25\ncapacity;;3.5\n",
    "bar": "n|o|w\na|2|1.5\nb|3|2.25\ncapacity||3.5\n",
    "trailing commas": "n,o,w,,\na,2,1.5,,\nb,3,2.25,\ncapacity,,3.5,,\n,,,,\n",
    "mark and old lines": "\ufeffn,o,w\r\na,2,1.5\r\nb,3,2.25\r\nCapacity,,3.5\r\n",
    "blank lines": "\n\n n , o , w \n\na,2,1.5\n\nb,3,2.25\ncapacity,,<= 3.5\n\n",
    "bounds": "n,o,w,Upper\na,2,1.5,1\nb,3,2.25,1\ncapacity,,3.5,\n",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialects(file, dialect):
    found = genetic.read(file(DIALECTS[dialect]))
    assert found.names == ("a", "b") and found.resources == ("w",)
    np.testing.assert_array_equal(found.objective, [2, 3])
    np.testing.assert_array_equal(found.weights, [[1.5, 2.25]])
    assert found.high.tolist() == [3.5]


def test_encodings(file):
    text = "name,o,w\nZürich,2,1\ncapacity,,3\n"
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        assert genetic.read(file(text.encode(encoding))).names == ("Zürich",)


def test_senses_and_bounds(file):
    found = genetic.read(
        file(
            "item,value,fuel,lower,upper\nx,2.5,1,0,7\ny,-1,0.5,-3,3\ncapacity,,=4,,\n"
        ),
        tolerance=1e-6,
    )
    assert found.names == ("x", "y") and found.resources == ("fuel",)
    np.testing.assert_array_equal(found.objective, [2.5, -1])
    np.testing.assert_allclose([found.low[0], found.high[0]], [4, 4], atol=1e-5)
    np.testing.assert_array_equal([found.lower, found.upper], [[0, -3], [7, 3]])
    assert not found.repairable


def test_capacities_from_flags_come_first(file):
    found = genetic.read(file(GOOD), capacities={"fuel": "3", "crew": "<=2"})
    np.testing.assert_array_equal(found.high, [3, 2])
    assert found.repairable


def test_an_item_may_be_called_capacity(file):
    found = genetic.read(file("n,o,w\nCapacity,4,2\nb,6,9\ncapacity,,10\n"))
    assert found.names == ("Capacity", "b") and found.high.tolist() == [10]


def test_large_whole_numbers_are_kept(file):
    found = genetic.read(file(f"n,o,w\na,1,{10**17 + 1}\nb,1,2\ncapacity,,{10**17}\n"))
    assert found.weights[0].tolist() == [10**17 + 1, 2]
    assert not found.feasible(np.array([1, 0]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (b"\xff\xfe\x00binary", "not a CSV text file"),
        (b"n,o,w\x00\x01", "not a CSV text file"),
        ("a,b\n1,2\n", "row 1: a name, the objective and at least one resource"),
        ("a,b,b\nx,1,2\n", "row 1: columns 2 and 3 are both called 'b'"),
        ("a,b,\nx,1,2\n", "row 1: column 3 has no name"),
        ("a,b,c\nx,1\n", "row 2: 2 columns, the header has 3"),
        ("a,b,c\nx,1,two\ncapacity,,1\n", "row 2, column 'c': 'two' is not a number"),
        ("a,b,c\nx,nan,2\ncapacity,,1\n", "row 2, column 'b': 'nan' is not finite"),
        ("a,b,c\nx,1,inf\ncapacity,,1\n", "row 2, column 'c': 'inf' is not finite"),
        ("a,b,c\nx,1e308,2\ncapacity,,1\n", "'objective' of 'x': 1e.308 cannot be"),
        ("a,b,c\nx,1,1e308\ncapacity,,1\n", "'c' of 'x': 1e.308 cannot be used"),
        ("a,b,c\nx,1,1\ncapacity,,1e308\n", "'c': a capacity of 1e.308 cannot"),
        ('a,b,c\nx,1,"1,234.5"\ncapacity,,1\n', "'1,234.5' is not a number"),
        ("a;b;c\nx;1,5;2.5\ncapacity;;1\n", "'1,5' has a decimal comma, but '2.5'"),
        ("a,b,c\nx,1,2\n", "resource 'c' has no capacity"),
        ("a,b,c\ncapacity,,2\n", "no variables"),
        ("a,b,c\nx,1,2\ncapacity,,-2\n", "'c' is at least 0 by the bounds, and at m"),
        ("a,b,c\nx,1,2\nCapacity,4,2\n", "row 3: 'Capacity' has the objective '4'"),
        ("a,b,c\ncapacity,,2\nx,1,2\ncapacity,,3\n", "rows 2 and 4 are both called"),
        ("a,b,c\nx,1,2\ny,1,1\nx,1,2\ncapacity,,2\n", "rows 2 and 4 are both called"),
        ("a,b,c\n,1,2\ncapacity,,2\n", "row 2: the variable has no name"),
        ("a,upper,c\nx,1,2\ncapacity,,2\n", "the second column is the objective"),
        ("a,b,lower\nx,1,2\ncapacity,,2\n", "no column for a resource"),
        ("a,b,c,upper\nx,1,2,1.5\ncapacity,,2,\n", "'upper': bounds must be whole"),
        ("a,b,c,upper\nx,1,2,1e12\ncapacity,,2,\n", "'upper': bounds must be below"),
        ("a,b,c,lower\nx,1,2,2\ncapacity,,2,\n", "x: its lower bound 2 is above its"),
        ("a,b,c\nx,1,2\ncapacity,,>=3\n", "no feasible solution: 'c' is at most 2"),
    ],
)
def test_bad_tables_are_named(file, text, message):
    with pytest.raises((ValueError, OSError), match=message):
        genetic.read(file(text))


def test_missing_file_directory_and_unknown_resource(file, tmp_path):
    with pytest.raises(OSError, match="none.csv: no such file"):
        genetic.read("none.csv")
    with pytest.raises(OSError, match="is a directory"):
        genetic.read(str(tmp_path))
    with pytest.raises(ValueError, match="has no resource 'water'"):
        genetic.read(file(GOOD), capacities={"water": "3"})
    with pytest.raises(ValueError, match="--number=2: .* has 1"):
        genetic.read(file(GOOD), number=2)


@pytest.mark.parametrize("how", ["plain", "one line", "mark", "leading lines"])
def test_reads_the_or_library(file, how):
    text = MKNAP1.read_text()
    text = {
        "plain": text,
        "one line": " ".join(text.split()),
        "mark": "\ufeff" + text,
        "leading lines": "\n\n" + text,
    }[how]
    found = orlib.parse(reading.read_text(file(text)), "mknap1")
    sizes = [(p.count, len(p.resources), p.optimum) for p in found]
    assert sizes == [
        (6, 10, 3800),
        (10, 10, 8706.1),
        (15, 10, 4015),
        (20, 10, 6120),
        (28, 10, 12400),
        (39, 5, 10618),
        (50, 5, 16537),
    ]
    np.testing.assert_array_equal(found[0].weights[0], [8, 12, 13, 64, 22, 41])


# Three items with profits 6, 5, 4; weights 3, 2, 2 and 1, 1, 5; capacities 4 and 6.
FORMATS = {
    "mknapcb": "1\n3 2 9\n6 5 4\n3 2 2\n1 1 5\n4 6\n",
    "gk": "3 2 9\n6 5 4\n3 2 2\n1 1 5\n4 6\n",
    "mknap2 alone": "2 3 // 2 knapsacks, 3 objects\n6 5 4\n4 6\n3 2 2\n1 1 5\n9\n",
    "mknap2": """ This file contains a collection of 48 problems
        +++++++++++
        EXAMPLE
        7 7 // not a problem
        +++++++++++
         problem ONE.DAT
        +++++++++++
        2 3
        6 5 4
        4 6
        3 2 2
        1 1 5

        9
        +++++++++++
         problem TWO.DAT
        +++++++++++
        1 1
        1
        1
        1
        1
        """,
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_of_several_constraints(file, name):
    path = file(FORMATS[name])
    found = genetic.read(path)
    assert found.objective.tolist() == [6, 5, 4] and found.optimum == 9
    assert found.weights.tolist() == [[3, 2, 2], [1, 1, 5]]
    assert found.high.tolist() == [4, 6]
    if name == "mknap2":
        assert genetic.read(path, number=2).count == 1
        with pytest.raises(ValueError, match="--number=3: .* has 2"):
            genetic.read(path, number=3)


@pytest.mark.parametrize(
    ("text", "optimum"),
    [
        ("3 4\n6 3\n5 2\n4 2\n", None),
        ("3 \n4\n6 3\n5 2\n4 2\n0 1 1\n", None),
        ("knapPI_1\nn 3\nc 4\nz 9\ntime 0\n1,6,3,0\n2,5,2,1\n3,4,2,1\n-----\n", 9),
    ],
)
def test_pisingers_formats(file, text, optimum):
    found = genetic.read(file(text))
    assert found.objective.tolist() == [6, 5, 4] and found.optimum == optimum
    assert found.weights.tolist() == [[3, 2, 2]] and found.high.tolist() == [4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2 1 0\n1 2\n3 x\n4\n", "row 4, column 2: 'x' is not a number"),
        ("1\n2 1 0\n1 2\n3 4\n", "ends within the capacities of problem 1"),
        ("1\n2 1 0\n1 2\n3 4\n5 6\n", "1 numbers after the last problem"),
        ("1\n2.5 1 0 4\n", "2.5 stands where a count is expected"),
        ("1\n2 1 0\n1 2\n3 4\n-5\n", "at least 0 by the bounds, and at most -5"),
        ("1\n2 1 0\n1 nan\n3 4\n5\n", "row 3, column 2: 'nan': every number must be"),
        ("1\n2 1 0\n1 1e40\n3 4\n5\n", "'objective' of 'item 2': 1e.40 cannot"),
        ("1\n99999 99999 0\n1 2\n", "99999 items and 99999|ends within"),
        (" problem X.DAT\n+++\n1 2\n3 4\n", "ends within the capacities of problem X"),
        ("n 2\nc 4\nz 9\n1,6,3,0\n", "1 items where 2 are expected"),
    ],
)
def test_bad_numeric_files_are_named(file, text, message):
    with pytest.raises(ValueError, match=message):
        genetic.read(file(text, "mknap.txt"))


def spoil(generator, text):
    """A text with something wrong in one or two places."""
    pieces = [b"", b",", b";", b"\t", b"nan", b"-1", b"1e308", b"1e999", b'"', b"\n"]
    pieces += [b"capacity", b"\x00", b"\xff", b"9" * 400, b"<=", b"=", b"upper", b" "]
    data = bytearray(text.encode())
    for _ in range(generator.integers(1, 3)):
        start = int(generator.integers(0, len(data)))
        stop = start + int(generator.integers(0, 12))
        data[start:stop] = pieces[generator.integers(len(pieces))]
        if generator.random() < 0.2:
            del data[int(generator.integers(1, len(data))) :]
    return bytes(data)


def test_spoilt_files_never_give_anything_but_one_line(file):
    generator = np.random.default_rng(0)
    texts = [GOOD, *DIALECTS.values(), *FORMATS.values(), MKNAP1.read_text()[:400]]
    refused = 0
    for number in range(240):
        path = file(spoil(generator, texts[number % len(texts)]))
        try:
            genetic.read(path)
        except (ValueError, OSError) as error:
            refused += 1
            assert str(error) and "Traceback" not in str(error)
    assert refused >= 120

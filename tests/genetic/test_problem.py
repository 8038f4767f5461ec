"""Problems from files: what is read, and what is refused in one line."""

import pathlib

import numpy as np
import pytest

from genetic import orlib, problem

ROOT = pathlib.Path(__file__).parents[2]

GOOD = "name,profit,fuel,crew\na,5,2,1\nb,3,1,1\ncapacity,,2,>=1\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="problem.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def test_reads_names_senses_and_bounds(file):
    found = problem.read(
        file(
            "item,value,fuel,lower,upper\nx,2.5,1,0,7\ny,-1,0.5,-3,3\ncapacity,,=4,,\n"
        )
    )
    assert found.names == ("x", "y") and found.resources == ("fuel",)
    np.testing.assert_array_equal(found.objective, [2.5, -1])
    np.testing.assert_allclose([found.low[0], found.high[0]], [4, 4], atol=1e-5)
    np.testing.assert_array_equal([found.lower, found.upper], [[0, -3], [7, 3]])
    assert not found.repairable


def test_capacities_from_flags_come_first(file):
    found = problem.read(file(GOOD), {"fuel": "3", "crew": "<=2"})
    np.testing.assert_array_equal(found.high, [3, 2])
    assert found.repairable


def test_violation_is_what_is_broken(file):
    found = problem.read(file(GOOD))
    solutions = np.array([[0, 0], [1, 0], [1, 1]])
    np.testing.assert_allclose(found.violations(solutions), [1.0, 0.0, 0.5])
    np.testing.assert_array_equal(found.values(solutions), [0, 5, 8])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (b"\xff\xfe\x00binary", "not a CSV text file"),
        ("a,b\n1,2\n", "row 1: name, objective and resources"),
        ("a,b,b\nx,1,2\n", "row 1: each column needs its own name"),
        ("a,b,c\nx,1\n", "row 2: 2 columns, the header has 3"),
        ("a,b,c\nx,1,two\n", "row 2, column 'c': 'two' is not a number"),
        ("a,b,c\nx,nan,2\n", "row 2, column 'b': 'nan' is not finite"),
        ("a,b,c\nx,1,inf\n", "row 2, column 'c': 'inf' is not finite"),
        ("a,b,c\nx,1,2\n", "resource 'c' has no capacity"),
        ("a,b,c\ncapacity,,2\n", "no variables"),
        ("a,b,c\nx,1,2\ncapacity,,-2\n", "row 3, column 'c': capacity -2 is below"),
        ("a,b,c,upper\nx,1,2,1.5\ncapacity,,2,\n", "'upper': bounds must be whole"),
        ("a,b,c,lower\nx,1,2,2\ncapacity,,2,\n", "x: lower bound above upper bound"),
        ("a,b,c\nx,1,2\ncapacity,,>=3\n", "no feasible solution: 'c' is at most 2"),
        (
            "a,b,c,lower,upper\nx,1,2,2,3\ncapacity,,3,,\n",
            "no feasible solution: 'c' is at least 4",
        ),
    ],
)
def test_bad_csv_is_named(file, text, message):
    with pytest.raises((ValueError, OSError), match=message):
        problem.read(file(text))


def test_missing_file_directory_and_unknown_resource(file, tmp_path):
    with pytest.raises(OSError, match="none.csv: no such file"):
        problem.read("none.csv")
    with pytest.raises(OSError, match="is a directory"):
        problem.read(str(tmp_path))
    with pytest.raises(ValueError, match="has no resource 'water'"):
        problem.read(file(GOOD), {"water": "3"})


def test_reads_the_or_library():
    path = str(ROOT / "genetic" / "data" / "mknap1.txt")
    assert orlib.looks_like(path)
    found = orlib.read(path)
    sizes = [(len(p.names), len(p.resources), p.optimum) for p in found]
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2 1 0\n1 2\n3 x\n4\n", "row 4, column 2: 'x' is not a number"),
        ("1\n2 1 0\n1 2\n3 4\n", "ends within the capacities of problem 1"),
        ("1\n2 1 0\n1 2\n3 4\n5 6\n", "1 numbers after the last problem"),
        ("1\n2.5 1 0\n", "2.5 stands where a count is expected"),
        ("1\n2 1 0\n1 2\n3 4\n-5\n", "problem 1 has a capacity below zero"),
        ("1\n2 1 0\n1 nan\n3 4\n5\n", "every number must be finite"),
    ],
)
def test_bad_or_library_files_are_named(file, text, message):
    with pytest.raises(ValueError, match=message):
        orlib.read(file(text, "mknap.txt"))


def test_generator_is_chu_and_beasleys():
    found = problem.generate(500, 5, 0.25, seed=0)
    assert found.weights.min() >= 0 and found.weights.max() <= 1000
    np.testing.assert_allclose(found.high, 0.25 * found.weights.sum(axis=1), atol=1)
    extra = found.objective - found.weights.mean(axis=0)
    assert extra.min() >= -0.5 and extra.max() <= 500.5
    np.testing.assert_array_equal(
        found.objective, problem.generate(500, 5, 0.25, seed=0).objective
    )

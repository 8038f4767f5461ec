"""Comparisons that are exact, and problems that are refused."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from genetic import problem, rows


def simple(weights, capacity, **more):
    count = len(weights)
    made = problem.linear(np.ones(count), np.array([weights], object), [capacity])
    return dataclasses.replace(made, **more)


@pytest.mark.parametrize(
    ("weights", "capacity"),
    [
        ([333_333_333, 333_333_333, 333_333_335], 1_000_000_000),
        ([10**17 + 1, 10**17, 10**17], 3 * 10**17),
        ([2**62, 2**62, 2**62 + 1], 3 * 2**62),
        ([0.1, 0.1, 0.1 + 1e-15], 0.3),
        ([3e-6, 4e-6, 3.001e-6], 1e-5),
        ([1.1e-25, 1.2e-25, 1.3001e-25], 3.6e-25),
    ],
)
def test_one_unit_over_the_capacity_is_over(weights, capacity):
    case = simple(weights, capacity)
    everything = np.ones((1, 3), np.int64)
    assert case.violations(everything)[0] > 0
    assert not case.feasible(everything[0])
    fits = simple([*weights[:2], 2 * weights[0] - weights[1]], 3 * weights[0])
    assert fits.feasible(everything[0])


def test_decimals_add_up_without_error():
    case = simple([0.1, 0.2, 0.3], 0.6)
    assert case.feasible(np.ones(3, np.int64))
    assert case.uses(np.ones(3, np.int64)) == [Fraction(6, 10)]
    assert not simple([0.1, 0.2, 0.3], 0.59999999999).feasible(np.ones(3, np.int64))


def test_rounded_numbers_have_a_tolerance_of_their_own_size():
    weights = (np.array([1.0, 2.0, 4.0]) / 7e7).tolist()
    total = sum(weights)
    assert not simple(weights, total).rows[0].whole
    assert simple(weights, total * (1 - 1e-11)).feasible(np.ones(3, np.int64))
    assert not simple(weights, total * (1 - 1e-7)).feasible(np.ones(3, np.int64))


def test_objectives_to_the_last_digit():
    case = problem.linear([1.1, 2.2, 3.3], [[1, 1, 1]], [3])
    solutions = np.array([[1, 1, 1], [0, 1, 1]])
    assert case.values(solutions).tolist() == [6.6, 5.5]
    assert case.value(solutions[0]) == 6.6
    huge = problem.linear([10**18 + 1, 1], [[1, 1]], [2])
    assert huge.gain.integers is not None
    assert huge.value(np.array([1, 1])) == 10**18 + 2


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([2.0, 4.0], Fraction(1)),
        ([0.5, 1.25], Fraction(1, 100)),
        ([1e-7, 2.5e-9], Fraction(1, 10**10)),
        ([1 / 3, 1.0], None),
    ],
)
def test_units(values, unit):
    found = rows.in_units(np.array(values))
    if unit is None:
        assert found is None
    else:
        assert found is not None and found[1] == unit
        assert [float(each * unit) for each in found[0]] == values


def test_violation_is_what_is_broken():
    case = problem.linear([5, 3], [[2, 1], [1, 1]], [2, 1])
    solutions = np.array([[0, 0], [1, 0], [1, 1]])
    np.testing.assert_allclose(case.violations(solutions), [0.0, 0.0, 0.5 + 1.0])
    assert not case.feasible(np.array([0, 2]))  # above its bound


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e308])
def test_numbers_that_cannot_be_used(bad):
    with pytest.raises(ValueError, match="'objective' of 'item 2'.*cannot be used"):
        problem.linear([1, bad], [[1, 1]], [1])
    with pytest.raises(ValueError, match="'resource 1' of 'item 1'"):
        problem.linear([1, 1], [[bad, 1]], [1])


def test_bounds_that_leave_nothing():
    with pytest.raises(ValueError, match="'resource 1' is at least 4.5 by the bounds"):
        simple([1.5, 1.5, 1.5], 3, lower=np.ones(3, np.int64))
    with pytest.raises(ValueError, match="is at most 3 by the bounds, and at least 4"):
        simple([1, 1, 1], 9, low=np.array([4.0]))
    with pytest.raises(ValueError, match="lower bound 2 is above its upper, 1"):
        simple([1, 1, 1], 9, lower=np.full(3, 2))


def test_generator_is_chu_and_beasleys():
    found = problem.generate(500, 5, 0.25, seed=0)
    assert found.weights.min() >= 0 and found.weights.max() <= 1000
    np.testing.assert_allclose(found.high, 0.25 * found.weights.sum(axis=1), atol=1)
    extra = found.objective - found.weights.mean(axis=0)
    assert extra.min() >= -0.5 and extra.max() <= 500.5
    again = problem.generate(500, 5, 0.25, seed=0)
    np.testing.assert_array_equal(found.objective, again.objective)

"""Repair against Chu and Beasley's two loops, and improvement by exchanges."""

import numpy as np
import pytest

from genetic import problem
from genetic.repair import Repair, improve


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def literal_repair(x, weights, capacities, upper, gainful):
    """Chu and Beasley's two loops, unit by unit."""
    x = x.astype(int)
    for j in reversed(range(len(x))):
        if (weights @ x > capacities).any():
            x[j] = 0
    for j in range(len(x)):
        while gainful[j] and x[j] < upper[j]:
            x[j] += 1
            if (weights @ x > capacities).any():
                x[j] -= 1
                break
    return x


@pytest.mark.parametrize("unit", [1.0, 2.0**-10])
@pytest.mark.parametrize("top", [1, 4])
@pytest.mark.parametrize(("rows", "count"), [(1, 12), (3, 12), (8, 45)])
def test_repair_is_chu_and_beasleys(rows, count, top, unit, generator):
    weights = generator.integers(0, 30, (rows, count)) * unit
    upper = np.full(count, top, np.uint8)
    gainful = generator.random(count) < 0.8
    for tightness in (0.2, 0.5, 0.9):
        capacities = np.floor(tightness * top * weights.sum(axis=1) / unit) * unit
        solutions = generator.integers(0, top + 1, (150, count)).astype(np.uint8)
        solutions[:50] *= generator.integers(0, 2, (50, count)).astype(np.uint8)
        expected = [
            literal_repair(x, weights, capacities, upper, gainful) for x in solutions
        ]
        Repair(weights, capacities, upper, gainful)(solutions)
        np.testing.assert_array_equal(solutions, expected)


def test_repair_with_fractions_never_breaks_a_constraint(generator):
    case = problem.generate(50, 5, 0.5, seed=0)
    weights, capacities = case.weights / 7, case.high / 7
    solutions = generator.integers(0, 2, (300, 50)).astype(np.uint8)
    Repair(weights, capacities, np.ones(50, np.uint8), np.ones(50, bool))(solutions)
    loads = solutions @ weights.T
    assert (loads <= capacities * (1 + 1e-12)).all()
    for solution, slack in zip(solutions[:20], (capacities - loads)[:20], strict=True):
        left = weights[:, solution == 0]
        assert not (left <= slack[:, None] - 1e-6).all(axis=0).any()


def test_no_exchange_improves_what_was_improved(generator):
    case = problem.generate(30, 3, 0.5, seed=1)
    one = np.ones(30, np.uint8)
    start = np.zeros(30, np.uint8)
    found = improve(start, case.weights, case.high, one, case.objective)
    assert start.sum() == 0 and case.feasible(found.astype(np.int64))
    for out in np.flatnonzero(found):
        for into in np.flatnonzero(found == 0):
            other = found.astype(np.int64)
            other[out], other[into] = 0, 1
            assert not case.feasible(other) or case.value(other) <= case.value(found)

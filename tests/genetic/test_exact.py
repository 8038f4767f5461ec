"""HiGHS against all solutions, where floats would mislead it."""

import dataclasses
import itertools

import numpy as np
import pytest

import genetic
from genetic import exact, problem


def best_of_all(case):
    ranges = [range(a, b + 1) for a, b in zip(case.lower, case.upper, strict=True)]
    every = np.array(list(itertools.product(*ranges)))
    every = every[case.violations(every) == 0]
    values = [case.value(each) for each in every]
    return max(values) if case.maximize else min(values)


@pytest.mark.parametrize(
    ("weights", "capacity"),
    [
        ([200_000_001, 200_000_000, 200_000_000, 200_000_000], 800_000_000),
        ([10**17 + 1, 10**17, 10**17, 10**17], 4 * 10**17),
        ([1.25e-6, 1.25e-6, 1.25e-6, 1.2501e-6], 5e-6),
    ],
)
def test_one_unit_over_is_not_optimal(weights, capacity):
    case = problem.linear([7, 7, 7, 7], np.array([weights], object), [capacity])
    found = exact.solve(case)
    assert found.objective == 21 and found.proven and found.feasible
    assert case.feasible(found.solution)


@pytest.mark.parametrize("size", [1e-9, 1e-3, 1.0, 1e6, 1e12])
@pytest.mark.parametrize("worth", [1e-8, 1.0, 1e9])
def test_any_scale(size, worth):
    generator = np.random.default_rng(4)
    weights = generator.integers(100, 999, (2, 11))
    values = generator.integers(100, 999, 11)
    small = problem.linear(values, weights, [2500, 2600])
    # Powers of ten stay exact decimals.
    scaled = problem.linear(
        [float(f"{v}e{round(np.log10(worth))}") for v in values],
        [[float(f"{w}e{round(np.log10(size))}") for w in row] for row in weights],
        [float(f"{c}e{round(np.log10(size))}") for c in (2500, 2600)],
    )
    found = exact.solve(scaled)
    assert found.proven
    assert found.objective == pytest.approx(worth * best_of_all(small), rel=1e-12)
    *_, record = genetic.evolve(scaled, genetic.Config(generations=60))
    assert record.best == found.objective


def test_rounded_numbers_of_any_sense():
    generator = np.random.default_rng(1)
    case = problem.linear(generator.random(9), generator.random((2, 9)) / 7, [0.3, 0.3])
    assert exact.solve(case).objective == best_of_all(case)
    case = dataclasses.replace(
        case, low=np.array([0.2, -np.inf]), high=np.array([np.inf, 0.5]), maximize=False
    )
    found = exact.solve(case)
    assert found.proven and found.objective == best_of_all(case)


def test_large_equalities_of_whole_numbers():
    weights = [[10**12 + 3, 10**12 + 7, 3 * 10**12 + 1, 5]]
    target = 2 * weights[0][0] + 3 * weights[0][2] + weights[0][3]
    case = dataclasses.replace(
        problem.linear([1, 1, 1, 1], weights, [target]),
        low=np.array([float(target)]),
        upper=np.full(4, 9),
        maximize=False,
    )
    found = exact.solve(case)
    assert found.feasible and case.feasible(found.solution)
    assert found.objective == best_of_all(case) == 6


def test_a_limit_of_time_is_no_proof():
    case = problem.generate(200, 30, 0.5, seed=0)
    found = exact.solve(case, seconds=0.3)
    assert not found.proven
    if found.objective is not None:
        assert case.feasible(found.solution) and found.bound >= found.objective


def test_nothing_feasible():
    case = problem.linear([1, 1], [[2, 4]], [5])
    case = dataclasses.replace(case, low=np.array([5.0]))
    found = exact.solve(case)
    assert found.feasible is False and found.objective is None and not found.proven


def test_prices_are_the_relaxations(small):
    found = exact.relax(small)
    reduced = small.gain.weights - found.prices @ small.scaled
    # Weak duality with x in [0, 1]; equal at the optimum.
    bound = found.prices @ small.scaled_high + np.maximum(reduced, 0).sum()
    assert bound == pytest.approx(found.bound)
    assert bound >= exact.solve(small).objective

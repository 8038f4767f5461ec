"""Each function of the post against a literal re-telling, and those that came later."""

import numpy as np
import pytest

from genetic import operators


class Tape:
    """Stands in for a generator and plays back chosen random numbers."""

    def __init__(self, *arrays):
        self._arrays = list(arrays)

    def random(self, shape=None):
        array = self._arrays.pop(0)
        assert np.shape(array) == (shape if isinstance(shape, tuple) else (shape,))
        return array


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_init_is_the_posts(generator):
    uniform = generator.random((4, 7))
    expected = [[1 if x < 0.3 else 0 for x in row] for row in uniform]
    found = operators.init_solutions(Tape(uniform), 4, 7, 0.3)
    np.testing.assert_array_equal(found, expected)


def test_mating_is_the_formula(generator):
    y, z = generator.integers(0, 2, (2, 5, 6))
    uniform = generator.random((5, 6))
    uniform[0, 0] = 0.5  # the formula gives y here, and so does the post's text
    expected = [
        [y[r, k] if uniform[r, k] <= 0.5 else z[r, k] for k in range(6)]
        for r in range(5)
    ]
    np.testing.assert_array_equal(operators.mate(Tape(uniform), y, z), expected)


def test_mutation_switches_as_often_as_its_probability_says(generator):
    zeros = np.zeros((400, 100), np.uint8)
    share = operators.mutate(generator, zeros, 0.2).mean()
    assert abs(share - 0.2) < 0.01  # the post's code would give 0.1
    uniform = generator.random((3, 4))
    bits = generator.integers(0, 2, (3, 4)).astype(np.uint8)
    expected = [
        [1 - b if u < 0.4 else b for b, u in zip(*rows, strict=True)]
        for rows in zip(bits, uniform, strict=True)
    ]
    np.testing.assert_array_equal(operators.mutate(Tape(uniform), bits, 0.4), expected)


def post_pmf(values, working):
    """The post's getPDF, word for word."""
    total = sum(values[working])
    prob = np.zeros(len(values))
    for i in working:
        prob[i] = values[i] / total
    return prob


def post_sample(pmf, number):
    """The post's sample_p_dist for one random number."""
    cdf, running = np.zeros(len(pmf)), 0
    for i, p in enumerate(pmf):
        running += p
        cdf[i] = running
    return np.argmax(cdf == cdf[np.argmax(cdf > number)])


def test_roulette_is_the_posts(generator):
    values = generator.uniform(1, 9, 12)
    feasible = generator.random(12) < 0.6
    working = [i for i in range(12) if feasible[i]]
    np.testing.assert_array_equal(operators.feasible_indices(feasible), working)
    mass = operators.probability_mass(values, feasible)
    np.testing.assert_allclose(mass, post_pmf(values, working))
    np.testing.assert_allclose(operators.cumulative(mass), np.cumsum(mass))
    numbers = generator.random(50)
    expected = [post_sample(mass, number) for number in numbers]
    found = operators.roulette(Tape(numbers), mass, 50)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("values", [[-5.0, -3.0, 1.0], [0.0, 0.0, 7.0]])
def test_roulette_survives_what_broke_the_posts(values, generator):
    feasible = np.array([True, True, False])
    mass = operators.probability_mass(np.array(values), feasible)
    assert mass.min() >= 0 and mass[2] == 0
    np.testing.assert_allclose(mass.sum(), 1)
    assert set(operators.roulette(generator, mass, 100)) <= {0, 1}


def test_universal_sampling_misses_no_expected_number_by_one(generator):
    mass = np.array([0.5, 0.0, 0.31, 0.19])
    counts = np.bincount(operators.universal(generator, mass, 100), minlength=4)
    assert np.all(np.abs(counts - 100 * mass) < 1)


def test_tournament_prefers_the_first(generator):
    chosen = operators.tournament(generator, 10, 2, 20_000)
    shares = np.bincount(chosen, minlength=10) / 20_000
    expected = [(2 * (10 - i) - 1) / 100 for i in range(10)]
    np.testing.assert_allclose(shares, expected, atol=0.015)


@pytest.mark.parametrize(("kind", "changes"), [("one_point", 1), ("two_point", 2)])
def test_point_crossover_switches_at_its_points(kind, changes, generator):
    mask = operators.crossover_mask(generator, kind, 500, 20, 1.0)
    switches = np.abs(np.diff(mask.astype(int), axis=1)).sum(axis=1)
    assert switches.max() == changes
    assert 0.2 < mask.mean() < 0.8


def test_crossover_rate_is_the_share_with_two_parents(generator):
    mask = operators.crossover_mask(generator, "uniform", 2000, 30, 0.25)
    assert abs(mask.any(axis=1).mean() - 0.25) < 0.03
    assert abs(mask[mask.any(axis=1)].mean() - 0.5) < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cross_takes_genes_by_mask(dtype, generator):
    first, second = generator.integers(0, 250, (2, 9, 7)).astype(dtype)
    mask = generator.random((9, 7)) < 0.5
    found = operators.cross(first, second, mask)
    np.testing.assert_array_equal(found, np.where(mask, second, first))


def test_resample_gives_other_values_within_bounds(generator):
    upper = np.array([1, 5, 0, 9], np.uint8)
    before = generator.integers(0, upper + 1, (5000, 4)).astype(np.uint8)
    after = operators.resample(generator, before, upper, 0.05)
    assert (after <= upper).all()
    changed = (after != before).mean(axis=0)
    np.testing.assert_allclose(changed[[0, 1, 3]], 0.05, atol=0.015)
    assert changed[2] == 0


def test_resample_prefers_what_it_is_told(generator):
    upper, zeros = np.ones(3, np.uint8), np.zeros((4000, 3), np.uint8)
    share = np.array([0.5, 0.5, 1.0])  # cumulative: the second gene never changes
    changed = operators.resample(generator, zeros, upper, 0.1, share).mean(axis=0)
    assert changed[1] == 0 and zeros.sum() == 0
    np.testing.assert_allclose(changed[[0, 2]], 0.13, atol=0.03)

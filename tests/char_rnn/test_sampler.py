"""Drawing characters: temperature, top-k, seeds, and the post's second softmax."""

import numpy as np
import pytest

from char_rnn.config import Config
from char_rnn.sampler import Sampler, draw, softmax

LOGITS = np.log(np.array([0.1, 0.2, 0.3, 0.4]))


def shares(**settings):
    random = np.random.default_rng(0)
    settings = {"temperature": 1.0, "top_k": 0} | settings
    draws = [draw(LOGITS, random, **settings) for _ in range(8_000)]
    return np.bincount(draws, minlength=4) / len(draws)


def test_temperature_sharpens_and_flattens():
    np.testing.assert_allclose(shares(), [0.1, 0.2, 0.3, 0.4], atol=0.02)
    squared = np.array([1, 4, 9, 16]) / 30
    np.testing.assert_allclose(shares(temperature=0.5), squared, atol=0.02)
    np.testing.assert_allclose(shares(temperature=1e6), [0.25] * 4, atol=0.02)
    assert shares(temperature=0).tolist() == [0, 0, 0, 1]


def test_top_k_keeps_the_likeliest_alone():
    np.testing.assert_allclose(shares(top_k=2), [0, 0, 3 / 7, 4 / 7], atol=0.02)
    np.testing.assert_allclose(shares(top_k=9), shares())
    even = np.zeros(5)
    random = np.random.default_rng(0)
    assert len({draw(even, random, 1.0, 2) for _ in range(200)}) == 2


# A network of Arch 1 that writes the alphabet over and over.
WEIGHTS = {
    "U": np.eye(5),
    "W": np.zeros((10, 5)),
    "b": np.zeros(10),
    "V": np.concatenate([20 * np.roll(np.eye(5), 1, axis=1), np.zeros((5, 5))]),
    "c": np.zeros(5),
}


@pytest.fixture
def sampler():
    return Sampler(Config(num_nodes=5), WEIGHTS)


def test_a_temperature_near_0_takes_the_likeliest():
    assert shares(temperature=1e-320).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"W": np.full((10, 5), np.nan)}, "W are not finite"),
        ({"V": np.zeros((5, 5))}, r"V are \(5, 5\), not \(10, 5\)"),
        ({"U": np.zeros((4, 5))}, "U are"),
        ({"c": np.float64(0)}, "U are"),
    ],
)
def test_wrong_weights_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Sampler(Config(num_nodes=5), WEIGHTS | wrong)


def test_a_wrong_prime_and_an_exploding_state_are_told(sampler):
    random = np.random.default_rng(0)
    for prime in (np.array([5]), np.array([], int), np.array([0.5])):
        with pytest.raises(ValueError, match="ids"):
            list(sampler.write(prime, 3, random))
    for wrong in ({"temperature": -1}, {"temperature": np.nan}, {"top_k": -1}):
        with pytest.raises(ValueError, match="below 0"):
            list(sampler.write(np.array([0]), 3, random, **wrong))
    exploding = WEIGHTS | {"W": np.full((10, 5), 1e200)}
    with (
        pytest.raises(FloatingPointError, match="not finite"),
        np.errstate(all="ignore"),
    ):
        list(Sampler(Config(num_nodes=5), exploding).write(np.array([0]), 9, random))


def test_goes_on_from_the_prime(sampler):
    drawn = sampler.write(np.array([4, 0, 1]), 6, np.random.default_rng(0))
    assert list(drawn) == [2, 3, 4, 0, 1, 2]


def test_softmax_twice_makes_all_characters_nearly_alike(sampler):
    random = np.random.default_rng(0)
    drawn = list(sampler.write(np.array([0]), 4_000, random, softmax_twice=True))
    follows = np.mean((np.diff([0, *drawn]) % 5) == 1)
    # Softmax of one 1 and four 0s gives the right one e / (e + 4), not 1.
    assert follows == pytest.approx(np.e / (np.e + 4), abs=0.03)


def test_the_seed_settles_the_text():
    random = np.random.default_rng(0)
    weights = {
        "U": random.normal(size=(5, 4)),
        "W": random.normal(size=(8, 4)),
        "b": np.zeros(8),
        "V": random.normal(size=(8, 5)),
        "c": np.zeros(5),
    }

    def text(seed):
        sampler = Sampler(Config(num_nodes=4), weights)
        return list(sampler.write(np.array([0]), 50, np.random.default_rng(seed)))

    assert text(1) == text(1) != text(2)


def test_softmax_of_large_logits():
    np.testing.assert_allclose(softmax(np.array([1e4, 1e4, 0])), [0.5, 0.5, 0])

"""The alphabet, drawing, cleaning, and texts as ids."""

import numpy as np
import pytest

from char_rnn import text


def test_sample_prob_draws_each_as_often_as_its_probability():
    random = np.random.default_rng(0)
    expected = np.array([0.5, 0.0, 0.3, 0.2])
    draws = [text.sample_prob(expected, random) for _ in range(20_000)]
    shares = np.bincount(draws, minlength=4) / len(draws)
    np.testing.assert_allclose(shares, expected, atol=0.015)
    assert shares[1] == 0


def test_sample_prob_stays_inside_when_the_sum_is_below_one():
    class Highest:
        def random(self):
            return np.nextafter(1, 0)

    assert text.sample_prob(np.array([0.25, 0.25, 0.25]), Highest()) == 2


def test_random_dist_is_a_distribution():
    values = text.random_dist(np.random.default_rng(1), 5)
    assert values.shape == (5,) and values.min() >= 0
    assert values.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("The  year 1984;\nWi-Fi!", "the year one nine eight four wi fi"),
        ("Über naïve Žižek, Straße", "uber naive zizek strasse"),
        ("Œuvre d’Æsop – Łódź søn", "oeuvre d aesop lodz son"),
        ("e\u0301t\u0301e", "ete"),  # accents as characters of their own
        ("日本 x²", "x two"),
        ("", ""),
    ],
)
def test_clean_is_how_text8_was_made_and_folds_accents(raw, expected):
    assert text.clean(raw) == expected


def test_encode_and_decode_are_inverse_and_name_what_is_unknown():
    ids = text.encode("to be or not")
    assert ids.dtype == np.uint8
    assert text.decode(ids) == "to be or not"
    assert text.decode(text.encode("ß€a", "a€ß"), "a€ß") == "ß€a"
    assert text.encode("ab", "ßba").tolist() == [2, 1]
    for unknown in ("to Be", "to é", "to 日"):
        with pytest.raises(ValueError, match="' at character 3 "):
            text.encode(unknown)
    with pytest.raises(ValueError, match="at character 0 "):
        text.encode("x", "日本")


def test_large_alphabets_have_ids_of_16_bits():
    alphabet = "".join(map(chr, range(0x4E00, 0x4E00 + text.LARGEST)))
    ids = text.encode(alphabet[::-1], alphabet)
    assert ids.dtype == np.uint16
    assert ids.tolist() == list(range(text.LARGEST))[::-1]
    with pytest.raises(ValueError, match="10001 characters"):
        text.encode("x", alphabet + "x")
    with pytest.raises(ValueError) as caught:
        text.encode("x", alphabet)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 2], "list"),
        (np.array([0.5]), "float64"),
        (np.array(["a"]), "<U1"),
        (np.zeros((2, 2), int), "dimensions"),
        (np.zeros(0, int), "too few"),
        (np.array([0, 27]), "0 to 27"),
        (np.array([-1, 2]), "-1 to 2"),
    ],
)
def test_wrong_ids_are_named(ids, message):
    with pytest.raises(ValueError, match=message):
        text.check_ids(ids, 27)


@pytest.mark.parametrize("wrong", [[0.5, np.nan], [np.inf, 1], [-0.1, 1.1], [0, 0]])
def test_sample_prob_refuses_what_is_no_distribution(wrong):
    with pytest.raises(ValueError, match="probabilities"):
        text.sample_prob(np.array(wrong), np.random.default_rng(0))

"""Bits per character: of networks worked by hand, and of counting."""

import collections
import math

import numpy as np
import pytest

from char_rnn import evaluate
from char_rnn.config import Config
from char_rnn.model import CharRNN


def test_a_network_that_knows_nothing_spends_log2_27_bits(data):
    model = CharRNN(Config(num_nodes=3), 27)
    model.V.assign(0 * model.V)
    bits = evaluate.Evaluator(model).bits_per_character(data)
    assert bits == pytest.approx(math.log2(27), rel=1e-5)


def test_a_known_bigram_spends_what_it_should():
    """Arch 2 with logits of one weight each: p(next = now + 1) = 3 / (3 + 26)."""
    model = CharRNN(Config(arch=2, num_nodes=27), 27)
    model.U.assign(np.eye(27))
    model.V.assign(
        np.concatenate([np.log(3) * np.roll(np.eye(27), 1, 1), np.zeros((27, 27))])
    )
    steady = np.arange(5_000, dtype=np.int64) % 27
    bits = evaluate.Evaluator(model).bits_per_character(steady.astype(np.uint8))
    assert bits == pytest.approx(-math.log2(3 / 29), rel=1e-5)


def test_streams_of_a_longer_text_agree_with_one_stream(data):
    model = CharRNN(Config(combine="sum", num_nodes=8), 27)
    evaluator = evaluate.Evaluator(model)
    whole = evaluator.bits_per_character(np.tile(data, 4))
    assert evaluator.bits_per_character(data) == pytest.approx(whole, rel=1e-3)


def test_short_texts_large_alphabets_and_wrong_ids(data):
    evaluator = evaluate.Evaluator(CharRNN(Config(num_nodes=3), 27))
    assert 4 < evaluator.bits_per_character(data[:50]) < 6
    for wrong, message in (
        (data[:1], "too few"),
        (data + 200, "27 characters"),
        (data.tolist(), "list"),
        (data / 2, "float64"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluator.bits_per_character(wrong)
    many = np.random.default_rng(0).integers(0, 5_000, 30_000).astype(np.uint16)
    large = CharRNN(Config(num_nodes=3), 5_000)
    large.V.assign(0 * large.V)
    bits = evaluate.Evaluator(large).bits_per_character(many)
    assert bits == pytest.approx(math.log2(5_000), rel=1e-5)


def test_what_is_not_finite_is_the_worst(data):
    model = CharRNN(Config(num_nodes=3), 27)
    model.V.assign(np.inf * np.ones_like(model.V))
    assert evaluate.Evaluator(model).bits_per_character(data) == math.inf


def ngram_oracle(train, text, size, order, most):
    """The same estimate by dictionaries, one character at a time."""

    def probability(context, character):
        if context is None:
            return 1 / size
        shorter = context[1:] if context else None
        grams, contexts = counts[len(context) + 1], counts[len(context)]
        seen = sum(n for g, n in grams.items() if g[:-1] == context)
        assert seen <= contexts.get(context, len(train))
        prior = evaluate.PRIOR * probability(shorter, character)
        return (grams[context + (character,)] + prior) / (seen + evaluate.PRIOR)

    counts = {
        k: collections.Counter(
            tuple(train[i : i + k]) for i in range(len(train) - k + 1)
        )
        for k in range(1, order + 1)
    }
    counts[0] = collections.Counter()
    spent = [
        -math.log2(probability(tuple(text[i - order + 1 : i]), text[i]))
        for i in range(most - 1, len(text))
    ]
    return sum(spent) / len(spent)


def test_ngrams_are_the_counts_of_an_oracle():
    random = np.random.default_rng(0)
    train = random.choice(4, 300, p=[0.5, 0.3, 0.15, 0.05]).astype(np.uint8)
    text = random.choice(4, 60, p=[0.5, 0.3, 0.15, 0.05]).astype(np.uint8)
    found = evaluate.ngram_bits_per_character(train, text, 4, 3)
    lists = train.tolist(), text.tolist()
    assert found == pytest.approx([ngram_oracle(*lists, 4, k, 3) for k in (1, 2, 3)])


def test_ngrams_leave_out_tables_that_are_too_large():
    ids = np.arange(4_000, dtype=np.int64).astype(np.uint8)
    assert len(evaluate.ngram_bits_per_character(ids, ids, 256)) == 3
    assert len(evaluate.ngram_bits_per_character(ids, ids, 10_000)) == 1
    with pytest.raises(ValueError, match="too few"):
        evaluate.ngram_bits_per_character(ids, ids[:3], 256)

"""How well a text is predicted, by a network and by counting, and from how far back.

A model that gives the right character the probability p spends -log2 p bits on it; a
uniform guess over 27 characters spends 4.75.
"""

import math

import numpy as np
import tensorflow as tf

from char_rnn.fast import unroll
from char_rnn.model import CharRNN
from char_rnn.text import check_ids

STREAMS = 100  # places at which the text is read at once
WINDOW = 100  # characters of each stream a call
MOST_LOGITS = 1 << 24  # of one call; large alphabets have shorter windows
MOST_COUNTS = 1 << 26  # cells of the largest table of counts: half a gigabyte
PRIOR = 4.0  # number of observations for which the shorter context counts


class Evaluator:
    """Measures a network; what it compiles serves every later call."""

    def __init__(self, model: CharRNN):
        self._model = model
        self._spend = tf.function(self._window, jit_compile=True)

    def bits_per_character(
        self, data: np.ndarray, teacher_forcing: bool = True
    ) -> float:
        """Measures the mean over a text, with each stream starting from a zero state.

        Args:
            data: The ids [N]; what is left over after the last full window of every
                stream is not read.
            teacher_forcing: For Arch 2; False feeds its own output back.

        Returns:
            Bits per character; infinity where the network's output is not finite.

        Raises:
            ValueError: The ids are wrong or too few.
        """
        size = self._model.alphabet_size
        check_ids(data, size, least=2)
        streams = min(STREAMS, max(1, len(data) // (10 * WINDOW)))
        length = len(data) // streams
        most = max(1, MOST_LOGITS // (streams * size))
        read = min(WINDOW, length - 1, most)
        count = (length - 1) // read
        rows = data[: streams * length].reshape(streams, length).T
        state, nats = self._model.zero_state(streams), 0.0
        for start in range(0, count * read, read):
            window = rows[start : start + read + 1].astype(np.int32)
            spent, state = self._spend(window, state, teacher_forcing)
            nats += float(spent)
        bits = nats / (count * read * streams) / math.log(2)
        return bits if math.isfinite(bits) else math.inf

    def _window(self, window, state, teacher_forcing):
        """Nats spent on a window [k + 1, streams], and the state after it."""
        logits, state = unroll(self._model, window[:-1], state, teacher_forcing)
        spent = tf.nn.sparse_softmax_cross_entropy_with_logits(window[1:], logits)
        return tf.reduce_sum(spent), state


def gradient_norm_by_lag(model: CharRNN, characters: np.ndarray) -> list[float]:
    """Measures how much the last loss still depends on each earlier state.

    Args:
        model: The network.
        characters: The ids [T + 1, B]; the last are the targets.

    Returns:
        The means over the batch of |dL/ds|, [T], where s is the state that the last
        step gets, the step before it, and so on.

    Raises:
        ValueError: The ids are wrong or too few.
    """
    check_ids(characters, model.alphabet_size, least=2, dimensions=2)
    exact = CharRNN(model.config, model.alphabet_size, tf.float64)  # 1e-30, squared
    exact.assign(model.arrays())
    s, states = exact.zero_state(characters.shape[1]), []
    with tf.GradientTape() as tape:
        for x in characters[:-1].astype(np.int32):
            tape.watch(s)
            states.append(s)
            h, o = exact.cell(tf.one_hot(x, exact.alphabet_size, dtype=s.dtype), s)
            s = h if exact.config.arch == 1 else tf.nn.softmax(o)
        targets = characters[-1].astype(np.int32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, o)
    norms = [tf.norm(g, axis=1) for g in tape.gradient(losses, states)]
    return [float(tf.reduce_mean(norm)) for norm in reversed(norms)]


def ngram_bits_per_character(
    train: np.ndarray, data: np.ndarray, alphabet_size: int, most: int = 5
) -> list[float]:
    """Measures what counting letters, pairs, triples and so on reaches.

    The n-gram of order k predicts from the k - 1 characters before. A context that was
    seen n times trusts its own counts against the next shorter context as n to `PRIOR`
    (MacKay and Peto 1995), so rare contexts do no harm.

    Args:
        train: The ids to count in, [N].
        data: The ids to predict, [M].
        alphabet_size: The number A of characters.
        most: The highest order; orders whose table of A^k counts is too large are
            left out.

    Returns:
        Bits per character over data[most - 1:], for the orders 1, 2, ....

    Raises:
        ValueError: The ids are wrong or too few.
    """
    for ids in (train, data):
        check_ids(ids, alphabet_size, least=most + 1)
    read = max(most - 1, 1)
    probability = np.full(len(data) - read, 1.0 / alphabet_size)
    found = []
    for order in range(1, most + 1):
        if alphabet_size**order > MOST_COUNTS:
            break
        counts = np.bincount(
            _codes(train, order, alphabet_size), minlength=alphabet_size**order
        )
        contexts = counts.reshape(-1, alphabet_size).sum(1)
        code = _codes(data[read - order + 1 :], order, alphabet_size)
        seen = contexts[code // alphabet_size]
        probability = (counts[code] + PRIOR * probability) / (seen + PRIOR)
        found.append(float(-np.log2(probability).mean()))
    return found


def _codes(data: np.ndarray, order: int, alphabet_size: int) -> np.ndarray:
    """Each run of `order` characters as one number, int32 [N - order + 1]."""
    ends = len(data) - order + 1
    code = np.zeros(ends, np.int32)
    for place in range(order):
        code *= alphabet_size
        code += data[place : place + ends]
    return code

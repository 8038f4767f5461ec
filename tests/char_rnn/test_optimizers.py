"""Adadelta against TensorFlow 0.12's figures and NumPy, and how the rates fall."""

import numpy as np
import pytest
import tensorflow as tf

from char_rnn import fast
from char_rnn.config import Config
from char_rnn.model import CharRNN
from char_rnn.optimizers import Adadelta, make_optimizer


def test_a_step_is_the_one_that_was_reported_of_tensorflow():
    """TensorFlow's issue 9058 has -0.866; the paper's order gives -0.707."""
    variable = tf.Variable(0.0)
    optimizer = Adadelta(1.0, rho=0.0, epsilon=1.0)
    optimizer.build([variable])
    optimizer.apply([tf.constant(1.0)], [variable])
    assert float(variable) == pytest.approx(-np.sqrt(1.5 / 2))


def gradients(unroll, model, step):
    """Those of the cross-entropy on a window that the step settles."""
    window = np.random.default_rng(step).integers(0, 6, (8, 3))
    with tf.GradientTape() as tape:
        logits, _ = unroll(model, tf.constant(window[:-1]), model.zero_state(3))
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(window[1:], logits)
        )
    return tape.gradient(loss, model.weights)


def test_adadelta_on_tables_is_numpy_on_the_plain_form():
    config = Config(num_nodes=5, initialization="range", decay_steps=10)
    by_tables, plain = (CharRNN(config, 6, tf.float64) for _ in range(2))
    optimizer = make_optimizer(config)
    optimizer.build(by_tables.weights)
    squares, steps = ([np.zeros(w.shape) for w in plain.weights] for _ in range(2))
    rho, epsilon = 0.95, 1e-6
    for step in range(25):
        optimizer.apply(gradients(fast.unroll, by_tables, step), by_tables.weights)
        rate = 2.5 * 0.75 ** (step // 10)
        slopes = gradients(CharRNN.unroll, plain, step)
        for variable, g, a, u in zip(
            plain.weights, slopes, squares, steps, strict=True
        ):
            g = g.numpy()
            a[:] = rho * a + (1 - rho) * g**2
            u[:] = rho * u + (1 - rho) * g**2 * (u + epsilon) / (a + epsilon)
            variable.assign_sub(rate * np.sqrt(u + epsilon) / np.sqrt(a + epsilon) * g)
    initial = CharRNN(config, 6, tf.float64).arrays()
    for letter, start in initial.items():
        found, expected = (m.arrays()[letter] - start for m in (by_tables, plain))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
        assert np.abs(found).max() > 1e-3


def test_the_staircase_and_the_cosine():
    for settings, rates in (
        (
            {"arch": 2, "recipe": "post"},
            {0: 2.5, 4999: 2.5, 5000: 0.25, 10000: 0.025},
        ),
        ({"warmup_steps": 0}, {0: 1.0, 50: 0.5, 100: 0.0}),
        ({"warmup_steps": 10}, {0: 0.1, 10: 1.0, 55: 0.5, 100: 0.0}),
    ):
        base = {"recipe": "modern", "learning_rate": 1.0, "steps": 100}
        settings = settings if "arch" in settings else base | settings
        optimizer = make_optimizer(Config.of_recipe(**settings))
        for step, expected in rates.items():
            optimizer.iterations.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(expected)

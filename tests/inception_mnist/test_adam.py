"""The optimizer against Keras's, its float32 masters, and the learning rate."""

import keras
import numpy as np
import tensorflow as tf

from inception_mnist.adam import EPSILON, Adam, one_cycle


def test_is_kerass_adamw():
    random = np.random.default_rng(0)
    start = [random.normal(size=shape).astype(np.float32) for shape in ((4, 3), (5,))]
    ours = [keras.Variable(value) for value in start]
    theirs = [keras.Variable(value) for value in start]
    adam = Adam(ours, weight_decay=0.1)
    reference = keras.optimizers.AdamW(0.01, weight_decay=0.1, epsilon=EPSILON)
    reference.exclude_from_weight_decay([theirs[1]])  # a bias
    for _ in range(20):
        gradients = [tf.constant(random.normal(size=w.shape), tf.float32) for w in ours]
        adam.apply(gradients, tf.constant(0.01))
        reference.apply(gradients, theirs)
    for one, two, first in zip(ours, theirs, start, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
        assert np.abs(one - first).min() > 1e-4


def test_bfloat16_weights_follow_float32_masters():
    exact = keras.Variable(np.ones((2, 2), np.float32))
    rounded = keras.Variable(np.ones((2, 2), np.float32), dtype="bfloat16")
    adam = Adam([exact, rounded], weight_decay=0.0)
    gradient = tf.ones((2, 2))
    for _ in range(100):  # each step is too small for bfloat16 to show
        adam.apply([gradient, tf.cast(gradient, tf.bfloat16)], tf.constant(1e-4))
    np.testing.assert_allclose(adam.masters[1], exact, rtol=1e-6)
    np.testing.assert_allclose(exact, 0.99, rtol=1e-5)
    expected = tf.cast(adam.masters[1], tf.bfloat16)
    np.testing.assert_array_equal(rounded.value, expected)
    rounded.assign(np.zeros((2, 2)))
    adam.round_masters()
    np.testing.assert_array_equal(rounded.value, expected)


def test_one_cycle_rises_for_a_fifth_and_falls_to_nothing():
    rates = [float(one_cycle(tf.constant(step), 1000, 0.5)) for step in range(1001)]
    assert rates[0] == 0 and abs(rates[100] - 0.25) < 1e-6
    assert np.argmax(rates) == 200 and abs(rates[200] - 0.5) < 1e-6
    assert abs(rates[600] - 0.25) < 1e-4 and rates[1000] < 1e-6
    assert (np.diff(rates[:201]) > 0).all() and (np.diff(rates[200:]) <= 0).all()

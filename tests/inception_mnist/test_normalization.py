"""Batch normalization against Keras's, and against float64 in the replicas' form."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from inception_mnist.normalization import BatchNormalization, across_replicas


def test_batch_normalization_is_kerass():
    options = {"momentum": 0.9, "epsilon": 1e-3}
    ours = BatchNormalization(**options)
    theirs = keras.layers.BatchNormalization(**options)
    x = np.random.default_rng(0).normal(3, 2, (5, 4, 3, 6)).astype(np.float32)
    for _ in range(3):
        np.testing.assert_allclose(
            ours(x, training=True), theirs(x, training=True), atol=1e-5
        )
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5)
    # TensorFlow's fused operation reports the unbiased variance, as its papers ask.
    unbiased = 60 / 59
    np.testing.assert_allclose(
        np.array(ours.moving_variance) - 0.9**3,
        (np.array(theirs.moving_variance) - 0.9**3) * unbiased,
        rtol=1e-4,
    )
    theirs.moving_variance.assign(ours.moving_variance)
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 4, 3, 6), (50, 6)])
def test_batch_normalization_of_one_and_of_several_replicas(shape):
    """Both against float64: values, gradients, and the unbiased variance."""
    random = np.random.default_rng(0)
    x, upstream = (random.normal(3, 2, shape) for _ in range(2))
    exact = tf.constant(x)
    axes = list(range(len(shape) - 1))
    with tf.GradientTape() as tape:
        tape.watch(exact)
        mean, variance = tf.nn.moments(exact, axes)
        expected = (exact - mean) / tf.sqrt(variance + 1e-3)
        loss = tf.reduce_sum(expected * upstream)
    slope = tape.gradient(loss, exact)
    x, count = tf.constant(x, tf.float32), x.size / 6
    layer = BatchNormalization(momentum=0.0, epsilon=1e-3)
    layer.build(shape)
    for near in (None, 0.0, 3.0):  # the mean, as the replicas know it
        with tf.GradientTape() as tape:
            tape.watch(x)
            if near is None:
                found = layer(x, training=True)
                moments = layer.moving_mean, layer.moving_variance
            else:
                layer.moving_mean.assign(np.full(6, near))
                maps = x if len(shape) == 4 else x[:, None, None]
                scale, offset = layer.gamma.value, layer.beta.value
                mean_here = layer.moving_mean.value
                found, *moments = across_replicas(
                    maps, scale, offset, layer.epsilon, mean_here
                )
                found = tf.reshape(found, shape)
            loss = tf.reduce_sum(found * upstream)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_allclose(tape.gradient(loss, x), slope, atol=2e-5)
        np.testing.assert_allclose(moments[0], mean, rtol=1e-5)
        np.testing.assert_allclose(
            moments[1], variance * count / (count - 1), rtol=1e-5
        )

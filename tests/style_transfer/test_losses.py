"""Each loss against values worked by hand, NumPy, and finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from style_transfer import losses


@pytest.fixture
def maps():
    """Two sets of feature maps in float64: [2, 3, 4] and, wider, [2, 5, 4]."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(2, 3, 4)), generator.normal(size=(2, 5, 4))


def test_pixel_loss_by_hand():
    image = tf.constant([[[1.0, 2.0, 3.0]]])
    target = tf.constant([[[0.0, 4.0, 3.0]]])
    assert losses.pixel_loss(image, target) == 1 + 4 + 0


def test_content_loss_by_hand():
    features = tf.constant([[[1.0, 2.0], [3.0, 4.0]]])
    targets = tf.constant([[[1.0, 0.0], [0.0, 4.0]]])
    assert losses.content_loss(features, targets) == (4 + 9) / 2


def test_gram_matrix_by_hand():
    # Two maps of three positions: F_1 = (1, 2, 3), F_2 = (0, 1, -1).
    features = tf.constant([[[1.0, 0.0], [2.0, 1.0], [3.0, -1.0]]])
    np.testing.assert_array_equal(losses.gram_matrix(features), [[14, -1], [-1, 2]])


def test_style_layer_loss_by_hand():
    # N = 2, M = 3; A = 0, so that the sum is 14^2 + 2 (-1)^2 + 2^2 = 202.
    features = tf.constant([[[1.0, 0.0], [2.0, 1.0], [3.0, -1.0]]])
    loss = losses.style_layer_loss(
        losses.mean_gram_matrix(features, 3), tf.zeros([2, 2])
    )
    np.testing.assert_allclose(loss, 202 / (4 * 2**2 * 3**2), rtol=1e-6)


def test_total_variation_by_hand():
    image = tf.constant([[[0.0], [1.0]], [[3.0], [1.0]]])
    assert losses.total_variation(image) == (9 + 0) + (1 + 4)


def test_content_loss_is_the_posts(maps):
    features, _ = maps
    targets = features[::-1]
    expected = sum(
        (features[y, x, i] - targets[y, x, i]) ** 2 / 2
        for y, x, i in np.ndindex(features.shape)
    )
    np.testing.assert_allclose(losses.content_loss(features, targets), expected)


def test_style_layer_loss_is_the_posts_at_one_size(maps):
    features, _ = maps
    style = features[:, ::-1] ** 2
    count = features.shape[-1]
    positions = features.shape[0] * features.shape[1]
    expected = 0.0
    for i in range(count):
        for j in range(count):
            gram = np.sum(features[..., i] * features[..., j])
            target = np.sum(style[..., i] * style[..., j])
            expected += (gram - target) ** 2 / (4 * count**2 * positions**2)
    style_gram = losses.mean_gram_matrix(tf.constant(style), positions)
    gram = losses.mean_gram_matrix(tf.constant(features), positions)
    np.testing.assert_allclose(losses.style_layer_loss(gram, style_gram), expected)


def test_a_picture_laid_twice_has_the_same_style(maps):
    features, _ = maps
    twice = tf.constant(np.concatenate([features, features], axis=1))
    gram = losses.mean_gram_matrix(tf.constant(features), 6)
    np.testing.assert_allclose(losses.mean_gram_matrix(twice, 12), gram)


def test_guided_gram_matrix_counts_the_region_alone(maps):
    features = tf.constant(maps[1])  # [2, 5, 4]
    even = tf.fill([2, 5], tf.constant(1 / 10, tf.float64))
    np.testing.assert_allclose(
        losses.guided_gram_matrix(features, even),
        losses.mean_gram_matrix(features, 10),
    )
    left = tf.constant([[1 / 4, 1 / 4, 0, 0, 0]] * 2, tf.float64)
    np.testing.assert_allclose(
        losses.guided_gram_matrix(features, left),
        losses.mean_gram_matrix(features[:, :2], 4),
    )


def test_gram_matrix_is_positive_semidefinite(maps):
    gram = losses.gram_matrix(tf.constant(maps[1])).numpy()
    np.testing.assert_array_equal(gram, gram.T)
    assert np.linalg.eigvalsh(gram).min() > -1e-12


@pytest.mark.parametrize("name", ["pixel", "content", "style", "variation"])
def test_gradients_are_the_finite_differences(name, maps):
    features, other = maps
    style_gram = losses.mean_gram_matrix(tf.constant(other), 10)
    loss = {
        "pixel": lambda x: losses.pixel_loss(x, tf.constant(features[::-1])),
        "content": lambda x: losses.content_loss(x, tf.constant(features[::-1])),
        "style": lambda x: losses.style_layer_loss(
            losses.mean_gram_matrix(x, 6), style_gram
        ),
        "variation": losses.total_variation,
    }[name]
    x = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    gradient = tape.gradient(value, x).numpy()
    step = 1e-6
    for index in np.ndindex(features.shape):
        shift = np.zeros_like(features)
        shift[index] = step
        ahead, behind = loss(tf.constant(x + shift)), loss(tf.constant(x - shift))
        np.testing.assert_allclose(
            gradient[index], (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-8
        )

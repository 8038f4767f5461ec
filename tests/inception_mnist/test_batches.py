"""Batches: the post's windows, whole epochs, small turns, and starting anywhere."""

import numpy as np
import tensorflow as tf

from inception_mnist import batches
from inception_mnist.config import Config


def orders(config, size, steps):
    return [batches.order(tf.constant(s, tf.int64), config, size) for s in range(steps)]


def test_unshuffled_windows_are_the_posts():
    config = Config(batch_size=50)
    for step, places in enumerate(orders(config, 330, 20)):
        offset = (step * 50) % (330 - 50)  # the line of the post
        np.testing.assert_array_equal(places, np.arange(offset, offset + 50))


def test_the_posts_windows_never_reach_the_last_50_images():
    seen = np.unique(orders(Config(), 59_500, 3000))
    assert seen.max() == 59_449


def test_shuffled_every_image_comes_once_an_epoch():
    config = Config.of_recipe("modern", batch_size=30, seed=3)
    places = np.concatenate(orders(config, 70, 7))  # three epochs
    epochs = places.reshape(3, 70)
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(70))
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[0], np.arange(70))
    other = Config.of_recipe("modern", batch_size=30, seed=4)
    assert not np.array_equal(orders(other, 70, 1)[0], places[:30])


def test_a_batch_larger_than_the_data():
    places = orders(Config.of_recipe("modern", batch_size=25), 10, 2)
    counts = np.bincount(np.concatenate(places))
    np.testing.assert_array_equal(counts, np.full(10, 5))
    assert max(orders(Config(batch_size=25), 10, 1)[0]) == 9


def test_a_stream_can_start_at_any_step(digits):
    config = Config.of_recipe("modern", batch_size=7, steps=9)
    whole = list(batches.batches(*digits, config, 0))
    late = list(batches.batches(*digits, config, 6))
    assert len(whole) == 9 and len(late) == 3
    for batch, again in zip(whole[6:], late, strict=True):
        for one, two in zip(batch, again, strict=True):
            np.testing.assert_array_equal(one, two)
    images, labels, kept = batch
    assert images.shape == (7, 28, 28, 1) and images.dtype == tf.float32
    assert labels.dtype == tf.int32
    assert kept.shape == (7, 700) and kept.dtype == tf.float32
    assert not np.array_equal(kept, whole[0][2])


def test_without_augmentation_pixels_are_the_files(digits):
    images, labels, _ = next(iter(batches.batches(*digits, Config(), 0)))
    np.testing.assert_array_equal(images[..., 0], digits[0][:50])
    np.testing.assert_array_equal(labels, digits[1][:50])


def test_dropout_keeps_the_mean():
    shape, seed = [100, 200], tf.constant([3, 5])
    kept = batches.keep(shape, 0.75, seed).numpy()
    assert set(np.unique(kept)) == {0.0, 4.0} and abs(kept.mean() - 1) < 0.05
    np.testing.assert_array_equal(kept, batches.keep(shape, 0.75, seed))
    assert not np.array_equal(kept, batches.keep(shape, 0.75, tf.constant([3, 6])))
    np.testing.assert_array_equal(batches.keep(shape, 0.0, seed), np.ones(shape))


def test_augmentation_is_small_and_about_the_centre(digits):
    images = tf.cast(digits[0][:100, ..., np.newaxis], tf.float32)
    moved = batches.augment(images, tf.constant([0, 1]))
    np.testing.assert_array_equal(moved, batches.augment(images, tf.constant([0, 1])))
    assert not np.array_equal(moved, batches.augment(images, tf.constant([0, 2])))
    assert moved.shape == images.shape
    assert tf.reduce_min(moved) >= 0 and tf.reduce_max(moved) <= 255.001
    ink = tf.reduce_sum(moved, axis=(1, 2, 3)) / tf.reduce_sum(images, axis=(1, 2, 3))
    assert tf.reduce_min(ink) > 0.6 and tf.reduce_max(ink) < 1.6

    def centres(images):
        weights = (
            images[..., 0]
            / tf.reduce_sum(images, axis=(1, 2, 3), keepdims=True)[..., 0]
        )
        rows = tf.reduce_sum(weights, axis=2) @ tf.range(28.0)[:, np.newaxis]
        columns = tf.reduce_sum(weights, axis=1) @ tf.range(28.0)[:, np.newaxis]
        return np.concatenate([rows, columns], axis=1)

    shifts = centres(moved) - centres(images)
    assert np.abs(shifts).max() < 5 and np.abs(shifts).mean() > 0.3
    assert np.abs(shifts.mean(axis=0)).max() < 0.4

"""Batches of a run, each a function of the seed and the step alone.

Post, "Tensorflow implementation", the training loop.
"""

import math

import numpy as np
import tensorflow as tf

from inception_mnist.config import Config
from inception_mnist.model import SIDE

# Limits of the affine augmentation; each change is drawn evenly from minus to plus.
DEGREES, SCALE, SHEAR, SHIFT = 10.0, 0.1, 0.15, 2.0  # the shift in pixels
AHEAD = 4  # batches made before they are needed


def batches(
    images: np.ndarray, labels: np.ndarray, config: Config, step: int
) -> tf.data.Dataset:
    """Return the batches from a step to the end of the run.

    Args:
        images: uint8 [N, 28, 28].
        labels: uint8 [N].
        config: The settings.
        step: The first one.

    Returns:
        For each step the pixels 0 to 255, float32 [B, 28, 28, 1]; the labels, int32
        [B]; and `keep`'s factors of the hidden nodes, float32 [B, hidden].
    """
    images, labels = tf.constant(images[..., np.newaxis]), tf.constant(labels)

    def batch(step):
        places = order(step, config, len(labels))
        pixels = tf.cast(tf.gather(images, places), tf.float32)
        seed = tf.stack([tf.cast(config.seed, tf.int64), step])
        if config.augmentation == "affine":
            pixels = augment(pixels, seed)
        kept = keep([config.batch_size, config.hidden], config.dropout, seed)
        return pixels, tf.cast(tf.gather(labels, places), tf.int32), kept

    steps = tf.data.Dataset.range(step, config.steps)
    return steps.map(batch, num_parallel_calls=1).prefetch(AHEAD)


def order(step: tf.Tensor, config: Config, size: int) -> tf.Tensor:
    """Return which of `size` images make the batch of a step, int64 [B].

    Shuffled, each image comes once in an epoch. Otherwise these are the post's windows,
    which never reach the last images: the offset is less than `size - B`.
    """
    count = config.batch_size
    if not config.shuffle:
        offset = step * count % max(size - count, 1)
        return (offset + tf.range(count, dtype=tf.int64)) % size
    place = step * count + tf.range(count, dtype=tf.int64)
    zero = tf.zeros_like(place)
    seed = tf.stack([config.seed + zero, place // size, zero])
    return tf.raw_ops.RandomIndexShuffle(  # its public form takes one seed for all
        index=place % size, seed=tf.transpose(seed), max_index=size - 1
    )


def keep(shape: list[int], dropout: float, seed: tf.Tensor) -> tf.Tensor:
    """Return dropout's factors (post, "Model"): 0, or what makes up for the zeros.

    Keras's layer counts its calls, so its draws depend on what was called before.

    Args:
        shape: Shape of the result.
        dropout: Share of the factors that is 0.
        seed: Integers [2].

    Returns:
        float32, each 0 or 1 / (1 - dropout).
    """
    ours = tf.random.experimental.stateless_fold_in(seed, 1)  # `augment` has its own
    draws = tf.random.stateless_uniform(shape, ours)
    return tf.cast(draws >= dropout, tf.float32) / (1 - dropout)


def augment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Turn, scale, shear and shift each image a little, about its centre.

    Args:
        images: float32 [B, 28, 28, 1].
        seed: Integers [2].

    Returns:
        The same shape; what comes from outside is 0.

    Raises:
        ValueError: The images have another shape.
    """
    if images.shape[1:] != (SIDE, SIDE, 1):
        raise ValueError(f"images: {images.shape}: must be [B, {SIDE}, {SIDE}, 1]")
    count = tf.shape(images)[0]
    draws = tf.random.stateless_uniform([6, count], seed, -1.0, 1.0)
    angle = draws[0] * math.radians(DEGREES)
    wide, high = 1 + SCALE * draws[1], 1 + SCALE * draws[2]
    shear = SHEAR * draws[3]
    # Where the pixel (x, y) of the result comes from: (a x + b y + c, d x + e y + f).
    a, b = wide * tf.cos(angle), high * (shear - tf.sin(angle))
    d, e = wide * tf.sin(angle), high * tf.cos(angle)
    centre = (SIDE - 1) / 2
    c = centre - (a + b) * centre + SHIFT * draws[4]
    f = centre - (d + e) * centre + SHIFT * draws[5]
    zero = tf.zeros([count])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),
        output_shape=[SIDE, SIDE],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )

"""What a trained network says of images, and how often it is right (post, "Model")."""

import dataclasses
from collections.abc import Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from inception_mnist import data
from inception_mnist.batches import augment
from inception_mnist.config import Config
from inception_mnist.model import build_model


def trained_model(config: Config, weights: Iterable[np.ndarray]) -> keras.Model:
    """Build the network with these weights, in float32 whatever it was trained in."""
    model = build_model(dataclasses.replace(config, precision="float32"))
    for variable, array in zip(model.weights, weights, strict=True):
        variable.assign(array)
    return model


class Classifier:
    """A network that answers, compiled.

    Args:
        model: From pixels 0 to 255, [B, 28, 28, 1], to logits [B, K].

    Attributes:
        model: Likewise.
    """

    def __init__(self, model: keras.Model):
        self.model = model

    def probabilities(
        self, images: np.ndarray, batch: int = 100, view: int = 0
    ) -> np.ndarray:
        """Return the probability of each class.

        Args:
            images: uint8 [N, 28, 28].
            batch: How many at a time; the post's test batches are of 100.
            view: 0 for the images as they are; otherwise they are changed as in
                training, and the number settles how. The mean over views is surer than
                any of them (test-time augmentation; Krizhevsky et al. 2012, section
                4.1).

        Returns:
            float32 [N, K].

        Raises:
            ValueError: The images are something else.
        """
        data.check_images(images)
        if batch < 1:
            raise ValueError(f"batch={batch}: must be at least 1")
        found = []
        for place, start in enumerate(range(0, len(images), batch)):
            pixels = tf.cast(images[start : start + batch, ..., np.newaxis], tf.float32)
            if view:
                pixels = augment(pixels, tf.constant([view, place], tf.int64))
            found.append(self._probabilities(pixels))
        return np.concatenate(found)

    @tf.function
    def _probabilities(self, pixels):
        """Compute a batch: Keras's `predict` would call all workers of a cluster.

        A method, as TensorFlow's functions outside of objects keep all that they saw.
        """
        return tf.nn.softmax(self.model(pixels, training=False))


def _check(labels: np.ndarray, probabilities: np.ndarray) -> None:
    shape = np.shape(probabilities)
    if len(shape) != 2 or not shape[0]:
        raise ValueError(f"probabilities: {list(shape)}: must be [N, K], N at least 1")
    data.check_labels(labels, *shape)


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share that is right, 0 to 1, of labels [N], probabilities [N, K]."""
    _check(labels, probabilities)
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean of -log p of the right class, in nats."""
    _check(labels, probabilities)
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(right, 1e-30)).mean())


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return how often each class (row) was taken for each (column), int [K, K]."""
    _check(labels, probabilities)
    counts = np.zeros((probabilities.shape[1],) * 2, int)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def worst_mistakes(
    labels: np.ndarray, probabilities: np.ndarray, count: int
) -> np.ndarray:
    """Return the places of the surest wrong answers, int [at most `count`]."""
    _check(labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:count]


def feature_maps(
    model: keras.Model, image: np.ndarray
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Compute what the branches of each module make of one image, uint8 [28, 28].

    Yields:
        The module's name, and the maps of each branch, float32 [H, W, C].
    """
    modules = [layer for layer in model.layers if layer.name.startswith("inception")]
    maps = keras.Model(model.inputs, [layer.output for layer in modules])
    found = maps([image[np.newaxis, ..., np.newaxis].astype(np.float32)])
    for layer, joined in zip(modules, found, strict=True):
        edges = [layer.filters, 2 * layer.filters, 3 * layer.filters]
        yield layer.name, np.split(joined.numpy()[0], edges, axis=-1)

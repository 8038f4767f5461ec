"""What a trained network says of images, and how often it is right (post, "Model")."""

import dataclasses
from collections.abc import Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf

from inception_mnist.config import Config
from inception_mnist.model import CLASSES, build_model
from inception_mnist.stream import augment


def trained_model(config: Config, weights: Iterable[np.ndarray]) -> keras.Model:
    """The network with these weights, in float32 whatever it was trained in."""
    model = build_model(dataclasses.replace(config, precision="float32"))
    for variable, array in zip(model.weights, weights, strict=True):
        variable.assign(array)
    return model


class Classifier:
    """A network that answers, compiled.

    Attributes:
        model: from pixels 0 to 255, [B, 28, 28, 1], to logits [B, 10].
    """

    def __init__(self, model: keras.Model):
        """Args: model, see the attribute."""
        self.model = model

    def probabilities(
        self, images: np.ndarray, batch: int, view: int = 0
    ) -> np.ndarray:
        """The probability of each digit.

        Args:
            images: uint8 [N, 28, 28].
            batch: how many at a time; the post's test batches are of 100.
            view: 0: of the images as they are; else of such as training saw, the
                number settling how each is changed. The mean over views is surer than
                any of them (test-time augmentation; Krizhevsky et al. 2012, section
                4.1).

        Returns:
            float32 [N, 10].
        """
        found = []
        for place, start in enumerate(range(0, len(images), batch)):
            pixels = tf.cast(images[start : start + batch, ..., np.newaxis], tf.float32)
            if view:
                pixels = augment(pixels, tf.constant([view, place], tf.int64))
            found.append(self._probabilities(pixels))
        return np.concatenate(found)

    @tf.function
    def _probabilities(self, pixels):
        """Keras's `predict` would call all workers, where there are several.

        A method, as TensorFlow's functions outside of objects keep all that they saw.
        """
        return tf.nn.softmax(self.model(pixels, training=False))


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The share that is right, 0 to 1: labels [N], probabilities [N, 10]."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of -log p of the right digit, nats: labels [N], p [N, 10]."""
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(right, 1e-30)).mean())


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How often each digit (row) was taken for each (column), int [10, 10]."""
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def worst_mistakes(
    labels: np.ndarray, probabilities: np.ndarray, count: int
) -> np.ndarray:
    """Places of the wrong answers, the surest of them first, int [at most `count`]."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:count]


def feature_maps(
    model: keras.Model, image: np.ndarray
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """What the branches of each module make of one image.

    Args:
        model: the network.
        image: uint8 [28, 28].

    Yields:
        The module's name, and of each branch the maps, float32 [H, W, C].
    """
    modules = [layer for layer in model.layers if layer.name.startswith("inception")]
    maps = keras.Model(model.inputs, [layer.output for layer in modules])
    found = maps([image[np.newaxis, ..., np.newaxis].astype(np.float32)])
    for layer, joined in zip(modules, found, strict=True):
        edges = [layer.filters, 2 * layer.filters, 3 * layer.filters]
        yield layer.name, np.split(joined.numpy()[0], edges, axis=-1)

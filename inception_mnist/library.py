"""The package as a library: pictures and labels in, a network that answers out."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inception_mnist import data
from inception_mnist.config import Config
from runkit import pictures, start

if TYPE_CHECKING:
    from inception_mnist.evaluate import Classifier
    from inception_mnist.training import Progress


@dataclasses.dataclass(frozen=True)
class Network:
    """A trained network that answers.

    Attributes:
        config: The settings that it was trained by.
        weights: Its weights, float32, in Keras's order.
    """

    config: Config
    weights: Sequence[np.ndarray] = dataclasses.field(repr=False)

    def classifier(self) -> "Classifier":
        """Returns the compiled network, built once; its `model` is Keras's."""
        return self._classifier

    @functools.cached_property
    def _classifier(self) -> "Classifier":
        start.library()
        from inception_mnist import evaluate

        model = evaluate.trained_model(self.config, self.weights)
        return evaluate.Classifier(model)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Tells the probability of each class, float32 [N, K].

        Args:
            images: See `train`.

        Raises:
            ValueError: The images are something else.
        """
        images = as_images(images)
        return self.classifier().probabilities(images)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Tells the likeliest class of each image, int64 [N]; see `probabilities`."""
        return self.probabilities(images).argmax(axis=1)


def as_images(images: np.ndarray) -> np.ndarray:
    """Brings images to uint8 [N, 28, 28]; see `train`.

    Raises:
        ValueError: They are something else.
    """
    found = np.asarray(images)
    if found.ndim == 4 and found.shape[3] == 1:
        found = found[..., 0]
    found = pictures.as_bytes("images", found)
    data.check_images(found)
    return found


def train(
    images: np.ndarray,
    labels: np.ndarray,
    report: "Callable[[Progress], Any] | None" = None,
    **settings: Any,
) -> Network:
    """Teaches the post's two Inception modules to read pictures of 28 x 28 pixels.

    >>> import inception_mnist
    >>> from inception_mnist import data
    >>> digits = data.load("digits")  # scikit-learn's, which are not MNIST
    >>> images, labels = digits.train_images, digits.train_labels
    >>> network = inception_mnist.train(images, labels, steps=3, batch_size=20)
    >>> network.predict(digits.test_images[:5]).shape
    (5,)

    Args:
        images: [N, 28, 28] or [N, 28, 28, 1], light on dark: integers in [0, 255], or
            floats in [0, 1] or [0, 255], which the greatest value tells apart.
        labels: Integers [N] from 0.
        report: Called with the `training.Progress` of every step: `step`, `loss`
            (nats) and `accuracy` of its batch.
        settings: Fields of `Config`, such as steps=600, classes=10 or head="dense". The
            recipe is "modern" unless it is named.

    Returns:
        The network. 600 steps of 100 images take about half a minute on two cores.

    Raises:
        ValueError: The images, the labels or a setting are wrong.
        FloatingPointError: The training diverges.
    """
    config = Config.of_recipe(**{"recipe": "modern", **settings})
    images, labels = as_images(images), np.asarray(labels)
    start.library()
    from inception_mnist.training import Trainer

    trainer = Trainer(config, images, labels)
    for progress in trainer.run(config.steps):
        if report:
            report(progress)
    return Network(config, [np.array(weight) for weight in trainer.weights()])


def load(folder: str) -> Network:
    """Reads the network that a run of `python -m inception_mnist.main` left.

    Args:
        folder: The run's folder, or a file of weights in it.

    Raises:
        OSError: There is none, or it is damaged.
        ValueError: The file is no network.
    """
    from inception_mnist import checkpoint

    config, weights = checkpoint.load_weights(folder)
    return Network(config, list(weights))

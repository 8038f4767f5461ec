"""Training the compact network: the loop, its accuracy, its files."""

import math
import zipfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from style_transfer import features, images
from style_transfer.classifier import LAYERS, Classifier, Weights
from style_transfer.config import Training


def rate_at(training: Training, step: int, steps: int) -> float:
    """Learning rate: up a line for a sixteenth of the run, then down a cosine."""
    warm = steps / 16
    if step < warm:
        return training.learning_rate * (step + 1) / (warm + 1)
    progress = (step - warm) / (steps - warm)
    return 0.5 * training.learning_rate * (1 + math.cos(math.pi * progress))


def steps_an_epoch(training: Training, pictures: int) -> int:
    """Full batches in that many pictures; at least one."""
    return max(1, pictures // training.batch)


def train(
    classifier: Classifier, pictures: np.ndarray, labels: np.ndarray, done: int = 0
) -> Iterator[tuple[int, float]]:
    """Steps of training, each yielded as its number from 1 and its loss.

    Args:
        classifier: is changed in place.
        pictures: uint8 [n, h, w, 3].
        labels: int32 [n].
        done: steps that the classifier has had; they are not made again.
    """
    training = classifier.training
    batch = min(training.batch, len(pictures))
    every = steps_an_epoch(training, len(pictures))
    steps = training.epochs * every
    for step in range(done, steps):
        epoch, place = divmod(step, every)
        if place == 0 or step == done:
            order = np.random.default_rng([training.seed, epoch]).permutation(
                len(pictures)
            )
        chosen = np.sort(order[place * batch : (place + 1) * batch])
        side = training.crops[step * len(training.crops) // steps]
        loss = classifier.step(
            pictures[chosen],
            labels[chosen],
            side,
            tf.constant(step, tf.int32),
            tf.constant(rate_at(training, step, steps), tf.float32),
        )
        yield step + 1, float(loss)


def accuracy(
    weights: Weights, pictures: np.ndarray, labels: np.ndarray, mirror: bool = False
) -> float:
    """Share of `pictures` whose best class is right, by the exported weights.

    Args:
        weights: of `Classifier.folded`.
        pictures: uint8 [n, h, w, 3].
        labels: int32 [n].
        mirror: adds the scores of the mirrored picture.
    """

    filters = {
        name: (weights[f"{name}/kernel"], weights[f"{name}/bias"]) for name in LAYERS
    }
    kernel, bias = (np.float32(weights[f"head/{kind}"]) for kind in ("kernel", "bias"))

    @tf.function(reduce_retracing=True)
    def score(batch: tf.Tensor) -> tf.Tensor:
        inputs = features.preprocess(tf.cast(batch, tf.float32))
        inputs = tf.cast(inputs, features.fastest_precision())
        maps = features.feature_maps(filters, inputs, ["conv5_1"], "average")
        pooled = tf.reduce_mean(tf.cast(maps["conv5_1"], tf.float32), [1, 2])
        return pooled @ kernel + bias

    right = 0
    for begin in range(0, len(pictures), 250):
        batch = pictures[begin : begin + 250]
        scores = score(batch)
        if mirror:
            scores += score(batch[:, :, ::-1])
        best = tf.argmax(scores, axis=1).numpy()
        right += int(np.sum(best == labels[begin : begin + 250]))
    return right / len(pictures)


def save(path: str, classifier: Classifier, step: int) -> None:
    """Write the whole state after `step` steps."""
    state = {name: value.numpy() for name, value in classifier.variables.items()}
    mark = repr(classifier.training)
    images.write_whole(
        path, lambda file: np.savez(file, step=step, training=mark, **state)
    )


def load(path: str, classifier: Classifier) -> int:
    """Take up a state that `save` wrote; returns its step.

    Raises:
        OSError: damaged.
        ValueError: of a training with other settings or classes.
    """
    try:
        with np.load(path) as file:
            state = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise OSError(f"checkpoint {path} cannot be read: {error}") from error
    same = str(state.get("training")) == repr(classifier.training)
    shapes = {name: tuple(v.shape) for name, v in classifier.variables.items()}
    if not same or any(state[name].shape != shapes[name] for name in shapes):
        raise ValueError(
            f"checkpoint {path} is of a training with other settings or classes: "
            "remove it, or name another --out_dir"
        )
    for name, variable in classifier.variables.items():
        variable.assign(state[name])
    return int(state["step"])


def export(path: str, weights: Weights) -> None:
    """Write what `Classifier.folded` returns, for `weights.read_compact`."""
    images.write_whole(path, lambda file: np.savez_compressed(file, **weights))

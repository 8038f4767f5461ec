"""Down the cross-entropy, batch by batch (post, "Tensorflow implementation")."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from inception_mnist import data
from inception_mnist.adam import Adam, one_cycle
from inception_mnist.batches import batches
from inception_mnist.config import Config
from inception_mnist.model import build_model

ROWS = 50_000  # of an array that TensorFlow copies at once


@dataclasses.dataclass(frozen=True)
class Progress:
    """One step of a run.

    Attributes:
        step: How many steps are done.
        loss: Mean cross-entropy of the step's batch, in nats.
        accuracy: Share of the batch that was right.
    """

    step: int
    loss: float
    accuracy: float


class Trainer:
    """A network, its optimizer, and where it is in the data.

    Args:
        config: The settings.
        images: The training images, uint8 [N, 28, 28].
        labels: Their classes, integers [N].

    Attributes:
        model: The network that learns.
        averaged: The network to use: with the moving averages of the weights, or
            `model` itself.
        step: Number of steps done.
        is_chief: Whether this process is the one that writes files.

    Raises:
        ValueError: The images or labels are wrong.
    """

    is_chief = True

    def __init__(self, config: Config, images: np.ndarray, labels: np.ndarray):
        data.check(images, labels, config.classes)
        self.config, self.step = config, 0
        keras.utils.set_random_seed(config.seed)
        self.model = self.averaged = build_model(config)
        self.optimizer = Adam(self.model.trainable_weights, config.weight_decay)
        if config.average:
            self.averaged = build_model(config)
            self.averaged.set_weights(self.model.get_weights())
        hidden = self.model.get_layer("hidden").output
        self._hidden = keras.Model(self.model.inputs, hidden)
        self._images, self._labels = images, labels

    @property
    def replicas(self) -> int:
        """Number of copies of the network, each with its share of every batch."""
        return 1  # `distribute.DistributedTrainer` has more

    def run(self, until: int) -> Iterator[Progress]:
        """Train up to step `until`, with a report after every step.

        Raises:
            FloatingPointError: The loss is not finite.
        """
        stream = batches(self._images, self._labels, self.config, self.step)
        for batch in stream.take(until - self.step):
            loss, accuracy = self._train_step(batch, tf.constant(self.step))
            self.step += 1
            self.check_finite("loss", loss)
            yield Progress(self.step, float(loss), float(accuracy))

    def check_finite(self, name: str, *values) -> None:
        """Raise a `FloatingPointError` that names values which are not all finite."""
        # A sum in float64 cannot overflow, and takes no memory.
        if not all(np.isfinite(np.sum(value, dtype=np.float64)) for value in values):
            raise FloatingPointError(
                f"the {name} is not finite after step {self.step}: try a lower "
                f"--learning_rate than {self.config.learning_rate:g}"
            )

    @tf.function
    def _train_step(self, batch, step):
        """Take one step on a batch of the stream; return its loss and accuracy."""
        return self._step(batch, step)

    def _step(self, batch, step):
        loss, accuracy, gradients = self._gradients(*batch)
        loss, accuracy, *gradients = self.average([loss, accuracy, *gradients])
        self.optimizer.apply(gradients, self._rate(step))
        self._move_averages(tf.cast(step, tf.float32))
        return loss, accuracy

    def _gradients(self, images, labels, keep):
        """Return the mean loss and accuracy of a batch, and the loss's gradients.

        The images are [B, 28, 28, 1], the labels [B], and dropout's factors of the
        hidden nodes, `keep`, [B, hidden].
        """
        with tf.GradientTape() as tape:
            hidden = tf.cast(self._hidden(images, training=True), tf.float32)
            logits = self.model.get_layer("logits")(hidden * keep)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            )
        weights = [weight.value for weight in self.model.trainable_weights]
        right = tf.argmax(logits, axis=1, output_type=tf.int32) == labels
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
        return loss, accuracy, tape.gradient(loss, weights)

    def average(self, values):
        """Return the means over all replicas; here there is but one."""
        return values

    def any(self, flag: bool) -> bool:
        """Return whether a flag is set in any process; here there is but one."""
        return flag

    def _rate(self, step: tf.Tensor) -> tf.Tensor:
        config = self.config
        if config.schedule == "constant":
            return tf.constant(config.learning_rate)
        return one_cycle(step, config.steps, config.learning_rate)

    def _move_averages(self, step: tf.Tensor) -> None:
        """Move the averages; early in a run they forget faster (Polyak averaging)."""
        if not self.config.average:
            return
        decay = tf.minimum(self.config.average, (1 + step) / (10 + step))
        pairs = zip(self.averaged.weights, self.model.weights, strict=True)
        for average, weight in pairs:
            average.assign(weight + decay * (average - weight))

    def _masters(self) -> list[tf.Variable]:
        """Return the float32 variables of the model's weights, in its order."""
        learning = map(id, self.model.trainable_weights)
        masters = dict(zip(learning, self.optimizer.masters, strict=True))
        return [masters.get(id(w), w.value) for w in self.model.weights]

    def weights(self) -> list[np.ndarray]:
        """Return the weights to use, float32, in the order of the model's."""
        if self.config.average:
            return [_array(weight.value) for weight in self.averaged.weights]
        return [_array(variable) for variable in self._masters()]

    def state(self) -> dict[str, tf.Variable]:
        """Return all that a run goes on from, by name; masters of bfloat16 weights."""
        kept = list(self.model.variables)
        if self.config.average:
            kept += self.averaged.variables
        variables = [v.value for v in kept] + self.optimizer.variables
        whole = (v for v in variables if v.dtype != tf.bfloat16)
        return {f"variable_{number}": v for number, v in enumerate(whole)}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the state; every random choice follows from the seed and the step."""
        arrays = {name: _array(variable) for name, variable in self.state().items()}
        return arrays | {"step": np.array(self.step)}

    def arrays_from(self, weights: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the state of a run that begins with a trained network's weights."""
        places = {id(variable): name for name, variable in self.state().items()}
        arrays = self.arrays()
        averages = [w.value for w in self.averaged.weights]
        for array, *variables in zip(weights, self._masters(), averages, strict=True):
            arrays |= {places[id(v)]: array for v in variables if id(v) in places}
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go back to where `arrays` were taken; {} changes nothing.

        Raises:
            ValueError: They are those of another network.
        """
        if not arrays:
            return
        state = self.state()
        if set(arrays) != {*state, "step"}:
            raise ValueError("arrays: they are not the state of such a network")
        for name, variable in state.items():
            _assign(variable, arrays[name])
        self.optimizer.round_masters()
        self.step = int(arrays["step"])


def _array(variable: tf.Variable) -> np.ndarray:
    """The value without a copy: TensorFlow makes one if it changes the variable."""
    return np.asarray(variable.value())


def _assign(variable: tf.Variable, array: np.ndarray) -> None:
    """Set the value with one copy at a time: `tf.constant` of it all keeps two.

    Assigned to slices, a variable would be copied at every reading from then on.
    """
    if not array.ndim:
        variable.assign(array)
        return
    starts = range(0, len(array), ROWS)
    parts = [tf.raw_ops.DeepCopy(x=array[start : start + ROWS]) for start in starts]
    del array  # where it is the last that the caller has, too
    variable.assign(tf.concat(parts, axis=0))

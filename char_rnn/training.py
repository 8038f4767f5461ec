"""Training, window by window (post, "Batches", "Implementing Arch 1")."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from char_rnn import fast
from char_rnn.checkpoint import Arrays
from char_rnn.config import Config
from char_rnn.model import CharRNN
from char_rnn.optimizers import make_optimizer
from char_rnn.text import check_ids

MOST_STEPS = 100  # of one call
CALL_FLOPS = 5e10  # of one call, about half a second: Ctrl-C waits for its end


def cursors(size: int, config: Config, step: int) -> np.ndarray:
    """Finds where each stream of the post's `Batch` first reads in a step, [B].

    Stream k starts k segments into the text of `size` characters, moves on before it
    first reads, and goes round the whole text.
    """
    starts = size // config.batch_size * np.arange(config.batch_size)
    return (starts + 1 + step * config.num_unrollings) % size


def windows(data: np.ndarray, config: Config, step: int, count: int) -> np.ndarray:
    """Cuts out what the post's `getWindowBatch` gives for several steps.

    Args:
        data: The ids [N].
        config: The streams and the length of their windows.
        step: The first step.
        count: The number of steps.

    Returns:
        The ids [count, T + 1, B]. Of each window, the inputs are all rows but the last,
        the targets all rows but the first.
    """
    first = cursors(len(data), config, step)
    window = config.num_unrollings * np.arange(count)[:, np.newaxis]
    offset = window + np.arange(config.num_unrollings + 1)  # [count, T + 1]
    return data[(offset[:, :, np.newaxis] + first) % len(data)]


def stale_windows(
    data: np.ndarray, config: Config, step: int, count: int
) -> np.ndarray:
    """Cuts out what the post's Arch 2 trains on as printed: one batch, its own target.

    It stands in for `windows`, the same at every step. The post's loop fills `batchx`
    and `batchy`, and then appends an older `batch` to both.
    """
    batch = windows(data, config, 0, 1)[:, :1]
    return np.tile(batch, (count, config.num_unrollings + 1, 1))


def squared_error(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Computes the mean of |softmax(o) - target|^2 over all characters.

    Where the network is sure and wrong its gradient is nearly 0: the softmax's slope
    p (1 - p) is a factor of it, which the logarithm of the cross-entropy cancels.

    Args:
        targets: The ids [T, B].
        logits: The logits o [T, B, A].
    """
    right = tf.one_hot(targets, logits.shape[-1], dtype=logits.dtype)
    distance = tf.math.squared_difference(tf.nn.softmax(logits), right)
    return tf.reduce_mean(tf.reduce_sum(distance, axis=-1))


@dataclasses.dataclass(frozen=True)
class Progress:
    """What happened in one call of the compiled training loop.

    Attributes:
        step: The number of steps done so far.
        losses: The cross-entropy of each of its steps, nats a character, [k].
        norms: The norms of the gradients before clipping, [k].
    """

    step: int
    losses: np.ndarray
    norms: np.ndarray


class Trainer:
    """A network, its optimizer, and where it is in the text.

    Attributes:
        config: The settings.
        model: The network.
        optimizer: The optimizer.
        step: The number of steps done.
        state: The state s after the last window, float32 [B, S].
        steps_per_call: The most steps that one compiled call does.
        is_chief: Whether this process is the one that writes files.
    """

    is_chief = True

    def __init__(self, config: Config, data: np.ndarray, alphabet_size: int):
        """Builds the network and its optimizer.

        Args:
            config: The settings.
            data: The ids of the training text, [N].
            alphabet_size: The number A of characters.

        Raises:
            ValueError: The ids are wrong, or too few for the streams.
        """
        check_ids(data, alphabet_size)
        if len(data) < 2 * config.batch_size:
            raise ValueError(
                f"--batch_size={config.batch_size}: too many streams for a training "
                f"text of {len(data)} characters"
            )
        self.config = config
        self.model = CharRNN(config, alphabet_size)
        if config.count_bias:
            counts = np.bincount(data, minlength=alphabet_size) + 1
            self.model.c.assign(np.log(counts / counts.sum()))
        self.optimizer = make_optimizer(config)
        self.optimizer.build(self.model.weights)
        self.step = 0
        self.state = self.model.zero_state(config.batch_size)
        self._data = data
        nodes, characters = config.num_nodes, config.batch_size * config.num_unrollings
        flops = 6 * characters * nodes * (nodes + alphabet_size)
        self.steps_per_call = int(np.clip(CALL_FLOPS / flops, 1, MOST_STEPS))

    def run(self, until: int) -> Iterator[Progress]:
        """Trains up to step `until`.

        Yields:
            What each call did.

        Raises:
            FloatingPointError: A loss, a gradient, a weight or a state is not finite.
        """
        make = stale_windows if self.config.as_printed else windows
        while self.step < until:
            count = min(self.steps_per_call, until - self.step)
            batch = make(self._data, self.config, self.step, self.steps_per_call)
            # As a tensor: each Python number would be compiled anew.
            steps = tf.constant(count)
            losses, norms, self.state = self._train_steps(batch, steps, self.state)
            losses, norms = losses.numpy()[:count], norms.numpy()[:count]
            values = losses, norms, self.state, *self.model.arrays().values()
            if not all(np.isfinite(value).all() for value in values):
                raise FloatingPointError(
                    f"the training diverges after step {self.step}: try a lower "
                    f"--learning_rate than {self.config.learning_rate:g}"
                )
            self.step += count
            yield Progress(self.step, losses, norms)

    @tf.function(jit_compile=True)
    def _train_steps(self, batch, count, state):
        """Does `count` steps over windows [steps_per_call, T + 1, B].

        Returns:
            The loss and the gradient's norm of each step, [steps_per_call], and the
            state [B, S].
        """
        return self._loop(batch, count, state)

    def _loop(self, batch, count, state):
        empty = tf.TensorArray(tf.float32, self.steps_per_call, element_shape=[])

        def body(k, state, losses, norms):
            loss, norm, state = self._step(batch, k, state)
            return k + 1, state, losses.write(k, loss), norms.write(k, norm)

        _, state, losses, norms = tf.while_loop(
            lambda k, *_: k < count, body, (0, state, empty, empty)
        )
        return losses.stack(), norms.stack(), state

    def _step(self, batch, k, state):
        """Step k of the batch; gradients end where its window begins."""
        loss, gradients, state = self._gradients(batch[k], state)
        loss, *gradients = self.average([loss, *gradients])
        gradients, norm = tf.clip_by_global_norm(gradients, self.config.clip_norm)
        self.optimizer.apply(gradients, self.model.weights)
        return loss, norm, state

    def _gradients(self, window, state):
        """Nats a character of a window [T + 1, B], the loss's gradients, the state."""
        characters = tf.cast(window, tf.int32)
        with tf.GradientTape() as tape:
            logits, state = fast.unroll(
                self.model, characters[:-1], state, self.config.teacher_forcing
            )
            cross_entropy = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(characters[1:], logits)
            )
            loss = cross_entropy
            if self.config.loss == "squared":
                loss = squared_error(characters[1:], logits)
        return cross_entropy, tape.gradient(loss, self.model.weights), state

    @property
    def replicas(self) -> int:
        """The number of copies of the network, each with its share of the streams."""
        return 1

    def average(self, values):
        """Averages over the replicas; here there is only one."""
        return values

    def any(self, flag: bool) -> bool:
        """Tells whether a flag is set in any process; here there is only one."""
        return flag

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies all that a run goes on from, by name.

        These are weights, optimizer, step, cursors and state. Every random choice
        follows from the seed and the step.
        """
        saved = self.model.arrays()
        for number, variable in enumerate(self.optimizer.variables):
            saved[f"optimizer_{number}"] = variable.numpy()
        return saved | {
            "step": np.array(self.step),
            "cursors": cursors(len(self._data), self.config, self.step),
            "state": np.array(self.state),
        }

    def restore(self, arrays: Arrays) -> None:
        """Goes back to where `arrays` were taken.

        Raises:
            ValueError: They are those of another network or optimizer.
        """
        self.model.assign(arrays)
        try:
            for number, variable in enumerate(self.optimizer.variables):
                variable.assign(arrays[f"optimizer_{number}"])
        except KeyError as error:
            raise ValueError(f"the array {error} of the optimizer is missing") from None
        self.step, self.state = int(arrays["step"]), tf.constant(arrays["state"])

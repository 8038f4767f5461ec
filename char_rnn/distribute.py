"""Training on several devices or machines, by TensorFlow's own strategies.

Every replica has the weights, and its share of the streams with their state: the global
batch is that of a single worker. The step is `training.Trainer`'s, but for loss and
gradients, which are averaged over the replicas before clipping.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from char_rnn.checkpoint import Arrays
from char_rnn.config import Config
from char_rnn.training import Progress, Trainer
from runkit.workers import private
from runkit.workers.strategies import Replicas, one_line_loss


class DistributedTrainer(Replicas, Trainer):
    """Does what `Trainer` does, with the same figures to rounding, on all replicas.

    Each process has all of the text and cuts out its replicas' streams. Between two
    calls `state` is whole in every process, so checkpoints are those of a single one.
    """

    def __init__(
        self,
        config: Config,
        data: np.ndarray,
        alphabet_size: int,
        strategy: tf.distribute.Strategy,
        is_chief: bool = True,
    ):
        """Builds the replicas.

        Args:
            config: The settings, of the global batch.
            data: The ids of the training text, [N].
            alphabet_size: The number A of characters.
            strategy: One of `runkit.workers.strategies`.
            is_chief: Whether this process is the one that writes.

        Raises:
            ValueError: The streams cannot be split evenly.
            runkit.exits.Failed: A worker is gone.
        """
        self.strategy, self.is_chief = strategy, is_chief
        self.check_batch(config.batch_size)
        with one_line_loss(), strategy.scope():
            super().__init__(config, data, alphabet_size)
        private.keep_gradients(self.optimizer)

    def run(self, until: int) -> Iterator[Progress]:
        """Trains as `Trainer.run` does; all processes must call it alike."""
        with one_line_loss():
            yield from super().run(until)

    @tf.function
    def _train_steps(self, batch, count, state):
        batch, state, rows = self.strategy.run(self._share, (batch, state))
        losses, norms, state = self._loop(batch, count, state)
        # By the names of their devices, so that worker 10 comes before worker 2.
        state, rows = (self.strategy.gather(each, axis=0) for each in (state, rows))
        return losses, norms, tf.gather(state, tf.argsort(rows))

    def _share(self, batch, state):
        """A replica's streams: of [..., B] the columns, of [B, S] the rows; which."""
        number = self.number()
        batch = tf.reshape(batch, [*batch.shape[:-1], self.replicas, -1])
        rows = tf.reshape(tf.range(state.shape[0]), [self.replicas, -1])[number]
        return batch[..., number, :], tf.gather(state, rows), rows

    def _step(self, batch, k, state):
        loss, norm, state = self.strategy.run(super()._step, (batch, k, state))
        return *self.first([loss, norm]), state

    @tf.function(jit_compile=True)
    def _gradients(self, window, state):
        return super()._gradients(window, state)

    def restore(self, arrays: Arrays) -> None:
        """Goes back to where the chief's `arrays` were taken, in all processes."""
        with one_line_loss(), self.strategy.scope():
            # A variable that is made takes the chief's initial value everywhere.
            chiefs = {
                name: tf.Variable(arrays[name]).numpy() for name in sorted(arrays)
            }
        super().restore(chiefs)

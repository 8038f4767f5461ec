"""Training on several devices or machines, by TensorFlow's own strategies.

Every replica has all variables and its share of each batch; the global batch is that of
a single worker. The step is `training.Trainer`'s; what is added is that loss and
gradients are averaged over the replicas, and moments in `normalization`. Nothing else
in the package knows of strategies.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from inception_mnist.config import Config
from inception_mnist.training import Progress, Trainer
from runkit.workers.strategies import Replicas, one_line_loss


class DistributedTrainer(Replicas, Trainer):
    """Does what `Trainer` does, with the same figures to rounding, on all replicas.

    Each process makes every batch whole and cuts out its replicas' shares. All replicas
    see the same gradients, so their variables, each with its own, stay equal; a
    checkpoint is that of a single one.

    Args:
        config: The settings, of the global batch.
        images: The training images, uint8 [N, 28, 28].
        labels: Their classes, integers [N].
        strategy: A strategy of `runkit.workers.strategies`.
        is_chief: Whether this process is the one that writes.

    Raises:
        ValueError: A batch cannot be split evenly, or weights cannot be sent.
        exits.Failed: A worker is gone.
    """

    def __init__(
        self,
        config: Config,
        images: np.ndarray,
        labels: np.ndarray,
        strategy: tf.distribute.Strategy,
        is_chief: bool = True,
    ):
        self.strategy, self.is_chief = strategy, is_chief
        self.check_batch(config.batch_size)
        several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        if (several, config.head, config.precision) == (True, "dense", "bfloat16"):
            raise ValueError(
                "--precision=bfloat16: TensorFlow cannot send the dense head's weights "
                "to other workers: give --precision=float32, or --head=gap"
            )
        with one_line_loss(), strategy.scope():
            super().__init__(config, images, labels)
        # A compiled function would take one such variable for another of its shape.
        self.optimizer.local = self._local

    def run(self, until: int) -> Iterator[Progress]:
        """Do what `Trainer.run` does, in all processes alike."""
        with one_line_loss():
            yield from super().run(until)

    def _step(self, batch, step):
        return self.first(self.strategy.run(super()._step, (batch, step)))

    def _gradients(self, images, labels, keep):
        return super()._gradients(*map(self._share, (images, labels, keep)))

    def _share(self, rows):
        """Return a replica's share of [B, ...], in the order of the replicas."""
        return tf.reshape(rows, [self.replicas, -1, *rows.shape[1:]])[self.number()]

    def _local(self, variable):
        """Return the replica's own copy of a variable."""
        copies = self.strategy.experimental_local_results(variable)
        return copies[tf.get_static_value(self.number()) % len(copies)]

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go back to where the chief's `arrays` were taken, in all processes."""
        if not self.any(bool(arrays)):
            return

        def chiefs(array):
            """A variable that is made takes the chief's initial value everywhere."""
            return tf.Variable(array)

        with one_line_loss(), self.strategy.scope():
            for name, variable in self.state().items():
                mine = np.zeros(variable.shape, variable.dtype.as_numpy_dtype)
                variable.assign(chiefs(arrays.get(name, mine)))
            self.step = int(chiefs(arrays.get("step", np.array(0))).numpy())
            self.optimizer.round_masters()

"""Training on several devices or machines, by TensorFlow's own strategies.

Every replica has the weights, and its share of the streams with their state: the
global batch is the one of a single worker. The step is `train.Trainer`'s; what is added
is that loss and gradients are averaged over the replicas before clipping. Nothing else
in the package knows of strategies.
"""

import contextlib
import logging
import re
import socket
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from char_rnn import meeting
from char_rnn.cluster import Cluster
from char_rnn.config import Config
from char_rnn.train import Progress, Trainer

# What TensorFlow raises where another worker is gone.
LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.UnavailableError,
)


def mirrored(devices: int) -> tf.distribute.Strategy:
    """Several devices of this machine; nothing in TensorFlow may have run before.

    Args:
        devices: how many GPUs, 0: all; without a GPU, as many parts of the CPU.

    Raises:
        ValueError: there are not so many.
    """
    tf.get_logger().setLevel(logging.ERROR)  # silent about how it reduces
    gpus = tf.config.list_physical_devices("GPU")
    if gpus and devices > len(gpus):
        raise ValueError(f"--devices={devices}: there are {len(gpus)} GPUs")
    if not gpus and not devices:
        raise ValueError("--devices=0: no GPU was found; say how many parts of the CPU")
    if not gpus:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * devices,
        )
    kind = "GPU" if gpus else "CPU"
    names = [f"/{kind}:{number}" for number in range(devices or len(gpus))]
    return tf.distribute.MirroredStrategy(names)


def multiworker(
    cluster: Cluster, listener: socket.socket, purpose: str, seconds: float
) -> tf.distribute.Strategy:
    """All machines of the cluster; see `meeting.meet` for the arguments and errors."""
    from tensorflow.python.distribute import collective_all_reduce_strategy
    from tensorflow.python.eager import context

    tf.get_logger().setLevel(logging.ERROR)
    # TensorFlow's coordination service holds the interpreter while it waits, an hour,
    # and its health check delays the end by half a minute. `meeting.watch` is both.
    context.context().configure_coordination_service(service_type="")
    extended = collective_all_reduce_strategy.CollectiveAllReduceExtended
    extended._enable_check_health = False
    meeting.meet(cluster, listener, purpose, seconds)
    return tf.distribute.MultiWorkerMirroredStrategy()


@contextlib.contextmanager
def _loss_of_a_worker() -> Iterator[None]:
    """Makes TensorFlow's errors about a worker that is gone one line."""
    try:
        yield
    except LOST as error:
        task = re.search(r"remote target /job:(\w+)/replica:0/task:(\d+)", str(error))
        who = " ".join(task.groups()) if task else "another worker"
        raise ConnectionError(
            f"{who} has ended ({type(error).__name__}): start all again to go on from "
            "the latest checkpoint"
        ) from None


class DistributedTrainer(Trainer):
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
        """Args:
        config: the settings, of the global batch.
        data: the training text, ids, uint8 [N].
        alphabet_size: A.
        strategy: of `mirrored` or `multiworker`.
        is_chief: whether this process is the one that writes.

        Raises:
            ValueError: the streams cannot be split evenly.
            ConnectionError: a worker is gone.
        """
        self._strategy = strategy
        self.is_chief = is_chief
        self.replicas = strategy.num_replicas_in_sync
        if config.batch_size % self.replicas:
            raise ValueError(
                f"--batch_size={config.batch_size}: the streams cannot be split evenly "
                f"among {self.replicas} replicas"
            )
        with _loss_of_a_worker(), strategy.scope():
            super().__init__(config, data, alphabet_size)
        # Keras sums gradients after it clips; ours are averaged before, and only once.
        self.optimizer._all_reduce_sum_gradients = list

    def run(self, until: int) -> Iterator[Progress]:
        """As `Trainer.run`; in all processes alike.

        Raises:
            FloatingPointError: a loss is not finite.
            ConnectionError: a worker is gone.
        """
        with _loss_of_a_worker():
            yield from super().run(until)

    @tf.function
    def _train_steps(self, batch, count, state):
        batch, state, rows = self._strategy.run(self._share, (batch, state))
        losses, norms, state = self._loop(batch, count, state)
        # By the names of their devices, so that worker 10 comes before worker 2.
        state, rows = (self._strategy.gather(each, axis=0) for each in (state, rows))
        return losses, norms, tf.gather(state, tf.argsort(rows))

    def _share(self, batch, state):
        """A replica's streams: of [..., B] the columns, of [B, S] the rows; which."""
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        batch = tf.reshape(batch, [*batch.shape[:-1], self.replicas, -1])
        rows = tf.reshape(tf.range(state.shape[0]), [self.replicas, -1])[number]
        return batch[..., number, :], tf.gather(state, rows), rows

    def _step(self, batch, k, state):
        loss, norm, state = self._strategy.run(super()._step, (batch, k, state))
        first = self._strategy.experimental_local_results
        return first(loss)[0], first(norm)[0], state

    @tf.function(jit_compile=True)
    def _gradients(self, window, state):
        return super()._gradients(window, state)

    def _average(self, values):
        """Means over all replicas of all processes, in one exchange."""
        return tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, values
        )

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; all must ask at the same step."""
        with _loss_of_a_worker():
            return bool(self._sum(tf.constant(float(flag))))

    @tf.function
    def _sum(self, value):
        each = self._strategy.run(lambda: tf.identity(value))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Go back to where the chief's `arrays` were taken, in all processes."""
        with _loss_of_a_worker(), self._strategy.scope():
            # A variable that is made takes the chief's initial value everywhere.
            chiefs = {
                name: tf.Variable(arrays[name]).numpy() for name in sorted(arrays)
            }
        super().restore(chiefs)

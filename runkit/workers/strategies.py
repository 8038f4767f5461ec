"""TensorFlow's strategies, with one line where it has tracebacks and hangs.

https://www.tensorflow.org/guide/distributed_training
"""

import contextlib
import re
import socket
from collections.abc import Iterator

import tensorflow as tf

from runkit.exits import Failed
from runkit.workers import meeting, private
from runkit.workers.cluster import Cluster

AGAIN = "start all of them again to go on from the latest checkpoint"
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
        devices: How many GPUs; 0 means all of them. Without a GPU, the number of
            parts into which the CPU is divided.

    Raises:
        ValueError: There are not so many.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus and devices > len(gpus):
        raise ValueError(f"--devices={devices}: this machine has {len(gpus)} GPUs")
    if not gpus and not devices:
        raise ValueError("--devices=0: no GPU was found; give the number of CPU parts")
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
    """All machines of the cluster; see `meeting.meet` for arguments and errors."""
    private.disable_coordination()
    meeting.meet(cluster, listener, purpose, seconds)
    return tf.distribute.MultiWorkerMirroredStrategy()


@contextlib.contextmanager
def one_line_loss() -> Iterator[None]:
    """Turns TensorFlow's errors about a worker that is gone into `exits.Failed`."""
    try:
        yield
    except LOST as error:
        task = re.search(r"remote target /job:(\w+)/replica:0/task:(\d+)", str(error))
        who = " ".join(task.groups()) if task else "another worker"
        raise Failed(f"{who} has ended ({type(error).__name__}): {AGAIN}") from None


class Replicas:
    """What a distributed trainer asks of its strategy.

    A mixin: put it before the trainer of a single process. Set `strategy` first.

    Attributes:
        strategy: The strategy.
        is_chief: Whether this process is the one that writes files.
    """

    strategy: tf.distribute.Strategy
    is_chief: bool

    @property
    def replicas(self) -> int:
        """The number of replicas, on all machines."""
        return self.strategy.num_replicas_in_sync

    def check_batch(self, batch_size: int) -> None:
        """Raises a `ValueError` if a batch cannot be split evenly."""
        if batch_size % self.replicas:
            raise ValueError(
                f"--batch_size={batch_size}: it cannot be split evenly among "
                f"{self.replicas} replicas"
            )

    def number(self) -> tf.Tensor:
        """The number of the replica that asks, from 0."""
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def first(self, values) -> list:
        """The first local replica's copy of each value."""
        return [self.strategy.experimental_local_results(value)[0] for value in values]

    def average(self, values):
        """Means over all replicas of all machines, in one exchange of float32."""
        return tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, [tf.cast(each, tf.float32) for each in values]
        )

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; all must ask at the same step."""
        with one_line_loss():
            return bool(self._sum(tf.constant(float(flag))))

    @tf.function
    def _sum(self, value):
        each = self.strategy.run(lambda: tf.identity(value))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)

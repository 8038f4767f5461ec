"""Training on several devices or machines, by TensorFlow's own strategies.

Every replica has all variables and its share of each batch; the global batch is that of
a single worker. The step is `train.Trainer`'s; what is added is that loss and gradients
are averaged over the replicas, and moments in `model.BatchNormalization`. Nothing else
in the package knows of strategies.
"""

import contextlib
import logging
import re
import socket
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from inception_mnist import meeting
from inception_mnist.cluster import Cluster
from inception_mnist.config import Config
from inception_mnist.train import Progress, Trainer

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

    Each process makes every batch whole and cuts out its replicas' shares. All replicas
    see the same gradients, so their variables, each with its own, stay equal; a
    checkpoint is that of a single one.
    """

    def __init__(
        self,
        config: Config,
        images: np.ndarray,
        labels: np.ndarray,
        strategy: tf.distribute.Strategy,
        is_chief: bool = True,
    ):
        """Args:
        config: the settings, of the global batch.
        images: of training, uint8 [N, 28, 28].
        labels: uint8 [N].
        strategy: of `mirrored` or `multiworker`.
        is_chief: whether this process is the one that writes.

        Raises:
            ValueError: a batch cannot be split evenly, or weights cannot be sent.
            ConnectionError: a worker is gone.
        """
        self._strategy = strategy
        self.is_chief = is_chief
        self.replicas = strategy.num_replicas_in_sync
        if config.batch_size % self.replicas:
            raise ValueError(
                f"--batch_size={config.batch_size}: a batch cannot be split evenly "
                f"among {self.replicas} replicas"
            )
        several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        if (several, config.head, config.precision) == (True, "dense", "bfloat16"):
            raise ValueError(
                "--precision=bfloat16: TensorFlow cannot send the dense head's weights "
                "to other workers: give --precision=float32, or --head=gap"
            )
        with _loss_of_a_worker(), strategy.scope():
            super().__init__(config, images, labels)
        # A compiled function would take one such variable for another of its shape.
        self.optimizer.local = self._local

    def run(self, until: int) -> Iterator[Progress]:
        """As `Trainer.run`; in all processes alike.

        Raises:
            FloatingPointError: the loss is not finite.
            ConnectionError: a worker is gone.
        """
        with _loss_of_a_worker():
            yield from super().run(until)

    def _step(self, batch, step):
        figures = self._strategy.run(super()._step, (batch, step))
        return [self._strategy.experimental_local_results(each)[0] for each in figures]

    def _gradients(self, images, labels, keep):
        return super()._gradients(*map(self._share, (images, labels, keep)))

    def _share(self, rows):
        """A replica's share of [B, ...], in the order of the replicas."""
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        return tf.reshape(rows, [self.replicas, -1, *rows.shape[1:]])[number]

    def _local(self, variable):
        """The replica's own copy of a variable."""
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        copies = self._strategy.experimental_local_results(variable)
        return copies[tf.get_static_value(number) % len(copies)]

    def _average(self, values):
        """Means over all replicas of all processes, in one exchange, of float32."""
        return tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, [tf.cast(each, tf.float32) for each in values]
        )

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; all must ask at the same step."""
        with _loss_of_a_worker():
            return bool(self._sum(tf.constant(float(flag))))

    @tf.function
    def _sum(self, value):
        each = self._strategy.run(lambda: tf.identity(value))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go back to where the chief's `arrays` were taken, in all processes."""
        if not self.any(bool(arrays)):
            return

        def chiefs(array):
            """A variable that is made takes the chief's initial value everywhere."""
            return tf.Variable(array)

        with _loss_of_a_worker(), self._strategy.scope():
            for name, variable in self._state().items():
                mine = np.zeros(variable.shape, variable.dtype.as_numpy_dtype)
                variable.assign(chiefs(arrays.get(name, mine)))
            self.step = int(chiefs(arrays.get("step", np.array(0))).numpy())
            self.optimizer.round_masters()

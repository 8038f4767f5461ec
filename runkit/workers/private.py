"""Every private name of TensorFlow and Keras that the project uses.

`setup.cfg` caps TensorFlow below the first release in which they were not tried, and
`tests/runkit/test_workers.py` says which one is gone.
"""

from tensorflow.python.distribute import collective_all_reduce_strategy
from tensorflow.python.eager import context


def disable_coordination() -> None:
    """Turns off the two watchmen of a cluster that `meeting` replaces.

    TensorFlow's coordination service holds the interpreter while it waits, up to an
    hour, and its health check delays the end of a run by half a minute.
    """
    context.context().configure_coordination_service(service_type="")
    extended = collective_all_reduce_strategy.CollectiveAllReduceExtended
    extended._enable_check_health = False


def keep_gradients(optimizer) -> None:
    """Makes a Keras optimizer apply gradients as they are, without summing them.

    Keras sums over the replicas after it clips; ours are averaged before.
    """
    optimizer._all_reduce_sum_gradients = list

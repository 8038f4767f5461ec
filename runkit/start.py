"""TensorFlow without its greetings, some of which obey no setting."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any


def tensorflow(threads: int = 0, connect: Callable[[], Any] = lambda: None) -> Any:
    """Imports TensorFlow quietly, and sets its devices up.

    Args:
        threads: The number of threads of one operation; 0 means one for each core.
        connect: What has to happen before the devices are set up.

    Returns:
        What `connect` returns.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        result = connect()
        tf.config.list_logical_devices()
    return result


def library() -> None:
    """Imports TensorFlow quietly, unless the caller has done so in his own way."""
    if "tensorflow" not in sys.modules:
        tensorflow()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drops what native code writes to stderr; exceptions still pass."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)

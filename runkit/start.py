"""TensorFlow without its greetings, some of which obey no setting."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

# Keras imports these where there are any, which takes a second, for parts of it that no
# command here uses.
UNUSED = ("sklearn", "matplotlib.pyplot")


def tensorflow(
    threads: int = 0,
    connect: Callable[[], Any] = lambda: None,
    unused: tuple[str, ...] = UNUSED,
) -> Any:
    """Imports TensorFlow quietly, and sets its devices up.

    Args:
        threads: The number of threads of one operation; 0 means one for each core.
        connect: What has to happen before the devices are set up.
        unused: Modules that Keras is to do without.

    Returns:
        What `connect` returns.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        with without(unused):
            import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        result = connect()
        tf.config.list_logical_devices()
    return result


def library() -> None:
    """Imports TensorFlow quietly, unless the caller has done so in his own way."""
    if "tensorflow" not in sys.modules:
        tensorflow(unused=())


@contextlib.contextmanager
def without(modules: tuple[str, ...]) -> Iterator[None]:
    """Lets `import` fail for modules that were not imported before."""
    hidden = [name for name in modules if name not in sys.modules]
    try:
        sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


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

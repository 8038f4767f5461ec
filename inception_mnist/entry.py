"""What the entry points share: flags, one line for a mistake, a silent start."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from absl import app, flags, logging

T = TypeVar("T")


def run(main: Callable[[list[str]], int], arguments: bool = False) -> None:
    """Parse the flags and run `main`; it returns the exit code.

    Args:
        main: takes the program's name and what follows the flags.
        arguments: whether anything may follow them.

    A `ValueError`, `OSError` or `FloatingPointError`, or a wrong flag, becomes one line
    on stderr and exit code 2.
    """

    def guarded(argv: list[str]) -> int:
        try:
            if argv[1:] and not arguments:
                raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
            return main(argv)
        except BrokenPipeError:  # "| head" has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (ValueError, OSError, FloatingPointError) as error:
            print(f"inception_mnist: {error}", file=sys.stderr)
            return 2

    def parse(argv: list[str]) -> list[str]:
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            print(f"inception_mnist: {error}: see --helpshort", file=sys.stderr)
            sys.exit(2)

    logging.set_verbosity(logging.INFO)
    try:
        app.run(guarded, flags_parser=parse)
    except KeyboardInterrupt:
        sys.exit(130)


def give_up(worker: str) -> None:
    """End at once with one line, from any thread: TensorFlow may wait for ever."""
    print(
        f"inception_mnist: {worker} does not answer any more: start all again to go on "
        "from the latest checkpoint",
        file=sys.stderr,
        flush=True,
    )
    os._exit(2)


def make_folder(path: str) -> None:
    """Make the folder of the output; an `OSError` if nothing can be written there."""
    os.makedirs(path, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise PermissionError(f"--out_dir={path}: no permission to write")


def start_tensorflow(threads: int = 0, connect: Callable[[], T] = lambda: None) -> T:
    """Import TensorFlow without its greetings; some of them obey no setting.

    Args:
        threads: of one operation; 0: as many as the machine has cores.
        connect: what is to happen before devices are set up; its result is returned.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        result = connect()
        tf.config.list_logical_devices()
    return result


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops what native code writes to stderr; exceptions still pass."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)

"""What the entry points share: flags, exit codes, and a quiet TensorFlow."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

from absl import app, flags, logging


def run(main: Callable[[list[str]], int]) -> None:
    """Run `main` and exit with what it returns; 2 for a wrong flag, 130 for Ctrl-C."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.set_verbosity(logging.INFO)
    try:
        app.run(main, flags_parser=_parse)
    except KeyboardInterrupt:
        sys.exit(130)


def fail(error: object) -> None:
    """One line about `error` on stderr."""
    print(f"style_transfer: {error}", file=sys.stderr)


def start_tensorflow() -> None:
    """Import TensorFlow without its greetings, some of which obey no setting."""
    with _quiet_stderr():
        import tensorflow as tf

        tf.config.list_logical_devices()
    tf.config.experimental.enable_op_determinism()


def _parse(argv: list[str]) -> list[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        fail(f"{error}: see --helpshort")
        sys.exit(2)


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drops what native code writes to stderr; exceptions still pass."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)

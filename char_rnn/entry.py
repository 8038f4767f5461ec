"""What the entry points share: flags, one line for a mistake, a silent start."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from absl import app, flags, logging

T = TypeVar("T")


def run(main: Callable[[list[str]], int]) -> None:
    """Parse the flags and run `main`; it returns the exit code.

    A `ValueError`, `OSError` or `FloatingPointError`, or a wrong flag, becomes one line
    on stderr and exit code 2.
    """

    def guarded(argv: list[str]) -> int:
        try:
            if argv[1:]:
                raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
            return main(argv)
        except BrokenPipeError:  # "| head" has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (ValueError, OSError, FloatingPointError) as error:
            print(f"char_rnn: {error}", file=sys.stderr)
            return 2

    def parse(argv: list[str]) -> list[str]:
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            print(f"char_rnn: {error}: see --helpshort", file=sys.stderr)
            sys.exit(2)

    logging.set_verbosity(logging.INFO)
    try:
        app.run(guarded, flags_parser=parse)
    except KeyboardInterrupt:
        sys.exit(130)


def give_up(worker: str) -> None:
    """End at once with one line, from any thread: TensorFlow may wait for ever."""
    print(
        f"char_rnn: {worker} does not answer any more: start all again to go on from "
        "the latest checkpoint",
        file=sys.stderr,
        flush=True,
    )
    os._exit(2)


def make_folder(path: str) -> None:
    """Make the folder of the output; an `OSError` if nothing can be written there."""
    os.makedirs(path, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise PermissionError(f"--out_dir={path}: no permission to write")


def load_corpus(name: str, alphabet: str):
    """The text that the flags name, telling of a download and of a choice made."""
    from tqdm import tqdm

    from char_rnn import text

    with contextlib.ExitStack() as stack:
        bar = None

        def progress(have: int, size: int) -> None:
            nonlocal bar
            if bar is None:
                bar = tqdm(total=size, unit="B", unit_scale=True, disable=None)
                stack.enter_context(bar)
            bar.update(have - bar.n)

        corpus = text.load(name, alphabet, progress)
    if corpus.note:
        logging.warning("%s", corpus.note)
    logging.info(
        "%s: %d characters of %d kinds",
        corpus.name,
        len(corpus.ids),
        len(corpus.alphabet),
    )
    return corpus


def start_tensorflow(threads: int, connect: Callable[[], T] = lambda: None) -> T:
    """Import TensorFlow without its greetings; some of them obey no setting.

    Args:
        threads: of one operation.
        connect: what is to happen before devices are set up; its result is returned.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet_stderr():
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        result = connect()
        tf.config.list_logical_devices()
    return result


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

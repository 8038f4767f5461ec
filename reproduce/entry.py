"""One line for a mistake, and exit codes."""

import os
import sys
from collections.abc import Callable

from absl import app, flags, logging


def run(main: Callable[[list[str]], int]) -> None:
    """Parse the flags and run `main`; it returns the exit code.

    A `ValueError` or `OSError`, or a wrong flag, becomes one line
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
        except (ValueError, OSError) as error:
            print(f"reproduce: {error}", file=sys.stderr)
            return 2

    def parse(argv: list[str]) -> list[str]:
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            print(f"reproduce: {error}: see --helpshort", file=sys.stderr)
            sys.exit(2)

    logging.set_verbosity(logging.INFO)
    try:
        app.run(guarded, flags_parser=parse)
    except KeyboardInterrupt:
        sys.exit(130)


def make_folder(path: str) -> None:
    """Make the folder of the output; an `OSError` if nothing can be written there."""
    os.makedirs(path, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise PermissionError(f"--out_dir={path}: no permission to write")

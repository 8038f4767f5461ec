"""How both entry points meet a user's mistake: one line on stderr, exit code 2."""

import sys
from collections.abc import Callable, Sequence

from absl import app, flags


def run(main: Callable[[Sequence[str]], int]) -> None:
    """Runs an entry point under absl and ends the process with its exit code.

    Args:
      main: takes the positional arguments after the program's name; returns the code.
    """

    def parse(argv: list[str]) -> list[str]:
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            _fail(str(error).replace("FATAL Flags parsing error: ", ""))

    def guarded(argv: list[str]) -> int:
        try:
            return main(argv)
        except KeyboardInterrupt:
            return 130
        except (ValueError, OSError) as error:
            _fail(str(error))

    app.run(guarded, flags_parser=_with_help(parse))


def _with_help(parse: Callable[[list[str]], list[str]]) -> Callable:
    def parser(argv: list[str]) -> list[str]:
        app.define_help_flags()
        return parse(argv)

    return parser


def _fail(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(2)

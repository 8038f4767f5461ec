"""How every command starts and ends: flags, help, one-line errors, exit codes.

Entry points import this module first: from then on Ctrl-C and SIGTERM end the process
without a traceback, even while slow imports are still running.
"""

import os
import sys

from runkit import __version__
from runkit.exits import BAD_INPUT, DONE, FAILED, INTERRUPTED, Failed


def _quiet_interrupt(kind, error, traceback) -> None:
    """Ends the process without a traceback if Ctrl-C arrived before or after `run`."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    sys.stdout.flush()
    os._exit(INTERRUPTED)


if not hasattr(sys, "ps1"):  # At Python's prompt, Ctrl-C shall not end the session.
    sys.excepthook = _quiet_interrupt  # before the slower imports

# isort: split
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

HELP = {"-h", "-help", "--help", "-helpshort", "--helpshort"}
DISTRIBUTION = "deep-learning-posts"
# The extra of `setup.cfg` that a topic needs; "" where the base will do.
TOPICS = {
    "char_rnn": "rnn",
    "genetic": "",
    "gpu_setup": "",
    "inception_mnist": "inception",
    "remote_notebook": "",
    "reproduce": "all",
    "runkit": "",
    "style_transfer": "style",
}
OPTIONAL = {"distributed": "distributed", "notebook": "notebook"}  # by module
# Python's, NumPy's and TensorFlow's.
OUT_OF_MEMORY = {"MemoryError", "_ArrayMemoryError", "ResourceExhaustedError"}
INSTALL = "the flags need absl-py: run `pip install absl-py`, or leave them out"


def run(
    main: Callable[[list[str]], int | None],
    name: str,
    first: Sequence[str] = (),
    arguments: bool = False,
) -> NoReturn:
    """Parses the flags, runs `main`, and ends the process with its exit code.

    Without absl-py the command runs with the defaults, and refuses every flag.

    Args:
        main: The entry point. It receives the program's name and what follows the
            flags, and returns an exit code; None means 0. The help begins with the
            docstring of its module.
        name: The command's name, which begins every error message.
        first: The flags that matter most; the help shows them before the others.
        arguments: Whether anything may follow the flags.
    """
    code: int | None
    try:
        rest = _parse(main.__module__, first)
        if rest[1:] and not arguments:
            raise ValueError(f"unexpected {rest[1]!r}: see --helpshort")
        code = main(rest)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    except ModuleNotFoundError as error:
        code = complain(name, _to_install(error, name), BAD_INPUT)
    except (ValueError, OSError) as error:
        code = complain(name, error, BAD_INPUT)
    except (Failed, FloatingPointError) as error:
        code = complain(name, error, FAILED)
    except Exception as error:
        if type(error).__name__ not in OUT_OF_MEMORY:
            raise
        code = complain(name, f"out of memory: {error}", FAILED)
    sys.exit(code or DONE)


def complain(name: str, error: object, code: int) -> int:
    """Prints an error as one line on stderr; returns the exit code."""
    print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
    return code


def _to_install(error: ModuleNotFoundError, name: str) -> str:
    """What to install; no package brings our own modules, nor Python's."""
    missing = (error.name or "").partition(".")[0]
    if not missing or missing in {*TOPICS, *sys.stdlib_module_names}:
        raise error
    extra = OPTIONAL.get(missing) or TOPICS.get(name.partition(".")[0]) or "all"
    return f"{missing} is missing: run `pip install '{DISTRIBUTION}[{extra}]'`"


def _parse(module: str, first: Sequence[str]) -> list[str]:
    """Parses the command line; returns the program's name and what follows flags."""
    if "--version" in sys.argv[1:]:
        print(f"{DISTRIBUTION} {__version__}")
        sys.exit(DONE)
    try:
        from absl import flags, logging
    except ImportError:
        if any(argument.startswith("-") for argument in sys.argv[1:]):
            raise ValueError(INSTALL) from None
        return sys.argv
    logging.set_verbosity(logging.INFO)
    logging.use_absl_handler()
    if HELP & set(sys.argv[1:]):
        print(_help(module, flags.FLAGS, first))
        sys.exit(DONE)
    try:
        return flags.FLAGS(sys.argv)
    except flags.Error as error:
        message = str(error).replace("FATAL Flags parsing error: ", "")
        raise ValueError(f"{message}: see --helpshort") from None


def _help(module: str, flag_values: Any, first: Sequence[str]) -> str:
    """The module's docstring, then the flags: those that matter, then by group."""
    from absl import flags

    by_module = flag_values.flags_by_module_dict()
    key = sys.argv[0] if module == "__main__" else module
    groups = {
        "The flags that matter most": [flag_values[name] for name in first],
        "Input and output": by_module.get(key, []),
        "Settings": by_module.get("runkit.settings", []),
        "The process and its devices": by_module.get("runkit.training", []),
    }
    lines = [(sys.modules[module].__doc__ or "").strip()]
    for title, members in groups.items():
        if title != "The flags that matter most":
            members = [flag for flag in members if flag.name not in first]
        if members:
            lines += ["", f"{title}:"]
        for flag in members:
            values = getattr(flag.parser, "enum_values", None)
            kind = "|".join(values) if values else flag.flag_type()
            boolean = kind == "bool"
            usage = f"--[no]{flag.name}" if boolean else f"--{flag.name}={kind}"
            default = "" if flag.default in (None, "", []) else f" [{_shown(flag)}]"
            lines.append(f"  {usage}{default}")
            lines.append(flags.text_wrap(flag.help, 80, "      "))
    return "\n".join(lines)


def _shown(flag: Any) -> str:
    """A flag's default as one would type it."""
    return str(flag.default_as_str).strip("'\"")


if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.default_int_handler)

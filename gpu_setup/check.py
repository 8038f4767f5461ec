"""Checks this machine, or a saved one, against the install guide step by step.

  python -m gpu_setup.check                        a table on the terminal
  python -m gpu_setup.check --format=html --out_dir=out/gpu_setup
  python -m gpu_setup.check --log=tensorflow.log   which line is the cause?
  python -m gpu_setup.check --before=machine.tar.gz   it worked then: what has changed?

Exit code: 0 a GPU is ready (with --expect=cpu: TensorFlow works), 1 something is wrong,
2 the command line is.
"""

import json
import platform
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from absl import flags

from gpu_setup import entry, guide, logs, probes, redaction, report, snapshot
from gpu_setup.config import FORMATS, Config
from gpu_setup.facts import Facts
from gpu_setup.machine import Machine

_DEFAULT = Config()
_ROOT = flags.DEFINE_string(
    "root", _DEFAULT.root, "a saved machine: its folder, or the .tar.gz of a snapshot"
)
_FORMAT = flags.DEFINE_list(
    "format", ["text"], f"what to write: {', '.join(FORMATS)}; several with commas"
)
_OUT_DIR = flags.DEFINE_string("out_dir", "", "write report files here as well")
_REDACT = flags.DEFINE_boolean(
    "redact", None, "hide host, user, home, serial numbers (default: in files only)"
)
_EXPECT = flags.DEFINE_enum(
    "expect", "gpu", ["gpu", "cpu"], "what this machine should have"
)
_TENSORFLOW = flags.DEFINE_boolean(
    "tensorflow", _DEFAULT.tensorflow, "ask TensorFlow too, in a child process"
)
_RUN_COMMANDS = flags.DEFINE_boolean(
    "run_commands", None, "run nvidia-smi and others here (default: without --root)"
)
_COMMAND_SECONDS = flags.DEFINE_float(
    "command_seconds", _DEFAULT.command_seconds, "time limit of each command"
)
_TENSORFLOW_SECONDS = flags.DEFINE_float(
    "tensorflow_seconds", _DEFAULT.tensorflow_seconds, "time limit of TensorFlow"
)
_BEFORE = flags.DEFINE_string(
    "before", "", "a saved machine from when it worked: print what has changed since"
)
_LOG = flags.DEFINE_string("log", "", "explain this TensorFlow log instead; - is stdin")

_SETTINGS = (_ROOT, _RUN_COMMANDS, _TENSORFLOW, _EXPECT, _REDACT)
_SETTINGS += (_COMMAND_SECONDS, _TENSORFLOW_SECONDS)


@contextmanager
def opened(root: str) -> Iterator[str]:
    """The folder of a saved machine; a snapshot is unpacked for as long as needed."""
    if not Path(root).exists():
        raise ValueError(
            f"{root}: no such machine; --root and --before name a saved one"
        )
    if not root.endswith((".tar.gz", ".tgz")):
        yield root
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            snapshot.unpack(Path(root), Path(folder))
        except tarfile.TarError as error:
            raise ValueError(f"{root} is not a snapshot: {error}") from error
        yield folder


def explain_log(path: str) -> int:
    """Prints what a log's lines mean; 1 if one of them is the cause of a problem."""
    log = sys.stdin.read() if path == "-" else Path(path).read_text(errors="replace")
    known = logs.explain(log)
    print(logs.as_text(known, len(log.splitlines())), end="")
    return int(any(k.kind == "cause" for k in known))


def look(root: str, run_commands: bool | None) -> tuple[guide.Judgement, Facts]:
    """Collects the facts of a machine, and judges them."""
    with opened(root) as folder:
        config = Config(
            folder,
            run_commands,
            _TENSORFLOW.value,
            _COMMAND_SECONDS.value,
            _TENSORFLOW_SECONDS.value,
        )
        facts = probes.collect(Machine(folder, run_commands), config)
    return guide.judge(facts), facts


def exit_code(judgement: guide.Judgement, facts: Facts, expect: str) -> int:
    """0 if the machine has what is expected of it, else 1."""
    if expect == "gpu":
        return int(judgement.verdict != "ready")
    return int(facts.tensorflow.get("cpu_product") is not True)


def main(argv: Sequence[str]) -> int:
    """Looks, judges, prints and writes."""
    if len(argv) > 1:
        raise ValueError(f"no argument is expected; found {' '.join(argv[1:])}")
    if _LOG.value:
        return explain_log(_LOG.value)
    unknown = sorted(set(_FORMAT.value) - set(FORMATS))
    if unknown or not _FORMAT.value:
        raise ValueError(
            f"--format={','.join(unknown)}: choose of {', '.join(FORMATS)}"
        )
    started = time.perf_counter()
    before = look(_BEFORE.value, False)[0] if _BEFORE.value else None
    judgement, facts = look(_ROOT.value, _RUN_COMMANDS.value)
    hidden = report.redacted(judgement)
    shown = hidden if _REDACT.value else judgement
    print("\n".join(report.RENDER[f][0](shown) for f in _FORMAT.value), end="")
    if before:
        before = report.redacted(before) if _REDACT.value else before
        print(f"\nChanged since {_BEFORE.value}:\n{report.changes(before, shown)}")
    code = exit_code(judgement, facts, _EXPECT.value)
    if _OUT_DIR.value:
        kept = judgement if _REDACT.value is False else hidden
        seconds = time.perf_counter() - started
        write_files(Path(_OUT_DIR.value), kept, code, seconds)
    return code


def write_files(
    folder: Path, judgement: guide.Judgement, code: int, seconds: float
) -> None:
    """Writes report.* of every format asked for, and result.json."""
    for name in _FORMAT.value:
        render, ending = report.RENDER[name]
        redaction.write_whole(folder / f"report.{ending}", render(judgement))
    result = {
        "config": {flag.name: flag.value for flag in _SETTINGS},
        "seed": None,  # nothing here is random
        "versions": {"python": platform.python_version()},
        "metrics": {
            "verdict": judgement.verdict,
            "exit_code": code,
            "steps": {step.title: step.status for step in judgement.steps},
        },
        "seconds": round(seconds, 3),
    }
    text = json.dumps(result, indent=2) + "\n"
    redaction.write_whole(folder / "result.json", redaction.redact(text))


if __name__ == "__main__":
    entry.run(main)

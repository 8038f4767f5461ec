"""Checks this machine, or a saved one, against the install guide step by step.

  python -m gpu_setup.check                        a table on the terminal
  python -m gpu_setup.check --format=html --out_dir=out/gpu_setup
  python -m gpu_setup.check --log=tensorflow.log   which line is the cause?
  python -m gpu_setup.check --before=machine.tar.gz   it worked then: what has changed?

It needs no package; its flags need absl-py. Exit code: 0 a GPU is ready (with
--expect=cpu: TensorFlow works; with --log: nothing is wrong), 1 something is wrong,
2 the command line is, 3 the log cannot be judged.
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import dataclasses
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gpu_setup import guide, logs, probes, redaction, report, snapshot
from gpu_setup.config import Config
from gpu_setup.facts import Facts
from gpu_setup.machine import Machine
from runkit import files, settings


def main(argv: Sequence[str]) -> int:
    """Looks at the machine or the log, judges, prints and writes."""
    config = Config(**settings.given(Config))
    return explain_log(config.log) if config.log else check_machine(config)


def explain_log(path: str) -> int:
    """Prints the cause and what each line of a log means; returns the exit code."""
    log = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    wide = log[:2] in (b"\xff\xfe", b"\xfe\xff")  # as Windows' PowerShell writes it
    text = log.decode("utf-16" if wide else "utf-8-sig", errors="replace")
    explanation = logs.explain(text)
    print(logs.as_text(explanation), end="")
    return explanation.exit_code


def check_machine(config: Config) -> int:
    """Judges a machine, prints the reports and writes them; returns the exit code."""
    started = time.perf_counter()
    before = judge(config, config.before, False)[0] if config.before else None
    judgement, facts = judge(config, config.root, config.run_commands)
    hidden = report.redacted(judgement)
    shown = hidden if config.redact else judgement
    print("\n".join(report.RENDER[name][0](shown) for name in config.format), end="")
    if before:
        before = report.redacted(before) if config.redact else before
        print(f"\nChanged since {config.before}:\n{report.changes(before, shown)}")
    code = int(judgement.verdict != "ready")
    if config.expect == "cpu":
        code = int(facts.tensorflow.get("cpu_product") is not True)
    if config.out_dir:
        kept = judgement if config.redact is False else hidden
        write_files(config, kept, code, time.perf_counter() - started)
    return code


def judge(
    config: Config, root: str, run_commands: bool | None
) -> tuple[guide.Judgement, Facts]:
    """Collects the facts of a machine, and judges them."""
    with opened(root) as folder:
        facts = probes.collect(Machine(folder, run_commands), config)
    return guide.judge(facts), facts


@contextmanager
def opened(root: str) -> Iterator[str]:
    """The folder of a saved machine; a snapshot is unpacked for as long as needed."""
    if not root.endswith((".tar.gz", ".tgz")):
        yield root
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            snapshot.unpack(Path(root), Path(folder))
        except tarfile.TarError as error:
            raise ValueError(f"{root} is not a snapshot: {error}") from error
        yield folder


def write_files(
    config: Config, judgement: guide.Judgement, code: int, seconds: float
) -> None:
    """Writes report.* of every format asked for, and result.json."""
    folder = Path(config.out_dir)
    files.make_folder(config.out_dir)
    for name in config.format:
        render, ending = report.RENDER[name]
        files.write_text(folder / f"report.{ending}", render(judgement))
    metrics = {
        "verdict": judgement.verdict,
        "exit_code": code,
        "steps": {step.title: step.status for step in judgement.steps},
        "seconds": round(seconds, 3),
    }
    plain = dataclasses.asdict(config)
    hidden = {name: redaction.redacted(value) for name, value in plain.items()}
    files.write_result(folder, hidden, metrics, packages=())


def command() -> None:
    """Runs the command."""
    settings.define_flags(Config)
    cli.run(main, "gpu_setup.check", ("log", "format", "out_dir", "root", "expect"))


if __name__ == "__main__":
    command()

"""Reads a pasted TensorFlow log: which lines are harmless, which are the cause."""

import dataclasses
import functools
import json
import re
from importlib import resources


@dataclasses.dataclass(frozen=True)
class Known:
    """A line that is known: "cause", "follows" (from a cause) or "harmless"."""

    number: int
    line: str
    kind: str
    means: str
    fix: str


@functools.cache
def knowledge() -> list[dict[str, str]]:
    """The table of known lines; of two that fit a line, the first counts."""
    file = resources.files("gpu_setup") / "data" / "log_lines.json"
    return json.loads(file.read_text())


def explain(log: str) -> list[Known]:
    """Says of each known line of a log what it means.

    Args:
      log: what TensorFlow wrote, as pasted.

    Returns:
      The known lines in their order; a line that is not known is left out.
    """
    found = []
    for number, line in enumerate(log.splitlines(), 1):
        for entry in knowledge():
            match = re.search(entry["pattern"], line)
            if match:
                names = {"name": "?", "other": "?"}
                names |= {k: v.rstrip(".") for k, v in match.groupdict().items() if v}
                means = entry["means"].format_map(names)
                fix = entry["fix"].format_map(names)
                found.append(Known(number, line.strip(), entry["kind"], means, fix))
                break
    return found


def as_text(lines: list[Known], total: int) -> str:
    """A page for the terminal: each known line once, then the cause to mend."""
    shown: dict[str, Known] = {}
    for known in lines:
        shown.setdefault(known.means, known)
    text = []
    for known in shown.values():
        text.append(f"{known.kind:9} line {known.number}: {known.means}")
        text.append(f"          {known.line[:76]}")
        if known.fix:
            text.append(f"          do: {known.fix}")
    causes = [k for k in shown.values() if k.kind == "cause"]
    text.append("")
    text.append(f"{len(lines)} of {total} lines are known.")
    if causes:
        text.append(f"Mend first: line {causes[0].number}, {causes[0].means}.")
    else:
        text.append("None of them is the cause of a problem.")
    return "\n".join(text) + "\n"

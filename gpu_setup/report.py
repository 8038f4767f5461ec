"""The judgement as text, Markdown, JSON and HTML, with private words hidden."""

import dataclasses
import getpass
import html
import json
import os
import platform
import re
import socket
import textwrap
from collections import Counter
from importlib import resources
from pathlib import Path
from string import Template

from gpu_setup.guide import Judgement, Step

WORDS = {
    "ready": "A GPU is ready: TensorFlow multiplied two matrices on it.",
    "cpu": "A CPU machine: everything in this project runs on it, only slower.",
    "problem": "Not ready.",
}
STATUSES = {"ok": "ok", "problem": "wrong", "unknown": "unknown", "skip": "left out"}
_UUID = re.compile(
    r"\b(GPU-|MIG-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    re.I,
)
_HOMES = re.compile(r"(/home/|/Users/)[^/\s'\":]+")


def private_words() -> dict[str, str]:
    """What to hide of this machine: home, host and user, each with its stand-in."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        user = ""
    hosts = {socket.gethostname(), socket.gethostname().partition(".")[0]}
    hosts.add(platform.node())
    words = {os.path.expanduser("~"): "~"} if user != "root" else {"/root": "~"}
    words |= {host: "HOST" for host in hosts}
    words[user] = "USER"
    common = {"", "/", "root", "localhost", "ubuntu", "tensorflow", "nvidia"}
    return {w: stand for w, stand in words.items() if w not in common}


def redact(text: str, words: dict[str, str] | None = None) -> str:
    """Hides home folders, host, user and serial numbers in a text.

    Args:
      text: anything to be shared.
      words: what to hide, and its stand-in; this machine's `private_words` by default.

    Returns:
      The text with stand-ins.
    """
    text = _UUID.sub("SERIAL", text)
    text = re.sub(r"(?i)(serial(?: number)?\s*[:=]\s*)\w+", r"\1SERIAL", text)
    words = private_words() if words is None else words
    for word in sorted(words, key=len, reverse=True):
        pattern = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
        text = re.sub(pattern, words[word], text)
    return _HOMES.sub(r"\1USER", text)


def redacted(judgement: Judgement) -> Judgement:
    """The same judgement with every text redacted."""
    words = private_words()
    steps = [
        Step(
            **{
                k: v if k in ("id", "title", "status") else redact(v, words)
                for k, v in dataclasses.asdict(s).items()
            }
        )
        for s in judgement.steps
    ]
    return Judgement(judgement.verdict, steps)


def headline(judgement: Judgement) -> str:
    """The verdict in one line, with the step to mend first."""
    first = judgement.first_problem
    words = WORDS[judgement.verdict]
    if first:
        return f"{words} Mend first: {first.title}"
    if judgement.verdict == "problem":
        return f"{words} Nothing wrong was found, but no GPU was seen to work."
    return words


def as_text(judgement: Judgement) -> str:
    """A table for the terminal, 88 columns wide; commands stand on their own lines."""
    lines = []
    for step in judgement.steps:
        notes = [step.found]
        if step.expected and step.status in ("problem", "unknown"):
            notes.append(f"expected: {step.expected}")
        if step.advice and not (step.status == "skip" and step.found):
            notes.append(step.advice)
        right = [line for note in notes for line in textwrap.wrap(note, 37)] or [""]
        lines.append(f"{step.status:8} {step.title:41} {right[0]}".rstrip())
        lines += [" " * 51 + line for line in right[1:]]
        if step.command:
            lines.append(f"         $ {step.command}")
    return "\n".join([*lines, "", headline(judgement)]) + "\n"


def changes(before: Judgement, after: Judgement) -> str:
    """What two looks at a machine found differently, a step a paragraph."""
    lines = []
    for old, new in zip(before.steps, after.steps, strict=True):
        if (old.status, old.found) != (new.status, new.found):
            lines += [
                new.title,
                f"  then  {old.status}: {old.found}",
                f"  now   {new.status}: {new.found}",
            ]
    return "\n".join(lines) or "nothing that this program looks at"


def as_markdown(judgement: Judgement) -> str:
    """A table to paste into a question or an issue."""

    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")

    lines = [f"**{headline(judgement)}**", ""]
    lines += ["| step | status | found | expected | what to do |", "|" + " --- |" * 5]
    for s in judgement.steps:
        todo = cell(s.advice)
        if s.command:
            todo = (
                todo + " " + f"`` {s.command.replace('|', chr(92) + '|')} ``"
            ).strip()
        row = (cell(s.title), s.status, cell(s.found), cell(s.expected), todo)
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def as_json(judgement: Judgement) -> str:
    """The documented schema: verdict, and steps with seven texts each (README)."""
    steps = [dataclasses.asdict(s) for s in judgement.steps]
    return json.dumps({"verdict": judgement.verdict, "steps": steps}, indent=2) + "\n"


def _html_advice(step: Step) -> str:
    advice = f'<p class="note">{html.escape(step.advice)}</p>' if step.advice else ""
    command = f"<pre>{html.escape(step.command)}</pre>" if step.command else ""
    return advice + command


def _html_step(step: Step) -> str:
    found = f"<p>{html.escape(step.found)}</p>" if step.found else ""
    if step.expected:
        expected = html.escape(step.expected)
        found += f'<p class="note"><b>expected</b> {expected}</p>'
    return (
        f'<li class="{step.status}"><span class="status">{step.status}</span>'
        f"<h2>{html.escape(step.title)}</h2>"
        f"<div>{found}{_html_advice(step)}</div></li>"
    )


def as_html(judgement: Judgement) -> str:
    """One page without scripts or outside files, for wide and narrow windows."""
    numbers = Counter(s.status for s in judgement.steps)
    counts = [f"{numbers[s]} {word}" for s, word in STATUSES.items() if numbers[s]]
    first = judgement.first_problem
    page = resources.files("gpu_setup") / "data" / "report.html"
    return Template(page.read_text()).substitute(
        verdict=judgement.verdict,
        headline=html.escape(headline(judgement)),
        counts=f"{len(judgement.steps)} steps: {', '.join(counts)}",
        first=_html_advice(first) if first else "",
        steps="\n".join(map(_html_step, judgement.steps)),
    )


RENDER = {
    "text": (as_text, "txt"),
    "markdown": (as_markdown, "md"),
    "json": (as_json, "json"),
    "html": (as_html, "html"),
}


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all.

    Raises:
      OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)

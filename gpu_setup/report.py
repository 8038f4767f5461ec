"""The judgement as text, Markdown, JSON and HTML."""

import dataclasses
import html
import json
import textwrap
from collections import Counter
from importlib import resources
from string import Template

from gpu_setup.guide import Judgement, Step
from gpu_setup.redaction import private_words, redact

WORDS = {
    "ready": "A GPU is ready: TensorFlow multiplied two matrices on it.",
    "cpu": "A CPU machine: everything in this project runs on it, only slower.",
    "problem": "Not ready.",
}
STATUSES = {"ok": "ok", "problem": "wrong", "unknown": "unknown", "skip": "left out"}


def redacted(judgement: Judgement) -> Judgement:
    """The same judgement with every text redacted."""
    words = private_words()
    names = ("found", "expected", "advice", "command")
    steps = [
        dataclasses.replace(step, **{n: redact(getattr(step, n), words) for n in names})
        for step in judgement.steps
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

    lines = [f"**{headline(judgement)}**", ""]
    lines += ["| step | status | found | expected | what to do |", "|" + " --- |" * 5]
    for s in judgement.steps:
        cells = [s.title, s.status, s.found, s.expected, s.advice]
        cells = [x.replace("<", "&lt;").replace("\n", " ") for x in cells]
        if s.command:
            cells[-1] = f"{cells[-1]} `` {s.command} ``".strip()
        row = [x.replace("|", "\\|") for x in cells]
        lines.append(f"| {' | '.join(row)} |")
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

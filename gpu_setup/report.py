"""The judgement as text, Markdown, JSON and HTML; each begins with the verdict."""

import dataclasses
import html
import json
import textwrap
from collections import Counter
from importlib import resources
from string import Template

from gpu_setup.guide import Judgement, Step
from gpu_setup.redaction import redact
from runkit import tables

READY = "Ready: TensorFlow multiplied two matrices right on every GPU that it sees."
CPU = "No NVIDIA card: everything in this project runs on the CPU, only slower."
STATUSES = {"ok": "ok", "problem": "wrong", "unknown": "unknown", "skip": "left out"}
TEXTS = ("found", "expected", "advice", "command")


def redacted(judgement: Judgement) -> Judgement:
    """The same judgement with every text redacted."""
    steps = [
        dataclasses.replace(step, **{n: redact(getattr(step, n)) for n in TEXTS})
        for step in judgement.steps
    ]
    return Judgement(judgement.verdict, steps)


def verdict_and_command(judgement: Judgement) -> tuple[str, str]:
    """The verdict in a sentence, and the command to type next; "" if there is none."""
    if judgement.verdict != "problem":
        return READY if judgement.verdict == "ready" else CPU, ""
    # Where nothing is wrong, the first thing that could not be told comes next.
    unknown = [step for step in judgement.steps if step.status == "unknown"]
    unknown.sort(key=lambda step: not step.command)
    first = judgement.first_problem or next(iter(unknown), None)
    if first is None:
        return "Not ready.", ""
    if first.status == "unknown":
        advice = first.advice or first.found
        return f"Not ready: no GPU was seen to work. {advice}", first.command
    return f"Not ready: {first.advice or first.found}", first.command


def headline(judgement: Judgement) -> str:
    """The verdict and the next command, in one line."""
    verdict, command = verdict_and_command(judgement)
    return f"{verdict} Next: {command}" if command else verdict


def as_text(judgement: Judgement) -> str:
    """The headline, and a table 88 columns wide; commands stand on their own lines."""
    lines = [headline(judgement), ""]
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
    return "\n".join(lines) + "\n"


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
    """The headline and a table, to paste into a question or an issue."""
    verdict, command = verdict_and_command(judgement)
    rows = []
    for step in judgement.steps:
        cells = [step.title, step.status, step.found, step.expected, step.advice]
        cells = [cell.replace("<", "&lt;").replace("\n", " ") for cell in cells]
        if step.command:
            cells[-1] = f"{cells[-1]} `` {step.command} ``".strip()
        rows.append([cell.replace("|", "\\|") for cell in cells])
    first = f"**{verdict}**" + (f" Next: `` {command} ``" if command else "")
    head = ["step", "status", "found", "expected", "what to do"]
    return f"{first}\n\n{tables.markdown(head, rows)}"


def as_json(judgement: Judgement) -> str:
    """The documented schema: headline, verdict, command, steps of seven texts each."""
    report = {
        "headline": headline(judgement),
        "verdict": judgement.verdict,
        "command": verdict_and_command(judgement)[1],
        "steps": [
            {"id": step.id, "title": step.title} | dataclasses.asdict(step)
            for step in judgement.steps
        ],
    }
    return json.dumps(report, indent=2) + "\n"


def _html_step(step: Step) -> str:
    """The sentence of a problem comes first; what was found explains it."""
    title, found, expected, advice, command = (
        html.escape(text)
        for text in (step.title, step.found, step.expected, step.advice, step.command)
    )
    note = f'<span class="note">expected: {expected}</span>' if expected else ""
    parts = [f"<p>{found} {note}</p>" if found or note else ""]
    parts.insert(step.status != "problem", f'<p class="advice">{advice}</p>')
    parts.append(f"<pre>{command}</pre>" if command else "")
    return (
        f'<li class="{step.status}"><span class="status">{step.status}</span>'
        f"<h2>{title}</h2><div>{''.join(parts)}</div></li>"
    )


def as_html(judgement: Judgement) -> str:
    """One page without scripts or outside files, for wide and narrow windows."""
    numbers = Counter(s.status for s in judgement.steps)
    counts = [f"{numbers[s]} {word}" for s, word in STATUSES.items() if numbers[s]]
    verdict, command = verdict_and_command(judgement)
    head, colon, rest = verdict.partition(": ")
    page = resources.files("gpu_setup") / "data" / "report.html"
    following = f"<p>Next:</p><pre>{html.escape(command)}</pre>" if command else ""
    return Template(page.read_text()).substitute(
        verdict=judgement.verdict,
        title=html.escape(head),
        headline=f"<b>{html.escape(head + colon.strip())}</b> {html.escape(rest)}",
        next=following,
        counts=f"{len(judgement.steps)} steps: {', '.join(counts)}",
        steps="\n".join(map(_html_step, judgement.steps)),
    )


RENDER = {
    "text": (as_text, "txt"),
    "markdown": (as_markdown, "md"),
    "json": (as_json, "json"),
    "html": (as_html, "html"),
}

"""RESULTS.md: a row for every claim of the posts, written from kept results alone."""

import collections
from typing import Any

from reproduce import claims_modules, claims_others, claims_style, claims_text
from reproduce.verdicts import CONFIRMED, REFUTED, UNCHECKED, Claim

Kept = dict[str, dict[str, Any]]  # by name, see `store.collect`
POSTS = {
    "Reconstructing artistic style": claims_style.CLAIMS,
    "Vanilla recurrent neural networks": claims_text.CLAIMS,
    "Inception modules: explained and implemented": claims_modules.CLAIMS,
    "Gett'n jiggy with genetic algorithms": claims_others.GENETIC,
    "Installing 10-series GPUs, CUDA and TensorFlow": claims_others.GPU,
    "Using your remote Jupyter Notebook through ssh": claims_others.NOTEBOOK,
}
HEAD = """\
# What the posts claim, and what came out

`make reproduce` (minutes) and `make reproduce-full` (the posts' own lengths) write
such a table to `out/reproduce/RESULTS.md`, and all figures to `out/gallery.html`. This
one is of the runs kept in `results/`; `python -m reproduce.main --publish` writes it,
the tables of the READMEs and `results/` again. Nothing here is written by hand.

"""


def judged(claim: Claim, kept: Kept) -> tuple[str, str]:
    """What was found, and the verdict."""
    missing = [name for name in claim.needs if name not in kept]
    if missing:
        return "", f"{UNCHECKED} the run `{missing[0]}` (`make reproduce-full`)"
    return claim.judge(*(kept[name]["result"] for name in claim.needs))


def counts(kept: Kept) -> dict[str, int]:
    """How many claims have each verdict."""
    tally = collections.Counter(
        judged(claim, kept)[1].partition(" without ")[0]
        for claims in POSTS.values()
        for claim in claims
    )
    verdicts = CONFIRMED, REFUTED, UNCHECKED.removesuffix(" without")
    return {name.replace(" ", "_"): tally[name] for name in verdicts}


def seconds(kept: dict[str, Any]) -> float:
    """What a run says that it took, else the clock."""
    return kept["result"].get("seconds") or kept["wall_seconds"]


def seed(kept: dict[str, Any]) -> int | None:
    """The seed of a run; None where nothing is random."""
    result = kept["result"]
    return result.get("seed", result.get("config", {}).get("seed"))


def row(cells: list[str]) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "".join(map(row, [head, ["---"] * len(head), *rows]))


def claim_row(claim: Claim, kept: Kept) -> str:
    """A claim with what was found, on which data, seed and time."""
    found, verdict = judged(claim, kept)
    runs = [kept[name] for name in claim.needs if name in kept]
    seeds = {str(seed(run)) for run in runs} - {"None"}
    return row(
        [
            claim.says,
            found,
            "; ".join(dict.fromkeys(run["data"] for run in runs if run["data"])),
            ", ".join(sorted(seeds)),
            f"{sum(map(seconds, runs)):,.0f}" if runs else "",
            f"**{verdict}**" if verdict in (CONFIRMED, REFUTED) else verdict,
            ", ".join(f"`{name}`" for name in claim.needs),
        ]
    )


def render(kept: Kept) -> str:
    """The whole file, Markdown."""
    tally = counts(kept)
    parts = [HEAD, "Claims: "]
    parts += [", ".join(f"{n} {name.replace('_', ' ')}" for name, n in tally.items())]
    parts += [".\n"]
    for post, claims in POSTS.items():
        head = ["the post says", "here", "data", "seed", "seconds", "verdict", "runs"]
        parts += [f"\n## {post}\n\n", table(head, [])]
        parts += [claim_row(claim, kept) for claim in claims]
    rows = [
        [
            f"`{name}`",
            f"`{run['command']}`",
            run["data"],
            run["length"],
            f"{seconds(run):,.1f}",
            run["machine"],
        ]
        for name, run in kept.items()
    ]
    head = ["run", "command", "data", "length", "seconds", "machine"]
    return "".join([*parts, "\n## The runs\n\n", table(head, rows)])

"""RESULTS.md and the tables of READMEs and `docs/`, written from kept results alone."""

import collections
import re

from reproduce import post
from reproduce.post import CONFIRMED, REFUTED, UNCHECKED, Claim, Kept
from reproduce.posts import POSTS
from runkit import tables

HEAD = """\
# What the posts claim, and what came out

This file is written from the runs that are kept in `results/`, not by hand.
`make reproduce` (minutes) and `make reproduce-full` (as long as the posts' runs) write
such a file to `out/reproduce/RESULTS.md`, and a page with every figure of every run to
`out/gallery.html`; some figures stand here, too. `python -m reproduce.main --publish`
brings `results/`, this file and the tables of the READMEs and of `docs/` up to date.

"""
# The pages that have tables, each between two marks.
FILES = ["README.md", *(each.readme for each in POSTS)]
FILES += [each.details for each in POSTS if each.tables]
FRONT = ["post", "what you get", "command", "the author", "here"]
BLOCK = re.compile(r"(<!-- results: (\w+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)


def judged(claim: Claim, kept: Kept) -> post.Judgement:
    """Returns what was found, and the verdict."""
    missing = [name for name in claim.needs if name not in kept]
    if missing:
        return "", f"{UNCHECKED} the run `{missing[0]}` (`make reproduce-full`)"
    return claim.judge(*(kept[name]["result"] for name in claim.needs))


def counts(kept: Kept) -> dict[str, int]:
    """Counts the claims that have each verdict."""
    tally = collections.Counter(
        judged(claim, kept)[1].partition(" without ")[0]
        for each in POSTS
        for claim in each.claims
    )
    verdicts = CONFIRMED, REFUTED, UNCHECKED.removesuffix(" without")
    return {name.replace(" ", "_"): tally[name] for name in verdicts}


def summary(kept: Kept) -> str:
    """Words the counts."""
    return ", ".join(
        f"{n} {name.replace('_', ' ')}" for name, n in counts(kept).items()
    )


def claim_row(claim: Claim, kept: Kept) -> list[str]:
    """Makes the row of a claim: what was found, on which data, seed and time."""
    found, verdict = judged(claim, kept)
    runs = [kept[name] for name in claim.needs if name in kept]
    results = [run["result"] for run in runs]
    seeds = {str(r.get("seed", r.get("config", {}).get("seed"))) for r in results}
    return [
        claim.says,
        claim.author,
        found,
        "; ".join(dict.fromkeys(run["data"] for run in runs if run["data"])),
        ", ".join(sorted(seeds - {"None"})),
        f"{sum(map(post.seconds, runs)):,.0f}" if runs else "",
        f"**{verdict}**" if verdict in (CONFIRMED, REFUTED) else verdict,
        ", ".join(f"`{name}`" for name in claim.needs),
    ]


def render(kept: Kept, pictures: bool = True) -> str:
    """Renders the whole of RESULTS.md, with the pictures that the repository keeps."""
    parts = [f"{HEAD}Claims: {summary(kept)}.\n"]
    head = ["the post says", "the author's run", "here"]
    head += ["data", "seed", "seconds", "verdict", "runs"]
    for each in POSTS:
        rows = [claim_row(claim, kept) for claim in each.claims]
        parts += [f"\n## {each.title}\n\n", tables.markdown(head, rows)]
        for file, caption in each.pictures.items() if pictures else ():
            parts.append(f"\n![{caption}]({each.package}/{file})\n\n*{caption}*\n")
    rows = [
        [
            f"`{name}`",
            f"`{run['command']}`",
            run["data"],
            run["length"],
            f"{post.seconds(run):,.1f}",
            run["machine"],
        ]
        for name, run in kept.items()
    ]
    head = ["run", "command", "data", "length", "seconds", "machine"]
    return "".join([*parts, "\n## The runs\n\n", tables.markdown(head, rows)])


def updated(page: str, kept: Kept) -> str:
    """Returns a page with its marked tables as the results have them."""
    return BLOCK.sub(lambda m: m[1] + table(m[2], kept) + m[4], page)


def table(name: str, kept: Kept) -> str:
    """Renders a marked table: "posts", one of a post's, or by package its numbers."""
    if name == "posts":
        return tables.markdown(FRONT, [front_row(each, kept) for each in POSTS])
    for each in POSTS:
        if name == each.package:
            return tables.markdown(FRONT[-2:], [front_row(each, kept)[-2:]])
        if name in each.tables:
            return each.tables[name](kept)
    raise KeyError(name)


def front_row(each: post.Post, kept: Kept) -> list[str]:
    """Makes a row of the front page: a post, what it claims, what came out."""
    results = {name: run["result"] for name, run in kept.items()}
    verdicts = [judged(claim, kept)[1] for claim in each.claims]
    *cells, here = each.front
    return [*cells, here.format(verdicts=verdicts, **results).replace("%", " %")]

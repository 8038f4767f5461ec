"""What a post is here: runs, the claims that they decide, figures and tables."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from reproduce.author import Curve
from runkit import tables

CONFIRMED, REFUTED = "confirmed", "not confirmed"
UNCHECKED = "cannot be checked without"

Result = dict[str, Any]  # the result.json of a run
Kept = dict[str, dict[str, Any]]  # kept results by name, see `store.collect`
Judgement = tuple[str, str]  # what was found here; the verdict


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One command, in each length that it has.

    Attributes:
        name: The name of its folder and of its result.
        command: What follows `python -m`; `{data}` stands for this package's data.
        seconds: Roughly what the short and the full run take on two cores; None where
            it has no run of that length.
        short: Further flags of the short run.
        full: Further flags of the full run.
        pictures: File names of a content and a style picture, for --pictures.
        discard: Pattern of the files that are deleted once it is done.
        may_diverge: Whether a loss that is not finite is a finding, not a failure.
    """

    name: str
    command: str
    seconds: tuple[float | None, float | None] = (3, 3)
    short: str = ""
    full: str = ""
    pictures: str = ""
    discard: str = ""
    may_diverge: bool = False

    def takes(self, length: str) -> float | None:
        """Returns the seconds that a length takes; None where there is none."""
        return self.seconds[length == "full"]

    @property
    def package(self) -> str:
        """The package that it runs."""
        return self.command.split()[0].partition(".")[0]

    @property
    def cores(self) -> int:
        """The number of cores that it keeps busy."""
        busy = ("style_transfer", "inception_mnist", "reproduce")
        return 2 if self.package in busy else 1


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement of a post.

    Attributes:
        says: The statement.
        needs: Names of the experiments that it is judged by.
        judge: Takes their results, in that order.
        author: What the author's own run says, where his notebook was found.
    """

    says: str
    needs: tuple[str, ...]
    judge: Callable[..., Judgement]
    author: str = ""


@dataclasses.dataclass
class Post:
    """A post, to which its module adds claims and tables.

    Attributes:
        title: The post's title.
        readme: The README of its package, relative to the repository.
        front: Its row on the front page; the last cell is a format string over the
            results by name and the list of "verdicts". The last two cells also
            stand in the README.
        experiments: Its runs.
        figures: Captions by "<run>/<file>".
        pictures: Captions of the pictures beside the README that RESULTS.md shows.
        claims: Its statements, in the order of the post.
        tables: Functions from kept results to a table of `details`, by name.
        curves: The author's curves, by the experiment that makes the same run.
    """

    title: str
    readme: str
    front: list[str]
    experiments: list[Experiment]
    figures: dict[str, str]
    claims: list[Claim] = dataclasses.field(default_factory=list)
    tables: dict[str, Callable[[Kept], str]] = dataclasses.field(default_factory=dict)
    curves: dict[str, Curve] = dataclasses.field(default_factory=dict)
    pictures: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def package(self) -> str:
        """The package that runs the post."""
        return self.readme.partition("/")[0]

    @property
    def details(self) -> str:
        """The page with the package's measurements, relative to the repository."""
        return f"docs/{self.package}.md"

    def claim(
        self, says: str, *needs: str, author: str = ""
    ) -> Callable[[Callable], Callable]:
        """Decorates the function that judges a claim by the runs that it needs."""

        def add(judge: Callable[..., Judgement]) -> Callable[..., Judgement]:
            self.claims.append(Claim(says, needs, judge, author))
            return judge

        return add

    def open(self, says: str, what: str, *needs: str) -> None:
        """Adds a claim that cannot be checked here without something."""
        self.claims.append(Claim(says, needs, lambda *results: without(what)))


def without(what: str, found: str = "") -> Judgement:
    """Judges what cannot be checked here."""
    return found, f"{UNCHECKED} {what}"


def verdict(found: str, holds: bool) -> Judgement:
    """Judges by whether the claim holds."""
    return found, CONFIRMED if holds else REFUTED


def used(config: Result, printed: str) -> bool:
    """Whether a run used the settings that the post prints, such as "a=5 b=tanh"."""
    pairs = (each.split("=") for each in printed.split())
    return all(str(config[name]) == value for name, value in pairs)


def settings(same: bool, outcome: str, works: bool = True) -> Judgement:
    """Asks that a run used the settings that the post prints, and that it worked."""
    which = "the same" if same else "other"
    return verdict(f"with {which} settings, {outcome}", same and works)


def percent(share: float, places: int = 2) -> str:
    """Words a share of 1 in percent."""
    return f"{100 * share:.{places}f} %"


def seconds(run: dict[str, Any]) -> float:
    """Returns what a kept run says that it took, or else what the clock said."""
    return run["result"].get("seconds") or run["wall_seconds"]


def rows(kept: Kept, names: str, columns: Sequence[str]) -> list[list[str]]:
    """Makes a table's row of each of the named runs that there are.

    Args:
        kept: Results by name.
        names: Names of the runs, separated by spaces.
        columns: Format strings over what a run's result.json has, its "data", and its
            "flags" but for those that name the data.
    """
    data = ("--corpus=", "--dataset=", "--train_csv=", "--test_csv=", "--weights=")
    cells = []
    for run in (kept[name] for name in names.split() if name in kept):
        flags = [f for f in run["command"].split()[3:] if not f.startswith(data)]
        known = {"seconds": seconds(run), "data": run["data"]} | run["result"]
        known["flags"] = f"`{' '.join(flags)}`" if flags else "(none)"
        cells.append([c.format(**known).replace("%", " %") for c in columns])
    return cells


def run_table(kept: Kept, names: str, columns: dict[str, str]) -> str:
    """Renders the `rows` as a Markdown table under the keys of `columns`."""
    return tables.markdown(list(columns), rows(kept, names, list(columns.values())))

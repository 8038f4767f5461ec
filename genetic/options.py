"""What a command reads, where it runs and what it leaves: all but the algorithm."""

import dataclasses
import os

from runkit.settings import check, setting


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of one command; a `ValueError` names the first that is wrong."""

    problem: str | None = setting(
        None,
        "The problem's file: a table of a spreadsheet, or a file of the OR-Library, of "
        "Glover and Kochenberger or of Pisinger. The default is 36 embedded flights.",
    )
    number: int = setting(1, "Which problem of a file of several, from 1.", low=1)
    minimize: bool = setting(False, "Whether less of the objective is better.")
    tolerance: float = setting(
        0.0, "By how much an equality of a table may be missed.", low=0
    )
    exact: bool = setting(
        False, "Whether to solve the problem with HiGHS too, and print the gap."
    )
    exact_seconds: float = setting(60.0, "The time limit of --exact.", above=0)
    out_dir: str = setting("out/genetic", "The folder of everything that is written.")
    resume: bool = setting(False, "Whether to go on from the checkpoint in --out_dir.")
    runs: int = setting(
        1, "The number of populations, each with a seed of its own.", low=1
    )
    workers: int = setting(
        os.cpu_count() or 1, "The number of processes for --runs.", low=1
    )
    migrants: int = setting(
        0,
        "The number of solutions that the populations of --runs exchange now and then.",
        low=0,
    )
    scheduler: str | None = setting(
        None,
        "The address of a Dask scheduler for --runs, such as tcp://host:8786.",
    )

    def __post_init__(self):
        check(self)
        if self.resume and self.runs > 1:
            raise ValueError("--resume: goes with one run, not with --runs")

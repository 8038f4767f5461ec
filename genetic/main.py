"""Chooses what to take for the most profit within the resources.

By a genetic algorithm, with the exact answer beside it:

    python -m genetic.main                          # the post's airline, embedded
    python -m genetic.main --problem=mine.csv --exact
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

from absl import flags

from genetic.config import Config
from genetic.options import Options
from runkit import settings

settings.define_flags(Options)
settings.define_flags(Config)
flags.DEFINE_multi_string(
    "capacity",
    [],
    "A right-hand side instead of the table's, RESOURCE=NUMBER or RESOURCE=>=NUMBER; "
    "it may be given several times.",
)


def main(argv: list[str]) -> int:
    """Runs the command; returns its exit code."""
    options = Options(**settings.given(Options))
    config = Config(**settings.given(Config))
    from genetic import run

    return run.run(options, config, flags.FLAGS.capacity)


def command() -> None:
    """Runs the command."""
    cli.run(main, "genetic", ("problem", "exact", "scheme", "seconds", "out_dir"))


if __name__ == "__main__":
    command()

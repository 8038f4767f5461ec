"""Regenerate what the posts claim, and say how close it came.

python -m reproduce.main                   within 20 minutes, offline
python -m reproduce.main --length=full     as long as the posts
"""

import contextlib
import importlib.metadata
import os
import pathlib
import platform
import signal
import time

from absl import flags, logging
from tqdm import tqdm

from reproduce import entry, gallery, report, runner, store
from reproduce.config import HERE, LENGTHS, Config
from reproduce.post import Experiment, Kept
from reproduce.posts import EXPERIMENTS

REPOSITORY = HERE.parent
RESULTS, TABLE = "results", "RESULTS.md"

flags.DEFINE_enum("length", Config.length, LENGTHS, "Of the runs: full is the posts'.")
flags.DEFINE_string(
    "text",
    "",
    "In text8's format, or a zip of it. Default: a cached text8, else an embedded one.",
)
flags.DEFINE_string(
    "train_csv", "", "MNIST. Default: one that is cached, else scikit-learn's digits."
)
flags.DEFINE_string("test_csv", "", "The same for the test.")
flags.DEFINE_string(
    "pictures", "", "Folder of the posts' pictures, see README. Default: embedded."
)
flags.DEFINE_list("only", [], "Names of experiments; the others are not run.")
flags.DEFINE_string("out_dir", "out/reproduce", "Folder of runs and results.")
flags.DEFINE_string("gallery", "out/gallery.html", "Page of all figures.")
flags.DEFINE_bool(
    "publish",
    False,
    "Write the repository's results/, RESULTS.md and the tables of its READMEs.",
)
FLAGS = flags.FLAGS


def chosen(length: str, only: list[str]) -> list[Experiment]:
    """The experiments of a length, or those that are named.

    Raises:
        ValueError: a name is not known.
    """
    names = {experiment.name for experiment in EXPERIMENTS}
    for name in only:
        if name not in names:
            raise ValueError(f"--only={name}: choose of {', '.join(sorted(names))}")
    return [
        experiment
        for experiment in EXPERIMENTS
        if experiment.takes(length) and (not only or experiment.name in only)
    ]


def run(config: Config, experiments: list[Experiment], folder: pathlib.Path) -> int:
    """Run what is not done, under a bar of expected time; returns how many failed."""
    takes = {e.name: e.takes(config.length) or 0 for e in experiments}
    done, failed = 0.0, 0
    bar = tqdm(
        total=round(sum(takes.values())),
        unit="s",
        disable=None,
        bar_format="{percentage:3.0f} %|{bar:30}| {n:.0f}/{total} s expected{postfix}",
    )

    def tick(running: dict[str, float]) -> None:
        going = sum(min(takes[name], seconds) for name, seconds in running.items())
        bar.n = min(bar.total, done + going)
        bar.set_postfix_str(" ".join(running), refresh=True)

    outcomes = runner.run(experiments, config, folder, tick)
    with bar, contextlib.closing(outcomes):
        for outcome in outcomes:
            name = outcome.experiment.name
            done += takes[name]
            if outcome.error:
                failed += 1
                logging.error("%s: %s (see %s)", name, outcome.error, folder / name)
            elif outcome.ran:
                logging.info("%s: done", name)
    return failed


def publish(kept: Kept) -> None:
    """Bring the repository's results, RESULTS.md and README tables up to date."""
    for each in kept.values():
        store.keep(each, REPOSITORY / RESULTS)
    results = store.load(REPOSITORY / RESULTS)
    runner.write_whole(REPOSITORY / TABLE, report.render(results))
    for path in report.FILES:
        old = (REPOSITORY / path).read_text()
        runner.write_whole(REPOSITORY / path, report.updated(old, results))


def main(_) -> int:
    """Returns the exit code: 1 if an experiment failed."""
    began = time.monotonic()
    config = Config(
        FLAGS.length, FLAGS.text, FLAGS.train_csv, FLAGS.test_csv, FLAGS.pictures
    )
    experiments = chosen(config.length, FLAGS.only)
    entry.make_folder(FLAGS.out_dir)
    out = pathlib.Path(FLAGS.out_dir).resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    failed = run(config, experiments, out / config.length)
    for experiment in experiments:
        kept = store.collect(experiment, config, out / config.length / experiment.name)
        if kept:
            store.keep(kept, out / RESULTS)
    results = store.load(out / RESULTS)
    runner.write_whole(out / TABLE, report.render(results))
    page = pathlib.Path(FLAGS.gallery)
    runner.write_whole(page, gallery.render(results, out))
    if FLAGS.publish:
        publish(results)
    verdicts = report.counts(results)
    summary = {
        "config": vars(config),
        "seed": 0,
        "versions": {
            "tensorflow": importlib.metadata.version("tensorflow"),
            "python": platform.python_version(),
        },
        "metrics": verdicts | {"failed": failed},
        "seconds": round(time.monotonic() - began, 1),
    }
    runner.write_json(out / "result.json", store.bare(summary))
    for name, count in verdicts.items():
        logging.info("%3d claims %s", count, name.replace("_", " "))
    logging.info("%s and %s", os.path.join(FLAGS.out_dir, TABLE), page)
    return int(failed > 0)


if __name__ == "__main__":
    entry.run(main)

"""Regenerate what the posts claim, and say how close it came.

python -m reproduce.main                   takes 20 minutes, offline
python -m reproduce.main --length=full     takes as long as the posts
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import contextlib
import pathlib
import time

from absl import flags, logging

from reproduce import gallery, report, runner, store
from reproduce.config import HERE, Config
from reproduce.post import Experiment, Kept
from reproduce.posts import CURVES, POSTS
from runkit import exits, files, progress, settings

REPOSITORY = HERE.parent
RESULTS, TABLE, FIGURE, KEPT = "results", "RESULTS.md", "author.png", "kept"

flags.DEFINE_string("out_dir", "out/reproduce", "Folder of the runs and their results.")
flags.DEFINE_string("gallery", "out/gallery.html", "Page that shows all figures.")
flags.DEFINE_bool(
    "publish",
    False,
    "Write the results into this clone of the repository: results/, RESULTS.md and the "
    "tables of the READMEs.",
)
settings.define_flags(Config)
FLAGS = flags.FLAGS


def run(config: Config, experiments: list[Experiment], folder: pathlib.Path) -> int:
    """Runs what is not done, under a bar of expected time; returns how many failed."""
    takes = {each.name: each.takes(config.length) or 0 for each in experiments}
    done, failed, total = 0.0, 0, int(sum(takes.values()))

    def tick(running: dict[str, float]) -> None:
        going = sum(min(takes[name], seconds) for name, seconds in running.items())
        bar.update(min(int(done + going), total - 1), " ".join(running))

    outcomes = runner.run(experiments, config, folder, tick)
    bar = progress.Bar(total, "second")
    with bar, contextlib.closing(outcomes):
        for experiment, error, ran in outcomes:
            done += takes[experiment.name]
            if error:
                failed += 1
                bar.write(
                    f"{experiment.name}: {error} (see {folder}/{experiment.name})"
                )
            elif ran:
                bar.write(f"{experiment.name}: done")
        bar.update(total)
    return failed


def draw_kept(experiments: list[Experiment], folder: pathlib.Path) -> None:
    """Draws the author's curves beside those that `results/` keeps, before any run."""
    names = CURVES.keys() & {experiment.name for experiment in experiments}
    known = store.load(REPOSITORY / RESULTS) if names else {}
    if kept := {name: known[name] for name in names & known.keys()}:
        store.draw(kept, lambda name: folder / f"{name}_{FIGURE}")
        logging.info("%s: the author's curves, beside those of kept runs", folder)


def publish(kept: Kept) -> None:
    """Brings the repository's results, RESULTS.md and README tables up to date."""
    for each in kept.values():
        store.keep(each, REPOSITORY / RESULTS)
    results = store.load(REPOSITORY / RESULTS)
    readmes = {name: post.readme for post in POSTS for name in post.curves}
    store.draw(results, lambda n: (REPOSITORY / readmes[n]).with_name(f"{n}_{FIGURE}"))
    files.write_text(REPOSITORY / TABLE, report.render(results))
    for path in report.FILES:
        old = (REPOSITORY / path).read_text()
        files.write_text(REPOSITORY / path, report.updated(old, results))


def main(_: list[str]) -> int:
    """Returns the exit code."""
    began = time.monotonic()
    config = Config(**settings.given(Config))
    experiments = config.experiments()
    if FLAGS.publish and not (REPOSITORY / TABLE).exists():
        raise ValueError(
            f"--publish: {REPOSITORY} is no clone of the repository: run it in one"
        )
    files.make_folder(FLAGS.out_dir)
    out, page = pathlib.Path(FLAGS.out_dir).resolve(), pathlib.Path(FLAGS.gallery)
    files.make_folder(str(page.parent), "gallery")
    draw_kept(experiments, out / KEPT)
    failed = run(config, experiments, out / config.length)
    for experiment in experiments:
        kept = store.collect(experiment, config, out / config.length / experiment.name)
        if kept:
            store.keep(kept, out / RESULTS)
    results = store.load(out / RESULTS)
    store.draw(results, lambda name: out / results[name]["length"] / name / FIGURE)
    files.write_text(out / TABLE, report.render(results, pictures=False))
    files.write_text(page, gallery.render(results, out))
    if FLAGS.publish:
        publish(results)
    seconds = round(time.monotonic() - began, 1)
    metrics = {**report.counts(results), "failed": failed, "seconds": seconds}
    files.write_result(out, store.bare(vars(config)), metrics)
    logging.info("claims: %s", report.summary(results))
    logging.info("%s and %s", out / TABLE, page)
    return exits.FAILED if failed else exits.DONE


def command() -> None:
    """Runs the command."""
    cli.run(main, "reproduce", ("length", "only", "text", "pictures", "out_dir"))


if __name__ == "__main__":
    command()

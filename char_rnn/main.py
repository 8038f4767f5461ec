"""Teach a vanilla recurrent network to write, a character at a time.

python -m char_rnn.main                            # the post's Arch 1, as it was
python -m char_rnn.main --recipe=modern            # the same sizes, trained better
python -m char_rnn.main --arch=2 --noteacher_forcing
python -m char_rnn.main --corpus=mine.txt --alphabet=corpus --recipe=modern
python -m char_rnn.main --distribute=multiworker   # on each machine of TF_CONFIG
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import os
from typing import Any

from absl import flags, logging

from char_rnn.config import RECIPES, Config
from runkit import settings, training

NETWORK = ("arch", "combine", "activation", "num_nodes")  # what --init_from decides

flags.DEFINE_string(
    "corpus",
    "auto",
    "Text to learn from: text8, embedded (seven novels), or the path of a file or "
    "folder, or several with commas. The default, auto, takes text8 if it is cached or "
    "arrives, else embedded.",
)
flags.DEFINE_string(
    "valid_corpus",
    "",
    "Path of a text to validate on, in place of a twentieth of --corpus.",
)
flags.DEFINE_string(
    "encoding",
    "",
    "Encoding of the files. By default a byte order mark decides, else it is UTF-8.",
)
flags.DEFINE_enum(
    "alphabet",
    "strict",
    ("strict", "clean", "corpus"),
    "strict refuses all but the post's 27 characters; clean makes the text fit them as "
    "text8 was made; corpus takes the text's own characters.",
)
flags.DEFINE_string(
    "init_from",
    "",
    "Folder of a trained model to begin with, in a new --out_dir. Steps, learning "
    "rate, batch and text may be others; the network's form is the model's.",
)
flags.DEFINE_integer(
    "report_every",
    0,
    "Number of steps between two validations, each with a sample; 0 means a twentieth "
    "of all steps. There are a few more at the beginning.",
    lower_bound=0,
)
training.define_flags("out/char_rnn", checkpoint_seconds=5.0, threads=1)
settings.define_flags(
    Config,
    {f"{recipe}, Arch {arch}": RECIPES[recipe, arch] for recipe, arch in RECIPES},
)
FLAGS = flags.FLAGS


def read_settings() -> tuple[Config, str, dict[str, Any]]:
    """Reads the settings from the flags and from the model of --init_from.

    Returns:
        The settings, and that model's alphabet and weights ("" and {} without one).
    """
    given = settings.given(Config)
    if not FLAGS.init_from:
        return Config.of_recipe(**given), "", {}
    from char_rnn import checkpoint

    if os.path.realpath(FLAGS.init_from) == os.path.realpath(FLAGS.out_dir):
        raise ValueError(f"--init_from={FLAGS.init_from}: --out_dir must be another")
    model, alphabet, weights = checkpoint.load_model(FLAGS.init_from)
    for name in NETWORK:
        value = getattr(model, name)
        if FLAGS[name].present and given[name] != value:
            raise ValueError(
                f"--{name}={given[name]}: the model of --init_from has {value}"
            )
        given[name] = value
    return Config.of_recipe(**given), alphabet, weights


def main(_) -> int:
    """Trains; returns the exit code."""
    config, known, initial = read_settings()
    with training.launch("char_rnn") as launched:
        from char_rnn import corpus as corpus_lib

        corpus = corpus_lib.load_for_command(
            FLAGS.corpus,
            alphabet=FLAGS.alphabet,
            encoding=FLAGS.encoding,
            valid=FLAGS.valid_corpus,
            known=known,
        )
        alike = config, corpus.digest(), FLAGS.resume, FLAGS.report_every
        strategy = launched.connect(repr(alike))
        from char_rnn.record import Recorder

        recorder = Recorder(
            FLAGS.out_dir,
            config,
            corpus,
            FLAGS.report_every,
            FLAGS.checkpoint_seconds,
            initial,
            strategy,
            launched.is_chief,
        )
        stopped = training.follow(launched, recorder, config.steps)
        if launched.is_chief:
            logging.info("step %d; measuring", recorder.trainer.step)
            metrics = recorder.finish(stopped)
            logging.info(
                "validation %.3f bits/character, n-grams %s; now: python -m "
                "char_rnn.sample --checkpoint=%s",
                metrics["valid_bpc"],
                metrics["ngram_valid_bpc"],
                FLAGS.out_dir,
            )
    return cli.INTERRUPTED if stopped else cli.DONE


def command() -> None:
    """Runs the command."""
    cli.run(main, "char_rnn", ("corpus", "alphabet", "recipe", "steps", "out_dir"))


if __name__ == "__main__":
    command()

"""Teach a vanilla recurrent network to write, a character at a time.

python -m char_rnn.main                            # the post's Arch 1, as it was
python -m char_rnn.main --recipe=modern            # the same sizes, trained better
python -m char_rnn.main --arch=2 --noteacher_forcing
python -m char_rnn.main --distribute=multiworker   # on each machine of TF_CONFIG
"""

import functools
import os
import signal

from absl import flags, logging

from char_rnn import cluster, entry, meeting
from char_rnn import config as config_lib
from char_rnn.config import Config

DEFAULT = Config()


def of_recipe(name: str) -> str:
    """The defaults of a setting that the recipes decide, for its help."""
    values = {key: settings[name] for key, settings in config_lib.DEFAULTS.items()}
    listed = (f"{recipe} {arch}: {value}" for (recipe, arch), value in values.items())
    return "Default, by recipe and architecture: " + ", ".join(listed) + "."


flags.DEFINE_string(
    "corpus",
    "auto",
    "What to learn from: text8, embedded (Python's own documentation), a text or zip "
    "file; auto is text8 if it is cached or arrives, else embedded.",
)
flags.DEFINE_enum(
    "alphabet",
    "strict",
    config_lib.ALPHABETS,
    "strict: the post's 27 characters, all others refused; clean: made to fit them as "
    "text8 was; corpus: the file's own characters.",
)
flags.DEFINE_string("out_dir", "out/char_rnn", "Folder of everything written.")
flags.DEFINE_bool("resume", True, "Go on from the checkpoint in out_dir, if any.")
flags.DEFINE_integer(
    "report_every",
    0,
    "Steps between validations and samples, a few early ones apart; 0: a twentieth.",
    lower_bound=0,
)
flags.DEFINE_float("checkpoint_seconds", 5.0, "Between checkpoints.", lower_bound=0.0)
flags.DEFINE_integer(
    "threads", 1, "Of TensorFlow; small networks are fastest on one.", lower_bound=1
)
flags.DEFINE_enum(
    "distribute",
    "none",
    ("none", "mirrored", "multiworker"),
    "mirrored: on several devices of this machine; multiworker: on those of all "
    "machines that the environment's TF_CONFIG lists, each of which runs this command. "
    "--batch_size is always that of all together.",
)
flags.DEFINE_integer(
    "devices",
    0,
    "Of mirrored: so many GPUs, 0: all; without a GPU, so many parts of the CPU.",
    lower_bound=0,
)
flags.DEFINE_float(
    "connect_seconds",
    60.0,
    "Of multiworker: how long to wait for the others at the start.",
    lower_bound=0.0,
)
flags.DEFINE_enum(
    "recipe",
    DEFAULT.recipe,
    config_lib.RECIPES,
    "Where the settings below that are not given come from: the post, or the best "
    "found since.",
)
flags.DEFINE_integer(
    "arch", DEFAULT.arch, "1 feeds its hidden layer back, 2 its output."
)
flags.DEFINE_enum(
    "combine",
    None,
    config_lib.COMBINES,
    "How x U and s W are joined. " + of_recipe("combine"),
)
flags.DEFINE_enum(
    "loss",
    DEFAULT.loss,
    config_lib.LOSSES,
    "squared: of the probabilities, which the post warns of.",
)
flags.DEFINE_bool(
    "teacher_forcing", DEFAULT.teacher_forcing, "Arch 2 learns on the right outputs."
)
flags.DEFINE_bool(
    "plain", DEFAULT.plain, "Compute step by step, not by tables: slower, same numbers."
)
flags.DEFINE_bool(
    "as_printed", DEFAULT.as_printed, "Arch 2 with the post's stale batch and sampler."
)
flags.DEFINE_enum(
    "activation",
    None,
    config_lib.ACTIVATIONS,
    "Of the hidden layer. " + of_recipe("activation"),
)
flags.DEFINE_integer(
    "num_nodes", None, "n: width of U and W. " + of_recipe("num_nodes")
)
flags.DEFINE_integer(
    "num_unrollings", None, "T: characters a window. " + of_recipe("num_unrollings")
)
flags.DEFINE_integer(
    "batch_size", None, "B: streams of text read at once. " + of_recipe("batch_size")
)
flags.DEFINE_float("clip_norm", DEFAULT.clip_norm, "Ceiling of the gradients' norm.")
flags.DEFINE_enum(
    "optimizer",
    None,
    config_lib.OPTIMIZERS,
    "sgd is the post's. " + of_recipe("optimizer"),
)
flags.DEFINE_float(
    "learning_rate", None, "At the first step. " + of_recipe("learning_rate")
)
flags.DEFINE_enum(
    "schedule",
    None,
    config_lib.SCHEDULES,
    "How the rate falls. " + of_recipe("schedule"),
)
flags.DEFINE_integer(
    "decay_steps", None, "Of the staircase, steps a stair. " + of_recipe("decay_steps")
)
flags.DEFINE_float(
    "decay_rate",
    None,
    "Of the staircase, the factor of a stair. " + of_recipe("decay_rate"),
)
flags.DEFINE_enum(
    "initialization",
    None,
    config_lib.INITIALIZATIONS,
    "Of U, W and V. " + of_recipe("initialization"),
)
flags.DEFINE_integer("steps", None, "Windows to train on. " + of_recipe("steps"))
flags.DEFINE_integer(
    "seed", DEFAULT.seed, "Settles the initial values and the samples."
)
FLAGS = flags.FLAGS


def connect(workers: cluster.Cluster | None, listener, purpose: str):
    """What makes the trainer, when all devices of all machines are connected."""
    if FLAGS.distribute == "none":
        from char_rnn.train import Trainer

        return Trainer
    from char_rnn import distribute

    if workers is None:
        strategy = distribute.mirrored(FLAGS.devices)
        return functools.partial(distribute.DistributedTrainer, strategy=strategy)
    strategy = distribute.multiworker(workers, listener, purpose, FLAGS.connect_seconds)
    return functools.partial(
        distribute.DistributedTrainer, strategy=strategy, is_chief=workers.is_chief
    )


def prepare():
    """Everything that can be a mistake of the user happens here, before any work.

    Returns:
        The settings, the recorder, and what to call when the workers may part.
    """
    config = Config(**{name: FLAGS[name].value for name in Config.__dataclass_fields__})
    if FLAGS.devices and FLAGS.distribute != "mirrored":
        raise ValueError(f"--devices={FLAGS.devices}: goes with --distribute=mirrored")
    workers = listener = None
    if FLAGS.distribute == "multiworker":
        workers = cluster.parse(os.environ.get("TF_CONFIG"))
        listener = meeting.bind(workers)
    if workers and not workers.is_chief:
        logging.set_verbosity(logging.WARNING)
    else:
        entry.make_folder(FLAGS.out_dir)
    corpus = entry.load_corpus(FLAGS.corpus, FLAGS.alphabet)
    if workers:
        logging.info(
            "waiting up to %g seconds for %s",
            FLAGS.connect_seconds,
            ", ".join(workers.others()) or "nobody",
        )
    alike = repr((config, corpus.digest(), FLAGS.resume, FLAGS.report_every))
    make_trainer = entry.start_tensorflow(
        FLAGS.threads, functools.partial(connect, workers, listener, alike)
    )
    release = meeting.watch(workers, entry.give_up) if workers else lambda: None
    from char_rnn import record

    recorder = record.Recorder(
        FLAGS.out_dir,
        config,
        corpus,
        FLAGS.report_every,
        FLAGS.checkpoint_seconds,
        make_trainer,
    )
    if FLAGS.resume:
        note = recorder.resume()
        if note:
            logging.warning("%s", note)
        elif recorder.trainer.step:
            logging.info("going on from step %d", recorder.trainer.step)
    return config, recorder, release


def train(config: Config, recorder, release) -> bool:
    """Train to the end, with a bar; returns whether Ctrl-C ended it before.

    Ctrl-C or SIGTERM on one machine ends the run on all; `release` is called when the
    workers may part.
    """
    from tqdm import tqdm

    interrupted = stopped = False

    def stop(number, frame):
        """Ends the run after this call, so that the state is whole."""
        nonlocal interrupted
        interrupted = True
        signal.signal(number, signal.SIG_DFL)  # a second one does not wait

    signals = signal.SIGINT, signal.SIGTERM
    before = [signal.signal(number, stop) for number in signals]
    trainer = recorder.trainer
    with tqdm(
        total=config.steps,
        initial=trainer.step,
        unit="step",
        disable=None if trainer.is_chief else True,
    ) as bar:
        for progress in recorder.run():
            bar.update(progress.step - bar.n)
            bar.set_postfix_str(recorder.speedometer(progress), refresh=False)
            if recorder.news:
                tqdm.write(recorder.news)
            stopped = trainer.any(interrupted)
            if stopped:
                break
    release()
    recorder.save()
    for number, handler in zip(signals, before, strict=True):
        signal.signal(number, handler)
    return stopped


def main(_) -> int:
    """Returns the exit code: 0, or 130 for Ctrl-C, which saves first."""
    config, recorder, release = prepare()
    stopped = train(config, recorder, release)
    if recorder.trainer.is_chief:
        logging.info("step %d; measuring", recorder.trainer.step)
        metrics = recorder.finish(stopped)
        logging.info(
            "validation %.3f bits/character, n-grams %s; now: python -m "
            "char_rnn.sample --checkpoint=%s",
            metrics["valid_bpc"],
            metrics["ngram_valid_bpc"],
            FLAGS.out_dir,
        )
    return 130 if stopped else 0


if __name__ == "__main__":
    entry.run(main)

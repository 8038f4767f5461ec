"""Teach a vanilla recurrent network to write, a character at a time.

python -m char_rnn.main                            # the post's Arch 1, as it was
python -m char_rnn.main --recipe=modern            # the same sizes, trained better
python -m char_rnn.main --arch=2 --noteacher_forcing
"""

import contextlib
import os
import signal
import sys

from absl import app, flags, logging

from char_rnn import config as config_lib
from char_rnn.config import Config

DEFAULT = Config()

flags.DEFINE_string(
    "corpus",
    "auto",
    "What to learn from: text8, embedded (Python's own documentation), a text or zip "
    "file; auto is text8 if it is cached or arrives, else embedded.",
)
flags.DEFINE_enum(
    "alphabet",
    "strict",
    ("strict", "clean", "corpus"),
    "strict: the post's 27 characters, all others refused; clean: made to fit them as "
    "text8 was; corpus: the file's own characters.",
)
flags.DEFINE_string("out_dir", "out/char_rnn", "Folder of everything written.")
flags.DEFINE_bool("resume", True, "Go on from the checkpoint in out_dir, if any.")
flags.DEFINE_integer(
    "report_every", 0, "Steps between validations and samples; 0: twenty in all."
)
flags.DEFINE_integer("threads", 1, "Of TensorFlow; small networks are fastest on one.")
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
    "combine", DEFAULT.combine, config_lib.COMBINES, "How x U and s W are joined."
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
flags.DEFINE_enum("activation", None, config_lib.ACTIVATIONS, "Of the hidden layer.")
flags.DEFINE_integer("num_nodes", None, "n: width of U and W.")
flags.DEFINE_integer("num_unrollings", None, "T: characters a window.")
flags.DEFINE_integer("batch_size", None, "B: streams of text read at once.")
flags.DEFINE_float("clip_norm", DEFAULT.clip_norm, "Ceiling of the gradients' norm.")
flags.DEFINE_enum("optimizer", None, config_lib.OPTIMIZERS, "sgd is the post's.")
flags.DEFINE_float("learning_rate", None, "At the first step.")
flags.DEFINE_enum("schedule", None, config_lib.SCHEDULES, "How the rate falls.")
flags.DEFINE_integer("decay_steps", None, "Of the staircase, steps a stair.")
flags.DEFINE_float("decay_rate", None, "Of the staircase, the factor of a stair.")
flags.DEFINE_enum("initialization", None, config_lib.INITIALIZATIONS, "Of U, W and V.")
flags.DEFINE_integer("steps", None, "Windows to train on.")
flags.DEFINE_integer(
    "seed", DEFAULT.seed, "Settles the initial values and the samples."
)
FLAGS = flags.FLAGS


@contextlib.contextmanager
def quiet_stderr():
    """Drops what native code writes to stderr; exceptions still pass."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def load_corpus():
    """The text that the flags name, telling of a download and of a choice made."""
    from tqdm import tqdm

    from char_rnn import text

    bar = None

    def progress(have: int, size: int) -> None:
        nonlocal bar
        bar = bar or tqdm(total=size, unit="B", unit_scale=True, disable=None)
        bar.update(have - bar.n)

    corpus = text.load(FLAGS.corpus, FLAGS.alphabet, progress)
    if bar:
        bar.close()
    if corpus.note:
        logging.warning("%s", corpus.note)
    logging.info(
        "%s: %d characters of %d kinds",
        corpus.name,
        len(corpus.ids),
        len(corpus.alphabet),
    )
    return corpus


def prepare():
    """Everything that can be a mistake of the user happens here, before any work."""
    config = Config(**{name: FLAGS[name].value for name in Config.__dataclass_fields__})
    if FLAGS.report_every < 0 or FLAGS.threads < 1:
        raise ValueError("--report_every and --threads: at least 0 and 1")
    os.makedirs(FLAGS.out_dir, exist_ok=True)
    if not os.access(FLAGS.out_dir, os.W_OK):
        raise PermissionError(f"--out_dir={FLAGS.out_dir}: no permission to write")
    corpus = load_corpus()
    with quiet_stderr():  # some of TensorFlow's greetings obey no setting
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
        tf.config.list_logical_devices()
    from char_rnn import record

    recorder = record.Recorder(FLAGS.out_dir, config, corpus, FLAGS.report_every)
    if FLAGS.resume:
        note = recorder.resume()
        if note:
            logging.warning("%s", note)
        elif recorder.trainer.step:
            logging.info("going on from step %d", recorder.trainer.step)
    return config, recorder


def train(config: Config, recorder) -> bool:
    """Train to the end, with a bar; returns whether Ctrl-C ended it before."""
    from tqdm import tqdm

    stopped = False

    def stop(number, frame):
        """Ends the run after this call, so that the state is whole."""
        nonlocal stopped
        stopped = True
        signal.signal(number, signal.SIG_DFL)  # a second one does not wait

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    step = recorder.trainer.step
    with tqdm(total=config.steps, initial=step, unit="step", disable=None) as bar:
        for progress in recorder.run():
            bar.update(progress.step - bar.n)
            bar.set_postfix_str(recorder.speedometer(progress), refresh=False)
            if recorder.news:
                tqdm.write(recorder.news)
            if stopped:
                break
    recorder.save()
    return stopped


def main(argv: list[str]) -> int:
    """Returns the exit code: 2 for bad input or a diverged run, 130 for Ctrl-C."""
    try:
        if argv[1:]:
            raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
        config, recorder = prepare()
        stopped = train(config, recorder)
        recorder.finish(stopped)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"char_rnn: {error}", file=sys.stderr)
        return 2
    return 130 if stopped else 0


def parse(argv: list[str]) -> list[str]:
    """Flags, with one line and exit code 2 for a wrong one."""
    try:
        return FLAGS(argv)
    except flags.Error as error:
        print(f"char_rnn: {error}: see --helpshort", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.set_verbosity(logging.INFO)
    try:
        app.run(main, flags_parser=parse)
    except KeyboardInterrupt:
        sys.exit(130)

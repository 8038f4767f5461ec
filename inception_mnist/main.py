"""Train the post's network on handwritten digits, and say how good it is.

python -m inception_mnist.main                     # the post's network, as it was
python -m inception_mnist.main --recipe=modern     # the same modules, in minutes
python -m inception_mnist.main --train_csv=mnist_train.csv --test_csv=mnist_test.csv
python -m inception_mnist.main --distribute=multiworker   # on each machine of TF_CONFIG
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import concurrent.futures
import dataclasses
import functools
import hashlib
import multiprocessing
import os
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from inception_mnist.config import DATASETS, RECIPES, Config
from runkit import settings, start, training

if TYPE_CHECKING:
    from inception_mnist.data import Digits

NAME = "inception_mnist"
FLAGS = flags.FLAGS


def define_flags() -> None:
    """Declare the flags."""
    flags.DEFINE_enum(
        "dataset",
        "auto",
        DATASETS,
        "Source of the images: csv reads the files below, tfds gets MNIST by "
        "TensorFlow Datasets, digits are scikit-learn's 1,797 (not MNIST); auto takes "
        "the files if they are given, else an MNIST that is at hand, else digits.",
    )
    flags.DEFINE_string(
        "train_csv",
        None,
        "Training images: a csv file, plain or gzip, with a label and 784 pixels in a "
        "row; an idx file of images; or a folder with a folder of pictures for each "
        "class.",
    )
    flags.DEFINE_string("test_csv", None, "Test images, in one of the same forms.")
    flags.DEFINE_string(
        "valid_csv",
        None,
        "Validation images; by default they are the last --valid_size training images.",
    )
    flags.DEFINE_string(
        "init_from",
        None,
        "Trained network to begin with: the folder of a run, or a file of weights in "
        "it. Steps, rate, batch and images may be others.",
    )
    flags.DEFINE_integer("valid_every", 100, "Steps between validations.", 1)
    flags.DEFINE_bool(
        "low_memory",
        False,
        "Give memory back to the system at once, which takes time; for the dense head "
        "where memory is short, on processors that TensorFlow has oneDNN for.",
    )
    training.define_flags("out/inception_mnist", checkpoint_seconds=30, threads=0)
    settings.define_flags(Config, RECIPES)


def load_quietly(threads: int, config: Config, *sources: str | None) -> "Digits":
    """Load the images; TensorFlow Datasets would start TensorFlow, loudly."""
    from inception_mnist import data

    dataset, train, test, valid = sources
    if dataset in ("auto", "tfds") and not (train or test or valid):
        start.tensorflow(threads)
    return data.load(
        dataset or "auto", train, test, classes=config.classes, valid_csv=valid
    )


def load_digits(config: Config) -> "Digits":
    """Load the images that the flags name, and log what was chosen."""
    sources = FLAGS.dataset, FLAGS.train_csv, FLAGS.test_csv, FLAGS.valid_csv
    if FLAGS.distribute == "none" or any(sources[1:]) or FLAGS.dataset == "digits":
        digits = load_quietly(FLAGS.threads, config, *sources)
    else:  # devices are connected before TensorFlow runs: it runs elsewhere
        process = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, process) as pool:
            task = pool.submit(load_quietly, FLAGS.threads, config, *sources)
            digits = task.result()
    if digits.note:
        logging.warning("%s", digits.note)
    sizes = len(digits.train_labels), len(digits.test_labels)
    logging.info("%s: %d training and %d test images", digits.name, *sizes)
    return digits


def read_settings() -> tuple[Config, "Digits"]:
    """Return the settings and the images; classes may have their folders' names."""
    given = settings.given(Config)
    config = Config.of_recipe(**given)
    digits = load_digits(config)
    if names := digits.class_names:
        if given.get("classes", len(names)) != len(names):
            raise ValueError(
                f"--classes={config.classes}: {FLAGS.train_csv} has {len(names)}"
            )
        names = config.class_names or names
        config = dataclasses.replace(config, classes=len(names), class_names=names)
    return config, digits


def make_recorder(launched: training.Launch, config: Config, digits: "Digits"):
    """Start TensorFlow; return what follows the run."""
    from inception_mnist import data

    images = data.digest(digits.train_images, digits.train_labels)
    purpose = repr((config, images, FLAGS.resume, bool(FLAGS.init_from)))
    strategy = launched.connect(hashlib.sha256(purpose.encode()).hexdigest())
    from inception_mnist import distribute, record
    from inception_mnist.training import Trainer

    trainer: Any = Trainer
    if strategy:
        trainer = functools.partial(
            distribute.DistributedTrainer,
            strategy=strategy,
            is_chief=launched.is_chief,
        )
    times = FLAGS.valid_every, FLAGS.checkpoint_seconds
    given = FLAGS.out_dir, config, digits, *times, trainer, FLAGS.init_from
    return record.Recorder(*given)


def main(_) -> int:
    """Train and measure; Ctrl-C saves first, and is told by the exit code."""
    if FLAGS.low_memory:  # before TensorFlow starts
        os.environ["TF_ONEDNN_USE_SYSTEM_ALLOCATOR"] = "1"
    with training.launch(NAME) as launched:
        config, digits = read_settings()
        recorder = make_recorder(launched, config, digits)
        stopped = training.follow(launched, recorder, config.steps)
        if launched.is_chief:
            logging.info("step %d; measuring", recorder.trainer.step)
            metrics = recorder.finish(stopped)
            logging.info(
                "%s: validation %.2f %%, test %.2f %%%s; now: python -m "
                "inception_mnist.predict --checkpoint=%s image.png",
                digits.name,
                100 * metrics["valid_accuracy"],
                100 * metrics["test_accuracy"],
                " (the post: 98.5 %)" if digits.is_mnist else "",
                FLAGS.out_dir,
            )
    return cli.INTERRUPTED if stopped else cli.DONE


def command() -> None:
    """Runs the command."""
    define_flags()
    cli.run(main, NAME, first=("recipe", "train_csv", "test_csv", "steps", "out_dir"))


if __name__ == "__main__":
    command()

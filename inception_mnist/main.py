"""Train the post's network on handwritten digits, and say how good it is.

python -m inception_mnist.main                     # the post's network, as it was
python -m inception_mnist.main --recipe=modern     # the same modules, in minutes
python -m inception_mnist.main --train_csv=mnist_train.csv --test_csv=mnist_test.csv
python -m inception_mnist.main --distribute=multiworker   # on each machine of TF_CONFIG
"""

import concurrent.futures
import functools
import multiprocessing
import os
import signal

from absl import flags, logging

from inception_mnist import cluster, data, entry, meeting
from inception_mnist import config as config_lib
from inception_mnist.config import Config


def of_recipe(name: str) -> str:
    """The defaults of a setting that the recipes decide, for its help."""
    values = {key: settings[name] for key, settings in config_lib.DEFAULTS.items()}
    if len(set(values.values())) == 1:
        return f"Default: {values.popitem()[1]}."
    listed = (f"{recipe} {head}: {value}" for (recipe, head), value in values.items())
    return "Default, by recipe and head: " + ", ".join(listed) + "."


def choice(name: str, text: str) -> None:
    """Declare a flag with the values of `config.CHOICES`."""
    flags.DEFINE_enum(name, getattr(Config, name), config_lib.CHOICES[name], text)


def choice_of_recipe(name: str, text: str) -> None:
    """The same of a setting that the recipes decide."""
    values = config_lib.CHOICES[name]
    flags.DEFINE_enum(name, None, values, f"{text} {of_recipe(name)}")


flags.DEFINE_enum(
    "dataset",
    "auto",
    data.DATASETS,
    "csv: the files below; tfds: MNIST by TensorFlow Datasets; digits: scikit-learn's "
    "1,797, not MNIST; auto: the files if given, else a cached MNIST, else digits.",
)
flags.DEFINE_string("train_csv", None, "Rows of a label and 784 pixels; plain or .gz.")
flags.DEFINE_string("test_csv", None, "The same for the test.")
flags.DEFINE_string("out_dir", "out/inception_mnist", "Folder of everything written.")
flags.DEFINE_bool(
    "resume",
    True,
    "Go on from the checkpoint in out_dir, if any (the post's use_previous).",
)
flags.DEFINE_integer("valid_every", 100, "Steps between validations.", lower_bound=1)
flags.DEFINE_float(
    "checkpoint_seconds",
    30.0,
    "Between checkpoints; more where writing them takes long.",
    lower_bound=0.0,
)
flags.DEFINE_integer("threads", 0, "Of TensorFlow; 0: one a core.", lower_bound=0)
flags.DEFINE_bool(
    "low_memory",
    False,
    "Give memory back to the system at once, which takes time: for the dense head "
    "where memory is short. For processors that TensorFlow has oneDNN for.",
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
choice(
    "recipe",
    "Where the settings below that are not given come from: the post, or the best "
    "found since.",
)
flags.DEFINE_enum(
    "head",
    None,
    config_lib.CHOICES["head"],
    "dense: the post's, 140 million parameters; gap: global average pooling before it. "
    "Default, by recipe: post: dense, modern: gap.",
)
choice("module", "With 1x1 reductions (post, Figure 3) or without (Figure 4).")
choice("precision", "Of the large products; auto: bfloat16 where the processor has it.")
flags.DEFINE_integer("map1", Config.map1, "Maps of each branch of the first module.")
flags.DEFINE_integer("map2", Config.map2, "Maps of each branch of the second module.")
flags.DEFINE_integer(
    "reduce1x1", Config.reduce1x1, "Maps of each 1x1 before a large convolution."
)
flags.DEFINE_integer("hidden", Config.hidden, "Nodes of the hidden layer.")
flags.DEFINE_float("dropout", Config.dropout, "Share of hidden nodes dropped.")
flags.DEFINE_integer(
    "valid_size", Config.valid_size, "Last training images kept for validation."
)
flags.DEFINE_integer("test_batch_size", Config.test_batch_size, "Images a test batch.")
choice_of_recipe("normalization", "Of the maps of each module.")
flags.DEFINE_integer(
    "pool", None, "Stride of a max pooling between the modules. " + of_recipe("pool")
)
choice_of_recipe("pixels", "Of the network's input: 0 to 255 or 0 to 1.")
flags.DEFINE_bool(
    "shuffle", None, "Else the post's windows in file order. " + of_recipe("shuffle")
)
choice_of_recipe("augmentation", "affine turns, scales, shears and shifts a little.")
choice_of_recipe("initialization", "As the post's code has it, or He's.")
flags.DEFINE_float("learning_rate", None, "The highest. " + of_recipe("learning_rate"))
choice_of_recipe("schedule", "Of the learning rate.")
flags.DEFINE_float("weight_decay", None, "Of kernels. " + of_recipe("weight_decay"))
flags.DEFINE_float(
    "average",
    None,
    "Decay of the weights' moving average; 0: none. " + of_recipe("average"),
)
flags.DEFINE_integer(
    "views",
    None,
    "An answer at the end is the mean over so many views of an image, all but one of "
    "them changed as in training. " + of_recipe("views"),
)
flags.DEFINE_integer("batch_size", None, "Images a step. " + of_recipe("batch_size"))
flags.DEFINE_integer("steps", None, "Batches to train on. " + of_recipe("steps"))
flags.DEFINE_integer(
    "seed", Config.seed, "Settles initial values, order, augmentation and dropout."
)
FLAGS = flags.FLAGS


def load_digits(threads: int, dataset: str, *csv_files: str | None) -> data.Digits:
    """`data.load`; TensorFlow Datasets would start TensorFlow, loudly."""
    if dataset in ("auto", "tfds") and not any(csv_files):
        entry.start_tensorflow(threads)
    return data.load(dataset, *csv_files)


def prepare_digits() -> data.Digits:
    """The images that the flags name, telling of a choice made."""
    named = FLAGS.threads, FLAGS.dataset, FLAGS.train_csv, FLAGS.test_csv
    if FLAGS.distribute == "none" or FLAGS.dataset == "digits":
        digits = load_digits(*named)
    else:  # devices are connected before TensorFlow runs: it runs elsewhere
        process = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, process) as pool:
            digits = pool.submit(load_digits, *named).result()
    if digits.note:
        logging.warning("%s", digits.note)
    sizes = len(digits.train_labels), len(digits.test_labels)
    logging.info("%s: %d training and %d test images", digits.name, *sizes)
    return digits


def connect(workers: cluster.Cluster | None, listener, purpose: str):
    """What makes the trainer, when all devices of all machines are connected."""
    if FLAGS.distribute == "none":
        from inception_mnist.train import Trainer

        return Trainer
    from inception_mnist import distribute

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
    if FLAGS.low_memory:  # before TensorFlow starts
        os.environ["TF_ONEDNN_USE_SYSTEM_ALLOCATOR"] = "1"
    workers = listener = None
    if FLAGS.distribute == "multiworker":
        workers = cluster.parse(os.environ.get("TF_CONFIG"))
        listener = meeting.bind(workers)
    if workers and not workers.is_chief:
        logging.set_verbosity(logging.WARNING)
    else:
        entry.make_folder(FLAGS.out_dir)
    digits = prepare_digits()
    if workers:
        logging.info(
            "waiting up to %g seconds for %s",
            FLAGS.connect_seconds,
            ", ".join(workers.others()) or "nobody",
        )
    images = data.digest(digits.train_images, digits.train_labels)
    alike = repr((config, images, FLAGS.resume))
    make_trainer = entry.start_tensorflow(
        FLAGS.threads, functools.partial(connect, workers, listener, alike)
    )
    release = meeting.watch(workers, entry.give_up) if workers else lambda: None
    from inception_mnist import record

    recorder = record.Recorder(
        FLAGS.out_dir,
        config,
        digits,
        FLAGS.valid_every,
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
        """Ends the run after this step, so that the state is whole."""
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
            bar.set_postfix_str(recorder.speedometer(), refresh=False)
            bar.update(progress.step - bar.n)
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
            "validation %.2f %%, test %.2f %% (the post: 98.5 %% on MNIST); now: "
            "python -m inception_mnist.predict --checkpoint=%s image.png",
            100 * metrics["valid_accuracy"],
            100 * metrics["test_accuracy"],
            FLAGS.out_dir,
        )
    return 130 if stopped else 0


if __name__ == "__main__":
    entry.run(main)

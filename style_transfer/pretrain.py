"""Train the compact network as a classifier, and export its filters.

python -m style_transfer.pretrain --train train.tar --validation val.tar

Started again with the same flags, it goes on from its checkpoint, exactly.
"""

import dataclasses
import json
import os
import time

from absl import flags, logging
from tqdm import tqdm

from style_transfer import entry
from style_transfer.config import Training

DEFAULT = Training()

flags.DEFINE_list("train", None, "Folders or tars of class folders.")
flags.DEFINE_list("validation", None, "The same, kept back to measure accuracy.")
flags.DEFINE_string("out_dir", "out/style_transfer/pretrain", "Checkpoint and export.")
flags.DEFINE_integer("epochs", DEFAULT.epochs, "Times that every picture is seen.")
flags.DEFINE_integer("batch", DEFAULT.batch, "Pictures a step.")
flags.DEFINE_float("learning_rate", DEFAULT.learning_rate, "At its peak.")
flags.DEFINE_integer("side", 64, "Pixels to which pictures are cut and decoded.")
flags.DEFINE_float("checkpoint_seconds", 60.0, "Between checkpoints.")
flags.DEFINE_integer("seed", DEFAULT.seed, "Of filters, order and crops.")
FLAGS = flags.FLAGS


def prepare():
    """Settings, pictures and network; a mistake of the user ends here."""
    entry.start_tensorflow()
    from style_transfer import classifier, dataset, images, training

    for name in ("train", "validation"):
        if not FLAGS[name].value:
            raise ValueError(f"--{name}: name folders or tars of class folders")
    settings = Training(
        **{
            name: FLAGS[name].value
            for name in Training.__dataclass_fields__
            if name in FLAGS
        }
    )
    if FLAGS.side < max(settings.crops):
        raise ValueError(f"--side={FLAGS.side}: must be at least {max(settings.crops)}")
    images.check_writable(os.path.join(FLAGS.out_dir, "loss.png"))
    pictures, labels, classes = dataset.read(FLAGS.train, FLAGS.side)
    held = dataset.read(FLAGS.validation, FLAGS.side, classes)[:2]
    logging.info(
        "%d pictures of %d classes, %d held back",
        len(pictures),
        len(classes),
        len(held[0]),
    )
    network = classifier.Classifier(settings, len(classes))
    done = 0
    if os.path.exists(_path("checkpoint.npz")):
        done = training.load(_path("checkpoint.npz"), network)
        logging.info("going on after step %d", done)
    return network, (pictures, labels), held, done


def _path(name: str) -> str:
    return os.path.join(FLAGS.out_dir, name)


def train(network, data, held, done: int) -> list[float]:
    """Train to the end; returns the accuracy after each epoch."""
    from style_transfer import training

    every = training.steps_an_epoch(network.training, len(data[0]))
    total = network.training.epochs * every
    accuracies, kept = [], time.monotonic()
    bar = tqdm(total=total, initial=done, unit="step", disable=None)
    for step, loss in training.train(network, *data, done):
        bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
        bar.update()
        if step % every == 0:
            accuracies.append(training.accuracy(network.folded(), *held))
            logging.info(
                "epoch %d  loss %.3f  accuracy %.4f",
                step // every,
                loss,
                accuracies[-1],
            )
        if step == total or time.monotonic() - kept >= FLAGS.checkpoint_seconds:
            training.save(_path("checkpoint.npz"), network, step)
            kept = time.monotonic()
    bar.close()
    return accuracies


def main(argv: list[str]) -> int:
    """Returns the exit code: 2 for bad input, 0 else."""
    try:
        if argv[1:]:
            raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
        network, data, held, done = prepare()
    except (ValueError, OSError) as error:
        entry.fail(error)
        return 2
    from style_transfer import images, training

    began = time.monotonic()
    accuracies = train(network, data, held, done)
    weights = network.folded()
    training.export(_path("compact.npz"), weights)
    result = {
        "accuracy": training.accuracy(weights, *held, mirror=True),
        "accuracy_by_epoch": accuracies,
        "pictures": len(data[0]),
        "held_back": len(held[0]),
        "seconds": round(time.monotonic() - began, 1),
        "training": dataclasses.asdict(network.training),
    }
    text = json.dumps(result, indent=2) + "\n"
    images.write_whole(_path("result.json"), lambda file: file.write(text.encode()))
    logging.info("%s: accuracy %.4f", _path("compact.npz"), result["accuracy"])
    return 0


if __name__ == "__main__":
    entry.run(main)

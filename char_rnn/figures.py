"""Draw how batches go through a text, and the post's two architectures.

python -m char_rnn.figures
python -m char_rnn.figures --corpus=mine.txt --characters=48 --batch_size=3
Post, "Batches" and "RNN architectures".
"""

import os
import time

from absl import flags, logging

from char_rnn import entry
from char_rnn.config import COMBINES, Config

BATCHES = (1, 2, 8)  # the post's Figures 12, 13 and 14

flags.DEFINE_string("corpus", "embedded", "Text to show, as in char_rnn.main.")
flags.DEFINE_string("out_dir", "out/char_rnn/figures", "Folder of what is written.")
flags.DEFINE_integer(
    "characters", 60, "Of the text's beginning.", lower_bound=2, upper_bound=100
)
flags.DEFINE_integer("batch_size", 4, "B: cursors.", lower_bound=1)
flags.DEFINE_enum(
    "combine", "concat", COMBINES, "Of the architectures, as in char_rnn.main."
)
FLAGS = flags.FLAGS


def batches(size: int, batch_size: int) -> list:
    """The post's `Batch` after each of `BATCHES`, in a text of `size` characters."""
    from char_rnn import diagrams, train

    config = Config(batch_size=batch_size, num_unrollings=1)
    inputs = [train.cursors(size, config, number - 1) for number in BATCHES]
    return [
        diagrams.Batch(number, place, (place + 1) % size)
        for number, place in zip(BATCHES, inputs, strict=True)
    ]


def architectures(combine: str) -> dict[str, Config]:
    """The panels of the figure, by title."""
    return {
        "Arch 1": Config(arch=1, combine=combine),
        "Arch 2": Config(arch=2, combine=combine, teacher_forcing=False),
        "Arch 2 with teacher forcing": Config(arch=2, combine=combine),
    }


def main(_) -> int:
    """Returns the exit code."""
    began = time.monotonic()
    if FLAGS.characters < 2 * FLAGS.batch_size:
        raise ValueError(
            f"--batch_size={FLAGS.batch_size}: too many cursors for "
            f"--characters={FLAGS.characters}: an input and a target for each"
        )
    entry.make_folder(FLAGS.out_dir)
    corpus = entry.load_corpus(FLAGS.corpus, "strict")
    entry.start_tensorflow(1)
    from char_rnn import diagrams, outputs, text
    from char_rnn.model import CharRNN

    shown = text.decode(corpus.ids[: FLAGS.characters], corpus.alphabet)
    placed = batches(len(shown), FLAGS.batch_size)
    configs = architectures(FLAGS.combine)
    shapes = {
        title: {
            letter: value.shape
            for letter, value in CharRNN(config, len(text.ALPHABET)).arrays().items()
        }
        for title, config in configs.items()
    }
    figures = {
        "cursors": diagrams.draw_cursors(shown, placed),
        "architectures": diagrams.draw_architectures(configs, shapes),
    }
    for name, figure in figures.items():
        outputs.save_figure(os.path.join(FLAGS.out_dir, f"{name}.png"), figure)
    metrics = {
        "text": shown,
        "batches": {
            batch.number: {
                "cursors": batch.inputs.tolist(),
                "inputs": "".join(shown[place] for place in batch.inputs),
                "targets": "".join(shown[place] for place in batch.targets),
            }
            for batch in placed
        },
        "shapes": shapes,
        "seconds": round(time.monotonic() - began, 3),
        "corpus": corpus.name,
    }
    config = Config(batch_size=FLAGS.batch_size, combine=FLAGS.combine)
    outputs.write_result(os.path.join(FLAGS.out_dir, "result.json"), config, metrics)
    names = ", ".join(f"{name}.png" for name in figures)
    logging.info("%s: %s, result.json", FLAGS.out_dir, names)
    return 0


if __name__ == "__main__":
    entry.run(main)

"""Watch gradients vanish and explode on their way back through a recurrent network.

python -m char_rnn.gradients
Post, "RNN tragedies" and "Unrollings".
"""

import os
import time

from absl import flags

from char_rnn import entry
from char_rnn.config import ACTIVATIONS, Config

LAGS = 80
UNROLLINGS = (5, 10, 20, 40, 80)
SCALES = (0.5, 1.0, 2.0)
STREAMS = 100

flags.DEFINE_string("corpus", "embedded", "Text to learn from, as in char_rnn.main.")
flags.DEFINE_string("out_dir", "out/char_rnn/gradients", "Folder of what is written.")
flags.DEFINE_integer("num_nodes", 100, "n: width of the layers.", lower_bound=1)
flags.DEFINE_integer(
    "characters",
    80_000,
    "Of each of 32 streams to train on, in windows of every length.",
    lower_bound=max(UNROLLINGS),
)
flags.DEFINE_integer("seed", 0, "Settles the initial values.", lower_bound=0)
FLAGS = flags.FLAGS


def untrained(size, data, activation):
    """Curves of fresh networks, by the scale of the recurrent matrix."""
    from char_rnn import evaluate
    from char_rnn.model import CharRNN

    config = Config(
        recipe="modern",
        activation=activation,
        num_nodes=FLAGS.num_nodes,
        seed=FLAGS.seed,
    )
    curves = {}
    for scale in SCALES:
        model = CharRNN(config, size)
        model.W.assign(scale * model.W)
        curves[f"W scaled by {scale:g}"] = evaluate.gradient_norm_by_lag(model, data)
    return curves


def trained(corpus, data, activation, advance):
    """Curves of networks trained with each number of unrollings, and their quality."""
    from char_rnn import evaluate, train

    curves, bits = {}, {}
    training, validation, _ = corpus.split()
    for unrollings in UNROLLINGS:
        config = Config(
            recipe="modern",
            activation=activation,
            num_nodes=FLAGS.num_nodes,
            num_unrollings=unrollings,
            steps=FLAGS.characters // unrollings,
            seed=FLAGS.seed,
        )
        trainer = train.Trainer(config, training, len(corpus.alphabet))
        for _ in trainer.run(config.steps):
            pass
        evaluator = evaluate.Evaluator(trainer.model)
        bits[unrollings] = evaluator.bits_per_character(validation)
        curves[f"{unrollings} unrollings, {bits[unrollings]:.2f} bits/character"] = (
            evaluate.gradient_norm_by_lag(trainer.model, data)
        )
        advance()
    return curves, bits


def main(_) -> int:
    """Returns the exit code."""
    entry.make_folder(FLAGS.out_dir)
    corpus = entry.load_corpus(FLAGS.corpus, "strict")
    entry.start_tensorflow(1)
    from tqdm import tqdm

    from char_rnn import outputs

    began = time.monotonic()
    _, validation, _ = corpus.split()
    length = min(len(validation) // STREAMS, LAGS + 1)
    data = validation[: STREAMS * length].reshape(STREAMS, length).T.astype("int32")
    panels, bits = {}, {}
    total = len(ACTIVATIONS) * len(UNROLLINGS)
    with tqdm(total=total, unit="network", disable=None) as bar:
        for activation in reversed(ACTIVATIONS):
            fresh = untrained(len(corpus.alphabet), data, activation)
            panels[activation, "before training"] = fresh
            panels[activation, "after training"], bits[activation] = trained(
                corpus, data, activation, bar.update
            )
    path = os.path.join(FLAGS.out_dir, "gradients.png")
    outputs.plot_gradients(path, panels)
    metrics = {
        "valid_bpc": bits,
        "norms": {" ".join(key): curves for key, curves in panels.items()},
        "seconds": round(time.monotonic() - began, 3),
        "corpus": corpus.name,
        "seed": FLAGS.seed,
    }
    config = Config(recipe="modern", num_nodes=FLAGS.num_nodes)
    outputs.write_result(os.path.join(FLAGS.out_dir, "result.json"), config, metrics)
    print(path)
    return 0


if __name__ == "__main__":
    entry.run(main)

"""Watch gradients vanish and explode on their way back through a recurrent network.

python -m char_rnn.gradients
Post, "RNN tragedies" and "Unrollings".
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import itertools
import os
import time
from collections.abc import Callable, Sequence

from absl import flags

from runkit import files, progress, start

LAGS = 80
UNROLLINGS = (5, 10, 20, 40, 80)
SCALES = (0.5, 1.0, 2.0)
STREAMS = 100
ACTIVATIONS = "tanh", "relu"

Curves = dict[str, Sequence[float]]

flags.DEFINE_string("corpus", "embedded", "Text to learn from, as in char_rnn.main.")
flags.DEFINE_string(
    "out_dir", "out/char_rnn/gradients", "Folder into which everything is written."
)
flags.DEFINE_integer(
    "num_nodes", 100, "The width n of the layers.", lower_bound=1, upper_bound=16_384
)
flags.DEFINE_integer(
    "characters",
    80_000,
    "Number of characters of each of 32 streams to train on, in windows of every "
    "length.",
    lower_bound=max(UNROLLINGS),
)
flags.DEFINE_integer(
    "seed", 0, "Seed of the initial values.", lower_bound=0, upper_bound=2**29
)
FLAGS = flags.FLAGS


def make_config(**given):
    """Makes the modern recipe's settings with the flags' width and seed."""
    from char_rnn.config import Config

    return Config.of_recipe(
        "modern", num_nodes=FLAGS.num_nodes, seed=FLAGS.seed, **given
    )


def untrained(size: int, data, activation: str) -> Curves:
    """Measures fresh networks, by the scale of the recurrent matrix."""
    from char_rnn import evaluate
    from char_rnn.model import CharRNN

    curves: Curves = {}
    for scale in SCALES:
        model = CharRNN(make_config(activation=activation), size)
        model.W.assign(scale * model.W)
        curves[f"W scaled by {scale:g}"] = evaluate.gradient_norm_by_lag(model, data)
    return curves


def trained(
    corpus, data, activation: str, advance: Callable[[], None]
) -> tuple[Curves, dict[int, float]]:
    """Measures networks trained with each number of unrollings, and their quality."""
    from char_rnn import evaluate
    from char_rnn.training import Trainer

    curves: Curves = {}
    bits = {}
    training, validation, _ = corpus.split()
    for unrollings in UNROLLINGS:
        shape = {"num_unrollings": unrollings, "steps": FLAGS.characters // unrollings}
        config = make_config(activation=activation, **shape)
        trainer = Trainer(config, training, len(corpus.alphabet))
        for _ in trainer.run(config.steps):
            pass
        evaluator = evaluate.Evaluator(trainer.model)
        bits[unrollings] = evaluator.bits_per_character(validation)
        curves[f"{unrollings} unrollings, {bits[unrollings]:.2f} bits/character"] = (
            evaluate.gradient_norm_by_lag(trainer.model, data)
        )
        advance()
    return curves, bits


def gradients_figure(panels: dict[tuple[str, str], Curves]):
    """Draws gradient norms against how many steps they came back; returns the figure.

    Args:
        panels: The curves by label, for each activation and state of training.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    columns = list(dict.fromkeys(column for column, _ in panels))
    rows = list(dict.fromkeys(row for _, row in panels))
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    grid = figure.subplots(len(rows), len(columns), sharex=True, sharey="row")
    for (column, row), curves in panels.items():
        axes = grid[rows.index(row)][columns.index(column)]
        colors = colormaps["viridis"]([i / len(curves) for i in range(len(curves))])
        for color, (label, norms) in zip(colors, curves.items(), strict=True):
            axes.plot(range(1, len(norms) + 1), norms, color=color, label=label)
        axes.set(yscale="log", title=f"{column}, {row}")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("lag: steps back from the loss")
    for line in grid:
        line[0].set_ylabel("mean norm of the gradient")
    return figure


def main(_) -> None:
    """Trains the networks and draws the figure."""
    from char_rnn import corpus as corpus_lib

    files.make_folder(FLAGS.out_dir)
    corpus = corpus_lib.load_for_command(FLAGS.corpus)
    start.tensorflow(1)
    began = time.monotonic()
    _, validation, _ = corpus.split()
    length = min(len(validation) // STREAMS, LAGS + 1)
    data = validation[: STREAMS * length].reshape(STREAMS, length).T.astype("int32")
    panels: dict[tuple[str, str], Curves] = {}
    bits: dict[str, dict[int, float]] = {}
    size, counter = len(corpus.alphabet), itertools.count(1)
    with progress.Bar(len(ACTIVATIONS) * len(UNROLLINGS), "network") as bar:
        for activation in ACTIVATIONS:
            panels[activation, "before training"] = untrained(size, data, activation)
            panels[activation, "after training"], bits[activation] = trained(
                corpus, data, activation, lambda: bar.update(next(counter))
            )
    path = os.path.join(FLAGS.out_dir, "gradients.png")
    files.save_figure(path, gradients_figure(panels), dpi=110)
    metrics = {
        "valid_bpc": bits,
        "norms": {" ".join(key): curves for key, curves in panels.items()},
        "seconds": round(time.monotonic() - began, 3),
        "corpus": corpus.name,
        "seed": FLAGS.seed,
    }
    files.write_result(
        FLAGS.out_dir, make_config(), metrics, ("tensorflow", "keras", "numpy")
    )
    print(path)


def command() -> None:
    """Runs the command."""
    cli.run(main, "char_rnn", ("corpus", "num_nodes", "characters", "seed", "out_dir"))


if __name__ == "__main__":
    command()

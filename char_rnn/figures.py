"""Draw how batches go through a text, and the post's two architectures.

python -m char_rnn.figures
python -m char_rnn.figures --corpus=mine.txt --characters=48 --batch_size=3
Post, "Batches" (Figures 12 to 14) and "RNN architectures" (Figures 5 to 7).
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import os
import time
from typing import Any

import numpy as np
from absl import flags, logging

from char_rnn.config import Config
from runkit import files, start

# The batches to show, with the numbers of the post's figures.
BATCHES = {1: "first batch (the post's Figure 12)"}
BATCHES |= {2: "second batch (the post's Figure 13)"}
BATCHES |= {8: "eighth batch (the post's Figure 14)"}
INPUT, TARGET, READ, GREY = "#1f4e79", "#e0a030", "#cfdbe8", "#e4e4e4"
GAP = 0.7  # between segments, in cells
SPACE = "\u2423"  # how a space is shown
ARROW = {"arrowstyle": "-|>", "color": "black", "shrinkA": 0, "shrinkB": 0}

flags.DEFINE_string("corpus", "embedded", "Text to show, as in char_rnn.main.")
flags.DEFINE_string(
    "out_dir", "out/char_rnn/figures", "Folder into which everything is written."
)
flags.DEFINE_integer(
    "characters",
    60,
    "Number of characters to show, from the beginning of the text.",
    lower_bound=2,
    upper_bound=100,
)
flags.DEFINE_integer("batch_size", 4, "The number B of cursors.", lower_bound=1)
flags.DEFINE_enum(
    "combine",
    "concat",
    ("concat", "sum"),
    "How x U and s W are combined: concatenated or summed.",
)
FLAGS = flags.FLAGS


def cursors_of_batches(size: int, batch_size: int) -> dict[int, np.ndarray]:
    """Finds the cursors [B] of each of `BATCHES`, in a text of `size` characters."""
    from char_rnn import training

    config = Config(batch_size=batch_size, num_unrollings=1)
    return {number: training.cursors(size, config, number - 1) for number in BATCHES}


def cursors_figure(text: str, batches: dict[int, np.ndarray]):
    """Draws the text as a row of cells for each batch; returns the figure.

    Args:
        text: N characters.
        batches: The places of the cursors, [B], by the batch's number.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    segments = len(batches[1])
    lefts = np.arange(len(text), dtype=float)  # of the cells
    lefts += GAP * np.minimum(lefts // (len(text) // segments), segments - 1)
    figure = Figure(figsize=(12, 1.3 * len(batches) + 0.2), layout="constrained")
    rows = figure.subplots(len(batches), 1, squeeze=False)[:, 0]
    for axes, (number, inputs) in zip(rows, batches.items(), strict=True):
        axes.set(xlim=(-0.3, lefts[-1] + 1.3), ylim=(-0.2, 2.25))
        axes.set_axis_off()
        axes.set_title(BATCHES[number], fontsize=12, loc="left")
        _draw_cells(axes, text, lefts, number, inputs)
        for stream, place in enumerate(inputs, start=1):
            middle = lefts[place] + 0.5
            axes.plot(middle, 1.4, marker="v", markersize=8, color=INPUT)
            axes.text(middle, 1.75, str(stream), ha="center", color=INPUT)
    marker: dict[str, Any] = {"marker": "v", "markersize": 8, "linestyle": ""}
    handles = [
        Line2D([], [], label="cursor of each stream", color=INPUT, **marker),
        Patch(color=INPUT, label="input"),
        Patch(color=TARGET, label="target"),
        Patch(color=READ, label="inputs of earlier batches"),
    ]
    figure.legend(handles=handles, loc="upper right", ncols=4, frameon=False)
    return figure


def _draw_cells(axes, text, lefts, number: int, inputs: np.ndarray) -> None:
    from matplotlib.patches import Rectangle

    read = (inputs[:, np.newaxis] - np.arange(number)) % len(text)
    colors = dict.fromkeys(read.ravel().tolist(), READ)
    colors |= dict.fromkeys(((inputs + 1) % len(text)).tolist(), TARGET)
    colors |= dict.fromkeys(inputs.tolist(), INPUT)
    for place, (character, left) in enumerate(zip(text, lefts, strict=True)):
        color = colors.get(place, "white")
        axes.add_patch(Rectangle((left, 0), 1, 1.15, fc=color, ec="#888888", lw=0.8))
        axes.text(
            left + 0.5,
            0.55,
            SPACE if character == " " else character,
            ha="center",
            va="center",
            family="monospace",
            fontsize=12,
            color="white" if color == INPUT else "black",
        )


def architectures(combine: str) -> dict[str, Config]:
    """Lists the panels of the second figure, by title."""
    of_recipe, how = Config.of_recipe, {"combine": combine}
    return {
        "Arch 1": of_recipe(arch=1, **how),
        "Arch 2": of_recipe(arch=2, teacher_forcing=False, **how),
        "Arch 2 with teacher forcing": of_recipe(arch=2, **how),
    }


def architectures_figure(configs: dict[str, Config], shapes: dict[str, dict]):
    """Draws what a step reads, computes and passes on; returns the figure.

    Args:
        configs: The settings of each panel, by title.
        shapes: The shapes of U, W, b, V and c by letter, by title.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4 * len(configs), 4), layout="constrained")
    row = figure.subplots(1, len(configs), squeeze=False)[0]
    for axes, (title, config) in zip(row, configs.items(), strict=True):
        axes.set(xlim=(0, 5.5), ylim=(-0.3, 2.6))
        axes.set_axis_off()
        axes.set_title(title, fontsize=13)
        _draw_step(axes, config, shapes[title])
    return figure


def _draw_step(axes, config: Config, shapes: dict[str, tuple[int, ...]]) -> None:
    """One step of a network: inputs below, the hidden layer, the output above."""
    forced = config.arch == 2 and config.teacher_forcing
    fed = "h" if config.arch == 1 else "y" if forced else "p"
    state = f"{fed}_{{t-1}}"
    sums = config.combine == "sum"
    combined = f"x_t U + {state} W" if sums else f"[x_t U,\\; {state} W]"
    hidden = f"$h_t$ = {config.activation}(${combined} + b$)"
    colors = {letter: READ if letter == fed else GREY for letter in "hp"}
    colors["y"] = TARGET
    inputs = f"${state} = x_t$" if forced else f"${state}$"  # the right answer
    _box(axes, 0.8, 0.0, 1.5, inputs, colors[fed])
    _box(axes, 2.9, 0.0, 1.5, "$x_t$", INPUT)
    _box(axes, 1.85, 1.15, 3.6, hidden, colors["h"])
    _box(axes, 1.85, 2.3, 3.6, "$p_t$ = softmax($h_t V + c$)", colors["p"])
    for letter, x, bottom in (("W", 0.8, 0.0), ("U", 2.9, 0.0), ("V", 1.85, 1.15)):
        axes.annotate("", (x, bottom + 0.88), (x, bottom + 0.27), arrowprops=ARROW)
        size = "×".join(map(str, shapes[letter]))
        text = f"${letter}$  {size}"
        axes.text(x + 0.1, bottom + 0.57, text, va="center", fontsize=11)
    if forced:
        _box(axes, 4.08, 2.3, 0.66, "$y_t$", TARGET)
    start, y = {"h": (3.65, 1.15), "p": (3.65, 2.3), "y": (4.41, 2.3)}[fed]
    axes.annotate("", (5.4, y), (start, y), arrowprops=ARROW)
    place = 5.4, y - 0.12
    axes.text(*place, f"${fed}_t$ to\nstep t + 1", ha="right", va="top", fontsize=10)


def _box(axes, x: float, y: float, width: float, text: str, color: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.08"
    corner = x - width / 2, y - 0.27
    axes.add_patch(FancyBboxPatch(corner, width, 0.54, style, fc=color, ec="none"))
    letters = "white" if color == INPUT else "black"
    axes.text(x, y, text, ha="center", va="center", fontsize=12, color=letters)


def main(_) -> None:
    """Draws the figures."""
    began = time.monotonic()
    if FLAGS.characters < 2 * FLAGS.batch_size:
        raise ValueError(
            f"--batch_size={FLAGS.batch_size}: too many cursors for "
            f"--characters={FLAGS.characters}: each needs an input and a target"
        )
    from char_rnn import corpus as corpus_lib
    from char_rnn import text

    files.make_folder(FLAGS.out_dir)
    corpus = corpus_lib.load_for_command(FLAGS.corpus)
    start.tensorflow(1)
    from char_rnn.model import CharRNN

    shown = text.decode(corpus.ids[: FLAGS.characters], corpus.alphabet)
    batches = cursors_of_batches(len(shown), FLAGS.batch_size)
    configs = architectures(FLAGS.combine)
    shapes = {
        title: {
            letter: value.shape
            for letter, value in CharRNN(config, len(text.ALPHABET)).arrays().items()
        }
        for title, config in configs.items()
    }
    figures = {
        "cursors": cursors_figure(shown, batches),
        "architectures": architectures_figure(configs, shapes),
    }
    for name, figure in figures.items():
        files.save_figure(os.path.join(FLAGS.out_dir, f"{name}.png"), figure)
    metrics = {
        "text": shown,
        "batches": {number: inputs.tolist() for number, inputs in batches.items()},
        "shapes": shapes,
        "seconds": round(time.monotonic() - began, 3),
        "corpus": corpus.name,
    }
    given = {"batch_size": FLAGS.batch_size, "combine": FLAGS.combine}
    files.write_result(FLAGS.out_dir, given, metrics, ("tensorflow", "numpy"))
    names = ", ".join(f"{name}.png" for name in figures)
    logging.info("%s: %s, result.json", FLAGS.out_dir, names)


def command() -> None:
    """Runs the command."""
    cli.run(
        main, "char_rnn", ("corpus", "characters", "batch_size", "combine", "out_dir")
    )


if __name__ == "__main__":
    command()

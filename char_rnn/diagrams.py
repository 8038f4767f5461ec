"""Drawings: the cursors of batches over a text, and the two architectures.

Post, "Batches" (Figures 12 to 14) and "RNN architectures" (Figures 5 to 7).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from char_rnn.config import Config

INPUT, TARGET, READ, GREY = "#1f4e79", "#e0a030", "#cfdbe8", "#e4e4e4"
GAP = 0.7  # between segments, in cells
SPACE = "\u2423"  # how a space is shown
ORDINALS = {1: "first", 2: "second", 8: "eighth"}
FIGURES = {1: 12, 2: 13, 8: 14}  # the post's, by batch
ARROW = {"arrowstyle": "-|>", "color": "black", "shrinkA": 0, "shrinkB": 0}


@dataclasses.dataclass(frozen=True)
class Batch:
    """Where one batch stands in a text of N characters.

    Attributes:
        number: from 1.
        inputs: places of the cursors, [B].
        targets: places of the characters that follow, [B].
    """

    number: int
    inputs: np.ndarray
    targets: np.ndarray


def draw_cursors(text: str, batches: Sequence[Batch]):
    """The text as rows of cells, a row for each batch.

    Args:
        text: N characters.
        batches: where to put the cursors.
    """
    from matplotlib.figure import Figure

    segments = len(batches[0].inputs)
    lefts = np.arange(len(text), dtype=float)  # of the cells
    lefts += GAP * np.minimum(lefts // (len(text) // segments), segments - 1)
    figure = Figure(figsize=(12, 1.3 * len(batches) + 0.2), layout="constrained")
    rows = figure.subplots(len(batches), 1, squeeze=False)[:, 0]
    for axes, batch in zip(rows, batches, strict=True):
        axes.set(xlim=(-0.3, lefts[-1] + 1.3), ylim=(-0.2, 2.25))
        axes.set_axis_off()
        name = ORDINALS.get(batch.number, f"{batch.number}th")
        figure_number = FIGURES.get(batch.number)
        note = f" (the post's Figure {figure_number})" if figure_number else ""
        axes.set_title(f"{name} batch{note}", fontsize=12, loc="left")
        _draw_cells(axes, text, lefts, batch)
        for stream, place in enumerate(batch.inputs, start=1):
            middle = lefts[place] + 0.5
            axes.plot(middle, 1.4, marker="v", markersize=8, color=INPUT)
            axes.text(middle, 1.75, str(stream), ha="center", color=INPUT)
    figure.legend(handles=_cursor_legend(), loc="upper right", ncols=4, frameon=False)
    return figure


def _draw_cells(axes, text: str, lefts: np.ndarray, batch: Batch) -> None:
    from matplotlib.patches import Rectangle

    read = (batch.inputs[:, np.newaxis] - np.arange(batch.number)) % len(text)
    colors = dict.fromkeys(read.ravel().tolist(), READ)
    colors |= dict.fromkeys(batch.targets.tolist(), TARGET)
    colors |= dict.fromkeys(batch.inputs.tolist(), INPUT)
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


def _cursor_legend() -> list:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marker = {"marker": "v", "markersize": 8, "color": INPUT, "linestyle": ""}
    return [
        Line2D([], [], label="cursor of each stream", **marker),
        Patch(color=INPUT, label="input"),
        Patch(color=TARGET, label="target"),
        Patch(color=READ, label="inputs of earlier batches"),
    ]


def draw_architectures(configs: dict[str, Config], shapes: dict[str, dict]):
    """What a step reads, computes and passes on, a panel each.

    Args:
        configs: settings by title.
        shapes: of U, W, b, V and c by letter, by title.
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
    for letter, x, bottom in (("W", 0.8, 0), ("U", 2.9, 0), ("V", 1.85, 1.15)):
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

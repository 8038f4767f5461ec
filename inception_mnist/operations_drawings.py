"""Drawings of an Inception module and of its 5x5 branch, with what each costs.

Post, "Architecture" (Figures 3 and 4) and "Dimensionality reduction" (Figure 6).
"""

import dataclasses
from typing import BinaryIO

from inception_mnist import arithmetic
from inception_mnist.arithmetic import (
    BRANCHES,
    MODULES,
    NAIVE,
    REDUCED,
    Convolution,
    Inception,
    Layer,
)
from inception_mnist.operations_figure import COLORS

GREY, POOLING = "#e4e4e4", "#d0dcc2"
TITLES = {NAIVE: "naive, the post's Figure 4", REDUCED: "reduced, its Figure 3"}
INPUT, LOWER, UPPER, JOINED = range(4)  # rows of boxes, from the ground up
BOX_WIDTH, BOX_HEIGHT = 0.92, 0.64
DARK = {COLORS[branch][1] for branch in ("3x3", "5x5")}  # takes white letters
ARROW = {"arrowstyle": "-|>", "color": "black", "shrinkA": 0, "shrinkB": 0}
SIDE, SHIFT = 1.2, 0.045  # of a drawn map, and from it to the one behind
PILE = 24  # maps drawn of the largest block


@dataclasses.dataclass(frozen=True)
class Box:
    """A layer of a module as it is drawn.

    Attributes:
        name: what it does.
        maps: how many it gives.
        multiplications: 0 where there are none.
        column: of its middle.
        row: `INPUT` to `JOINED`.
        color: of its face.
        reads: places in the list of boxes of those that it reads.
    """

    name: str
    maps: int
    multiplications: int
    column: float
    row: int
    color: str
    reads: tuple[int, ...] = ()


def boxes(module: Inception, kind: str) -> list[Box]:
    """The previous layer, the layers branch by branch, and their concatenation.

    Args:
        module: the widths.
        kind: "naive" or "reduced".
    """
    found = [Box("previous layer", module.channels_in, 0, 1.5, INPUT, GREY)]
    ends = []
    for column, branch in enumerate(BRANCHES):
        layers = [x for x in module.layers(kind) if x.branch == branch]
        steps = [_layer_box(x, column) for x in layers]
        if branch == "pool":
            maps = module.channels_in
            steps.insert(0, Box("3×3 max pooling", maps, 0, column, UPPER, POOLING))
        reads = 0
        for step in steps:
            row = LOWER if step is not steps[-1] else UPPER
            found.append(dataclasses.replace(step, row=row, reads=(reads,)))
            reads = len(found) - 1
        ends.append(reads)
    joined = module.channels_out(kind)
    return [*found, Box("concatenation", joined, 0, 1.5, JOINED, GREY, tuple(ends))]


def _layer_box(layer: Layer, column: int) -> Box:
    reduces = layer.name.endswith("reduce")
    kernel = layer.convolution.kernel
    name = f"{kernel}×{kernel}" + (" reduction" if reduces else " convolution")
    maps, color = layer.convolution.channels_out, COLORS[layer.branch][not reduces]
    return Box(name, maps, layer.multiplications, column, UPPER, color)


def draw_modules(file: BinaryIO, module: Inception) -> None:
    """Draw the naive beside the reduced module.

    Args:
        file: to write the PNG into.
        module: the widths.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 5.2), layout="constrained")
    sides = f"{module.height}×{module.width}"
    for axes, kind in zip(figure.subplots(1, 2), reversed(MODULES), strict=True):
        total = arithmetic.multiplications(module.layers(kind))
        axes.set_title(f"{TITLES[kind]}: {total:,} multiplications", fontsize=13)
        axes.set(xlim=(-0.5, 3.5), ylim=(-0.36, 3.36))
        axes.set_axis_off()
        placed = boxes(module, kind)
        for box in placed:
            for place in box.reads:
                _connect(axes, placed[place], box)
            _draw_box(axes, box, sides)
    figure.savefig(file, format="png", dpi=110)


def _draw_box(axes, box: Box, sides: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    wide = box.row in (INPUT, JOINED)
    width = 3 + BOX_WIDTH if wide else BOX_WIDTH
    corner = box.column - width / 2, box.row - BOX_HEIGHT / 2
    style = "round,pad=0,rounding_size=0.06"
    face = FancyBboxPatch(corner, width, BOX_HEIGHT, style, fc=box.color, ec="none")
    axes.add_patch(face)
    lines = [box.name, f"{box.maps:,} maps" + (f" of {sides}" if wide else "")]
    if box.multiplications:
        lines.append(_count(box.multiplications))
    color = "white" if box.color in DARK else "black"
    text = "\n".join(lines)
    style = {"ha": "center", "va": "center", "fontsize": 11}
    axes.text(box.column, box.row, text, color=color, **style)


def _count(number: int) -> str:
    """A number in full, if a box has room for it."""
    return f"{number:,}" if number < 1e11 else f"{number:.3e}"


def _connect(axes, lower: Box, upper: Box) -> None:
    """An arrow straight up, in the column of the box that is not a wide one."""
    column = upper.column if lower.row == INPUT else lower.column
    top, bottom = upper.row - BOX_HEIGHT / 2, lower.row + BOX_HEIGHT / 2
    axes.annotate("", (column, top), (column, bottom), arrowprops=ARROW)


def five_branch(module: Inception, kind: str) -> list[Convolution]:
    """The convolutions of the 5x5 branch, in order."""
    return [x.convolution for x in module.layers(kind) if x.branch == "5x5"]


def draw_computation(file: BinaryIO, module: Inception) -> None:
    """Draw the maps that the 5x5 branch reads and gives, and what lies between.

    Args:
        file: to write the PNG into.
        module: the widths; the post's are GoogLeNet's 3a.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    for axes, kind in zip(figure.subplots(2, 1), reversed(MODULES), strict=True):
        convolutions = five_branch(module, kind)
        counts = [x.multiplications for x in convolutions]
        equation = " + ".join(f"{count:,}" for count in counts)
        if len(counts) > 1:
            equation += f" = {sum(counts):,}"
        title = f"5×5 branch, {kind}: {equation} multiplications"
        axes.set_title(title, fontsize=13)
        _draw_chain(axes, convolutions)
    figure.savefig(file, format="png", dpi=110)


def _draw_chain(axes, convolutions: list[Convolution]) -> None:
    """Blocks of maps from left to right, each convolution's window between them."""
    first = convolutions[0]
    axes.set(xlim=(-0.1, 9.3), ylim=(-0.6, 2.35), aspect="equal")
    axes.set_axis_off()
    blocks = [first.channels_in, *(x.channels_out for x in convolutions)]
    colors = [GREY, *COLORS["5x5"][-len(convolutions) :]]
    step = 7.9 / len(convolutions)
    for place, (maps, color) in enumerate(zip(blocks, colors, strict=True)):
        left = place * step
        depth = _draw_block(axes, left, max(1, round(PILE * maps / max(blocks))), color)
        text = f"{maps:,} maps of {first.height}×{first.width}"
        axes.text(left + SIDE / 2, -0.12, text, ha="center", va="top", fontsize=11)
        if place < len(convolutions):
            middle = (left + SIDE + depth + left + step) / 2
            _draw_window(axes, left, step, middle, convolutions[place])


def _draw_block(axes, left: float, shown: int, color: str) -> float:
    """Returns how far the last map is shifted."""
    from matplotlib.patches import Rectangle

    for depth in reversed(range(shown)):
        corner = left + SHIFT * depth, SHIFT * depth
        axes.add_patch(Rectangle(corner, SIDE, SIDE, fc=color, ec="black", lw=0.5))
    return SHIFT * (shown - 1)


def _draw_window(axes, left: float, step: float, middle: float, each: Convolution):
    """What one value of the next block is computed from, and what that costs."""
    from matplotlib.patches import Rectangle

    pixel = SIDE / each.height
    size = min(each.kernel * pixel, SIDE)
    bottom, margin = max(SIDE / 3, size / 2), min(3 * pixel, (SIDE - size) / 2)
    face = {"fc": "white", "ec": "black", "lw": 0.8, "zorder": 3}
    corner = left + SIDE - size - margin, bottom - size / 2
    axes.add_patch(Rectangle(corner, size, size, alpha=0.8, **face))
    aim = left + step + margin, bottom
    for y in (bottom - size / 2, bottom + size / 2):
        ends = [corner[0] + size, aim[0]], [y, aim[1]]
        axes.plot(*ends, color="black", lw=0.8, zorder=3)
    aim = aim[0], aim[1] - pixel / 2
    axes.add_patch(Rectangle(aim, pixel, pixel, **face))
    formula = each.formula.replace("^2", "²").replace("*", "·")
    kernel = f"{each.kernel}×{each.kernel}"
    text = f"{kernel} convolution\n{formula}\n= {each.multiplications:,}"
    axes.text(
        middle,
        max(0.62, bottom + size / 2),
        text,
        ha="center",
        va="bottom",
        fontsize=11,
    )

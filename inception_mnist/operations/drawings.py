"""The figures of `inception_mnist.operations`: what modules cost, drawn.

Post, "Architecture" (Figures 3 and 4) and "Dimensionality reduction" (Figure 6).
matplotlib is imported when something is drawn, so that counting starts at once.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, BinaryIO

from inception_mnist.operations import counts
from inception_mnist.operations.counts import (
    BRANCHES,
    GOOGLENET,
    MODULES,
    NAIVE,
    REDUCED,
    Inception,
    Layer,
)

MILLION = 1e6
# By branch, from the ground up: the post's branch first, where all bars begin.
COLORS = {
    "5x5": ("#f4a582", "#c0392b"),  # of the 1x1 reduction, of what follows it
    "3x3": ("#a6c8e4", "#1f5a96"),
    "1x1": ("#000000", "#e3b23c"),  # has no reduction
    "pool": ("#000000", "#7a9a5b"),
}
BAR, GAP_BETWEEN = 0.37, 0.04
GREY, POOLING = "#e4e4e4", "#d0dcc2"
TITLES = {NAIVE: "naive, the post's Figure 4", REDUCED: "reduced, its Figure 3"}
INPUT, LOWER, UPPER, JOINED = range(4)  # rows of boxes, from the ground up
BOX_WIDTH, BOX_HEIGHT = 0.92, 0.64
DARK = {COLORS[branch][1] for branch in ("3x3", "5x5")}  # takes white letters
ARROW = {"arrowstyle": "-|>", "color": "black", "shrinkA": 0, "shrinkB": 0}
MAP, SHIFT = 1.2, 0.045  # side of a drawn map, and from it to the one behind
PILE = 24  # maps drawn of the largest block
Pair = dict[str, list[Layer]]  # the layers of each kind of module


def _figure(width: float, height: float):
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def draw_bars(file: BinaryIO, what: dict[str, Any]) -> None:
    """Draw naive beside reduced modules: GoogLeNet's, and those of the model.

    Args:
        file: The PNG is written into it.
        what: The arguments of `counts.model_layers`.
    """
    pairs = {
        f"{name}\n{each.height}×{each.width}×{each.channels_in}": {
            kind: each.layers(kind) for kind in MODULES
        }
        for name, each in GOOGLENET.items()
    }
    model = _model_pairs(what)
    figure = _figure(13, 6.5)
    left, right = figure.subplots(1, 2, width_ratios=(len(pairs), len(model) + 0.6))
    _draw_pairs(left, pairs)
    _draw_pairs(right, model)
    figure.suptitle(
        "Multiplications of a naive (left bar) and a reduced (right bar) Inception "
        "module, for one picture",
        fontsize=14,
    )
    left.set_title(
        "GoogLeNet's modules, each on its input in Table 1. "
        "÷, ×: what the reduction saves or costs"
    )
    right.set_title("This project's modules")
    left.set_ylabel("millions of multiplications")
    left.legend(handles=_legend(), loc="upper right", edgecolor="white")
    _annotate_post(left)
    figure.savefig(file, format="png", dpi=110)


def _model_pairs(settings: dict[str, Any]) -> dict[str, Pair]:
    models = {
        kind: counts.model_layers(**settings | {"module": kind}) for kind in MODULES
    }
    pairs = {}
    for number in (1, 2):
        pair = {
            kind: [layer for layer in layers if layer.module == number]
            for kind, layers in models.items()
        }
        reads = {kind: layers[0] for kind, layers in pair.items()}
        side = reads[NAIVE].height
        channels = dict.fromkeys(reads[x].channels_in for x in reversed(MODULES))
        inputs = f"{side}×{side}×" + " | ".join(map(str, channels))
        pairs[f"module {number}\n{inputs}"] = pair
    return pairs


def _draw_pairs(axes, pairs: dict[str, Pair]) -> None:
    for place, pair in enumerate(pairs.values()):
        tops = {kind: _draw_bar(axes, place, kind, pair[kind]) for kind in MODULES}
        factor = tops[NAIVE] / tops[REDUCED]
        axes.annotate(
            f"÷ {factor:.1f}" if factor >= 1 else f"× {1 / factor:.1f}",
            (place + _offset(REDUCED), tops[REDUCED]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=10,
        )
    axes.set_xticks(range(len(pairs)), pairs)
    axes.tick_params("x", length=0)
    axes.margins(x=0.02)
    axes.set_ylim(0, 1.08 * axes.dataLim.ymax)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _offset(kind: str) -> float:
    """Return where the middle of the bar lies, from the middle of its pair."""
    return (BAR + GAP_BETWEEN) / 2 * (-1 if kind == NAIVE else 1)


def _draw_bar(axes, place: int, kind: str, layers: Sequence[Layer]) -> float:
    """Draw one bar of stacked branches; return its height in millions."""
    bottom = 0.0
    found = counts.by_branch(layers)
    for branch, colors in COLORS.items():
        for color, count in zip(colors, found[branch], strict=True):
            height, left = count / MILLION, place + _offset(kind)
            axes.bar(left, height, BAR, bottom, color=color, linewidth=0)
            bottom += height
    return bottom


def _legend() -> list:
    """Return the patches from the top down, as the bars are."""
    from matplotlib.patches import Patch

    labels = {
        ("pool", 1): "1×1 after the max pooling (reduced module only)",
        ("1x1", 1): "1×1",
        ("3x3", 1): "3×3",
        ("3x3", 0): "1×1 reduction before 3×3",
        ("5x5", 1): "5×5",
        ("5x5", 0): "1×1 reduction before 5×5",
    }
    return [Patch(color=COLORS[x][n], label=label) for (x, n), label in labels.items()]


def _annotate_post(axes) -> None:
    """Write the post's two numbers beside the 5x5 branch of the first pair."""
    from matplotlib.patheffects import withStroke

    highest = axes.get_ylim()[1]
    edge = _offset(REDUCED) + BAR / 2
    labels = (  # kind, height of the text, where the arrow begins and where it ends
        (NAIVE, 0.4, _offset(NAIVE), _offset(NAIVE), 0.5),
        (REDUCED, 0.52, edge + 0.13, edge, 0.6),
    )
    outline = [withStroke(linewidth=3, foreground="white")]
    arrow = {"arrowstyle": "-|>", "color": "black", "shrinkB": 0}
    for kind, text_height, start, end, part in labels:
        count = sum(counts.by_branch(GOOGLENET["3a"].layers(kind))["5x5"])
        bottom = text_height * highest
        text = f"post, 5×5,\n{kind}:\n{count:,}"
        axes.text(-0.47, bottom, text, fontsize=9.5, color=COLORS["5x5"][1])
        axes.annotate(
            "",
            (end, part * count / MILLION),
            (start, bottom - 0.005 * highest),
            arrowprops=arrow | {"path_effects": outline},
        )


@dataclasses.dataclass(frozen=True)
class Box:
    """A layer of a module as it is drawn."""

    name: str
    maps: int  # that it gives
    multiplications: int  # 0 where there are none
    column: float  # of its middle
    row: int  # `INPUT` to `JOINED`
    color: str
    reads: tuple[int, ...] = ()  # places in the list of boxes


def boxes(module: Inception, kind: str) -> list[Box]:
    """Return the previous layer, the layers branch by branch, and their concatenation.

    Args:
        module: The widths.
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
    name = f"{layer.kernel}×{layer.kernel} {'reduction' if reduces else 'convolution'}"
    color = COLORS[layer.branch][not reduces]
    return Box(name, layer.channels_out, layer.multiplications, column, UPPER, color)


def draw_modules(file: BinaryIO, what: Inception) -> None:
    """Draw the naive beside the reduced module, as a PNG into the file."""
    figure = _figure(13, 5.2)
    sides = f"{what.height}×{what.width}"
    for axes, kind in zip(figure.subplots(1, 2), reversed(MODULES), strict=True):
        total = counts.multiplications(what.layers(kind))
        axes.set_title(f"{TITLES[kind]}: {total:,} multiplications", fontsize=13)
        axes.set(xlim=(-0.5, 3.5), ylim=(-0.36, 3.36))
        axes.set_axis_off()
        placed = boxes(what, kind)
        for box in placed:
            for lower in (placed[place] for place in box.reads):
                # Straight up, in the column of the box that is not a wide one.
                column = box.column if lower.row == INPUT else lower.column
                ends = box.row - BOX_HEIGHT / 2, lower.row + BOX_HEIGHT / 2
                top, bottom = ((column, y) for y in ends)
                axes.annotate("", top, bottom, arrowprops=ARROW)
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
    text = f"{box.name}\n{box.maps:,} maps" + (f" of {sides}" if wide else "")
    if box.multiplications:  # in full, if the box has room for it
        form = "," if box.multiplications < 1e11 else ".3e"
        text += f"\n{box.multiplications:{form}}"
    color = "white" if box.color in DARK else "black"
    centred = {"ha": "center", "va": "center", "fontsize": 11}
    axes.text(box.column, box.row, text, color=color, **centred)


def draw_computation(file: BinaryIO, what: Inception) -> None:
    """Draw the maps that the 5x5 branch reads and gives, as a PNG into the file."""
    figure = _figure(10, 6)
    for axes, kind in zip(figure.subplots(2, 1), reversed(MODULES), strict=True):
        layers = [x for x in what.layers(kind) if x.branch == "5x5"]
        equation = " + ".join(f"{x.multiplications:,}" for x in layers)
        if len(layers) > 1:
            equation += f" = {counts.multiplications(layers):,}"
        title = f"5×5 branch, {kind}: {equation} multiplications"
        axes.set_title(title, fontsize=13)
        _draw_chain(axes, layers)
    figure.savefig(file, format="png", dpi=110)


def _draw_chain(axes, layers: list[Layer]) -> None:
    """Draw blocks of maps from left to right, each layer's window between them."""
    from matplotlib.patches import Rectangle

    first = layers[0]
    axes.set(xlim=(-0.1, 9.3), ylim=(-0.6, 2.35), aspect="equal")
    axes.set_axis_off()
    blocks = [first.channels_in, *(layer.channels_out for layer in layers)]
    colors = [GREY, *COLORS["5x5"][-len(layers) :]]
    step = 7.9 / len(layers)
    for place, (maps, color) in enumerate(zip(blocks, colors, strict=True)):
        left = place * step
        shown = max(1, round(PILE * maps / max(blocks)))
        for back in reversed(range(shown)):
            corner = left + SHIFT * back, SHIFT * back
            axes.add_patch(Rectangle(corner, MAP, MAP, fc=color, ec="black", lw=0.5))
        text = f"{maps:,} maps of {first.height}×{first.width}"
        axes.text(left + MAP / 2, -0.12, text, ha="center", va="top", fontsize=11)
        if place < len(layers):
            middle = (left + MAP + SHIFT * (shown - 1) + left + step) / 2
            _draw_window(axes, left, step, middle, layers[place])


def _draw_window(axes, left: float, step: float, middle: float, each: Layer) -> None:
    """Draw what one value of the next block is computed from, and what that costs."""
    from matplotlib.patches import Rectangle

    pixel = MAP / each.height
    size = min(each.kernel * pixel, MAP)
    bottom, margin = max(MAP / 3, size / 2), min(3 * pixel, (MAP - size) / 2)
    face: dict[str, Any] = {"fc": "white", "ec": "black", "lw": 0.8, "zorder": 3}
    corner = left + MAP - size - margin, bottom - size / 2
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
    height = max(0.62, bottom + size / 2)
    axes.text(middle, height, text, ha="center", va="bottom", fontsize=11)

"""The figure of `inception_mnist.operations`: bars of multiplications by branch."""

from collections.abc import Sequence
from typing import BinaryIO

from inception_mnist import arithmetic
from inception_mnist.arithmetic import GOOGLENET, MODULES, Layer

MILLION = 1e6
# By branch, from the ground up: the post's branch first, where all bars begin.
COLORS = {
    "5x5": ("#f4a582", "#c0392b"),  # of the 1x1 reduction, of what follows it
    "3x3": ("#a6c8e4", "#1f5a96"),
    "1x1": ("#000000", "#e3b23c"),  # has no reduction
    "pool": ("#000000", "#7a9a5b"),
}
WIDTH, GAP_BETWEEN = 0.37, 0.04
Pair = dict[str, Sequence[Layer]]  # the layers of each kind of module


def draw(file: BinaryIO, settings: dict[str, int | str]) -> None:
    """Draw naive beside reduced modules: GoogLeNet's, and those of the model.

    Args:
        file: to write the PNG into.
        settings: the arguments of `arithmetic.model_layers`.
    """
    from matplotlib.figure import Figure

    pairs, model = _googlenet_pairs(), _model_pairs(settings)
    figure = Figure(figsize=(13, 6.5), layout="constrained")
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


def _googlenet_pairs() -> dict[str, Pair]:
    return {
        f"{name}\n{each.height}×{each.width}×{each.channels_in}": {
            kind: each.layers(kind) for kind in MODULES
        }
        for name, each in GOOGLENET.items()
    }


def _model_pairs(settings: dict[str, int | str]) -> dict[str, Pair]:
    models = {
        kind: arithmetic.model_layers(**settings | {"module": kind}) for kind in MODULES
    }
    pairs = {}
    for number in (1, 2):
        pair = {
            kind: [layer for layer in layers if layer.module == number]
            for kind, layers in models.items()
        }
        reads = {kind: layers[0].convolution for kind, layers in pair.items()}
        side = reads["naive"].height
        channels = dict.fromkeys(reads[x].channels_in for x in reversed(MODULES))
        inputs = f"{side}×{side}×" + " | ".join(map(str, channels))
        pairs[f"module {number}\n{inputs}"] = pair
    return pairs


def _draw_pairs(axes, pairs: dict[str, Pair]) -> None:
    for place, pair in enumerate(pairs.values()):
        tops = {kind: _draw_bar(axes, place, kind, pair[kind]) for kind in MODULES}
        factor = tops["naive"] / tops["reduced"]
        axes.annotate(
            f"÷ {factor:.1f}" if factor >= 1 else f"× {1 / factor:.1f}",
            (place + _side("reduced"), tops["reduced"]),
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


def _side(kind: str) -> float:
    """Where the middle of the bar lies, from the middle of its pair."""
    offset = (WIDTH + GAP_BETWEEN) / 2
    return -offset if kind == "naive" else offset


def _draw_bar(axes, place: int, kind: str, layers: Sequence[Layer]) -> float:
    """Returns the bar's height in millions."""
    bottom = 0.0
    counts = arithmetic.by_branch(layers)
    for branch, colors in COLORS.items():
        for color, count in zip(colors, counts[branch], strict=True):
            height = count / MILLION
            axes.bar(
                place + _side(kind), height, WIDTH, bottom, color=color, linewidth=0
            )
            bottom += height
    return bottom


def _legend() -> list:
    """From the top down, as the bars are."""
    from matplotlib.patches import Patch

    def patch(branch: str, reduction: bool, label: str) -> Patch:
        return Patch(color=COLORS[branch][not reduction], label=label)

    return [
        patch("pool", False, "1×1 after the max pooling (reduced module only)"),
        patch("1x1", False, "1×1"),
        patch("3x3", False, "3×3"),
        patch("3x3", True, "1×1 reduction before 3×3"),
        patch("5x5", False, "5×5"),
        patch("5x5", True, "1×1 reduction before 5×5"),
    ]


def _annotate_post(axes) -> None:
    """The post's two numbers, at the 5x5 branch of the first pair."""
    from matplotlib.patheffects import withStroke

    highest = axes.get_ylim()[1]
    edge = _side("reduced") + WIDTH / 2
    labels = (  # kind, height of the text, where the arrow begins and where it ends
        ("naive", 0.4, _side("naive"), _side("naive"), 0.5),
        ("reduced", 0.52, edge + 0.13, edge, 0.6),
    )
    for kind, text_height, start, end, part in labels:
        count = sum(arithmetic.by_branch(GOOGLENET["3a"].layers(kind))["5x5"])
        bottom = text_height * highest
        text = f"post, 5×5,\n{kind}:\n{count:,}"
        axes.text(-0.47, bottom, text, fontsize=9.5, color=COLORS["5x5"][1])
        axes.annotate(
            "",
            (end, part * count / MILLION),
            (start, bottom - 0.005 * highest),
            arrowprops={
                "arrowstyle": "-|>",
                "color": "black",
                "shrinkB": 0,
                "path_effects": [withStroke(linewidth=3, foreground="white")],
            },
        )

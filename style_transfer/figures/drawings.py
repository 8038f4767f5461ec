"""The figures of the post, drawn from arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from style_transfer import images

COLORS = {"red": "#c0392b", "green": "#3f7d3a", "blue": "#1f5a96"}  # of the titles
PATCH = 8  # pixels a side
FRAMES = 6


def grid(panels: dict[str, np.ndarray], columns: int = 3):
    """Draws labelled pictures [height, width, 3] in [0, 255]."""
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    height, width = max(image.shape[:2] for image in panels.values())
    tall = 3.2 * height / width + 0.3
    figure = Figure(figsize=(3.2 * columns, tall * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, (label, image) in zip(axes, panels.items(), strict=False):
        axis.imshow(images.to_picture(image))
        axis.set_title(label, fontsize=10)
    return figure


def colorful_patch(image: np.ndarray) -> tuple[int, int]:
    """Finds row and column where the patch begins in which colour varies most.

    Args:
        image: [height, width, 3], of `PATCH` pixels a side at least.
    """
    color = image - np.mean(image, axis=-1, keepdims=True, dtype=float)
    size = (PATCH, PATCH, 1)
    means, squares = (ndimage.uniform_filter(x, size) for x in (color, color**2))
    half = PATCH // 2  # `uniform_filter` centres its window half a patch in
    inside = slice(half, -half + 1)
    spread = (squares - means**2).sum(axis=-1)[inside, inside]
    row, column = np.unravel_index(spread.argmax(), spread.shape)
    return int(row), int(column)


def maps(image: np.ndarray):
    """Draws the picture and its three maps, with the numbers of a patch beneath each.

    Post, "Computer vision".

    Args:
        image: x_ijk, [height, width, 3] in [0, 255].
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    pixels = np.asarray(images.to_picture(image))
    row, column = colorful_patch(pixels)
    patch = pixels[row : row + PATCH, column : column + PATCH]
    tall = 2.2 * image.shape[0] / image.shape[1]
    figure = Figure(figsize=(10, tall + 2.2 + 0.85), layout="constrained")
    axes = figure.subplots(2, 4, height_ratios=(tall, 2.2))
    titles = {"the picture, $x_{ijk}$": "black"} | {
        f"{name} map, $x_{{ij{k}}}$": color
        for k, (name, color) in enumerate(COLORS.items(), start=1)
    }
    for place, (title, color) in enumerate(titles.items()):
        whole, part = (x if place == 0 else x[..., place - 1] for x in (pixels, patch))
        above, below = axes[:, place]
        above.imshow(whole, cmap="gray", vmin=0, vmax=255)
        above.set_title(title, color=color, fontsize=12)
        corner = column - 0.5, row - 0.5
        for edge, line in (("black", 3), ("#ffd34d", 1.4)):
            box = Rectangle(corner, PATCH, PATCH, fill=False, ec=edge, lw=line)
            above.add_patch(box)
        above.set_axis_off()
        below.imshow(part, cmap="gray", vmin=0, vmax=255)
        _rule(below, row, column)
        if place:
            _write_numbers(below, part)
    axes[1][0].set(xlabel="j", ylabel="i")
    return figure


def _rule(axes, row: int, column: int) -> None:
    """Lines between the cells of a patch, and where it lies in the picture."""
    places = np.arange(PATCH)
    axes.set_xticks(places[:: PATCH - 1], column + 1 + places[:: PATCH - 1])
    axes.set_yticks(places[:: PATCH - 1], row + 1 + places[:: PATCH - 1])
    axes.set_xticks(places[1:] - 0.5, minor=True)
    axes.set_yticks(places[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="#888888", linewidth=0.5)
    axes.tick_params(which="both", length=0, labelsize=9)


def _write_numbers(axes, part: np.ndarray) -> None:
    """The intensities of a patch [PATCH, PATCH] in its cells."""
    for (i, j), value in np.ndenumerate(part):
        color = "black" if value > 127 else "white"
        axes.text(j, i, str(value), ha="center", va="center", color=color, fontsize=8.5)


def shown_steps(count: int) -> list[int]:
    """Returns which of steps 0 to `count` to show: both ends, and between doubling."""
    doubling = [round(count / 2**k) for k in reversed(range(FRAMES - 1))]
    return sorted({0, *doubling})


def noise(frames: Sequence[np.ndarray], losses: Sequence[float], target: np.ndarray):
    """Draws white noise becoming a picture, over the curve of its loss.

    Post, "Calculus with images".

    Args:
        frames: the pictures after 0, 1, 2, ... steps, [height, width, 3] each.
        losses: L(y, z) of each frame.
        target: z, of the frames' shape.
    """
    from matplotlib.figure import Figure

    steps = shown_steps(len(frames) - 1)
    panels = {
        f"step {step}\nL = {losses[step]:,.0f}": frames[step] for step in steps
    } | {"the picture\n": target}
    tall = 10 / len(panels) * target.shape[0] / target.shape[1] + 0.5
    figure = Figure(figsize=(10, tall + 2.2), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(tall, 2.2))
    above, below = parts
    strip = above.subplots(1, len(panels))
    for axes, (label, image) in zip(strip, panels.items(), strict=True):
        axes.imshow(images.to_picture(image))
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(label, fontsize=9.5)
        axes.spines[:].set_visible(False)
    curve = below.subplots()
    curve.plot(losses, color="#1f4e79")
    curve.plot(steps, [losses[step] for step in steps], "o", color="#c0392b")
    curve.set(xlabel="step", ylabel="pixel loss L", yscale="log")
    curve.margins(x=0.02)
    curve.grid(alpha=0.3)
    return figure

"""Two pictures for a first run without any file: a photograph and a painting.

The photograph is scikit-learn's `china.jpg` (by 大杨, CC BY 2.0). The painting is made
here, of brush strokes that follow a flow field from coarse to fine (after Hertzmann,
"Painterly Rendering with Curved Brush Strokes of Multiple Sizes", 1998), in the
manner of the night sky that the post uses.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.datasets import load_sample_image

from style_transfer import images

WIDTH, HEIGHT = 768, 608  # pixels that the painting is painted at
SCALE = 2  # painted this much larger, then reduced, for smooth edges
# Each pass of the brush: width in pixels, points along a stroke, coverage.
PASSES = ((22, 14, 3.0), (12, 14, 2.5), (6, 12, 2.0), (3, 10, 0.7))
# Lights in the sky: x, y, radius as fractions of the width; turn of the swirl.
LIGHTS = (
    (0.80, 0.15, 0.058, 1.0),
    (0.20, 0.13, 0.026, -1.0),
    (0.40, 0.09, 0.016, 1.0),
    (0.08, 0.33, 0.018, 1.0),
    (0.60, 0.30, 0.020, -1.0),
    (0.94, 0.38, 0.015, 1.0),
)
# Swirls without a light: x, y, radius, turn.
SWIRLS = ((0.42, 0.27, 0.13, -1.0), (0.24, 0.36, 0.09, 1.0))
HORIZON = 0.56  # as a fraction of the width, from the top


def photograph(size: int) -> np.ndarray:
    """scikit-learn's photograph of a temple.

    Args:
        size: pixels of the longest side.

    Returns:
        float32 [height, width, 3], RGB in [0, 255].
    """
    image = np.float32(load_sample_image("china.jpg"))
    return _scaled(image, size)


def painting(size: int, seed: int = 0) -> np.ndarray:
    """A night over hills and water, in brush strokes; the seed places the strokes.

    Args:
        size: pixels of the longest side.
        seed: of the strokes.

    Returns:
        float32 [height, width, 3], RGB in [0, 255].
    """
    return _scaled(_paint(seed), size)


def _scaled(image: np.ndarray, size: int) -> np.ndarray:
    factor = size / max(image.shape)
    height, width = (round(side * factor) for side in image.shape[:2])
    return images.resize(image, height, width)


@functools.lru_cache(maxsize=1)
def _paint(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    colors, angles = _scene()
    shape = (WIDTH * SCALE, HEIGHT * SCALE)
    paint = Image.fromarray(np.uint8(colors * 0.8)).resize(shape)
    relief = Image.new("L", shape, 128)
    for width, points, coverage in PASSES:
        _brush(paint, relief, colors, angles, generator, width, points, coverage)
    height = np.asarray(relief.resize((WIDTH, HEIGHT), Image.Resampling.BOX), float)
    slope = ndimage.gaussian_filter(
        height, 0.6, order=(1, 0)
    ) + ndimage.gaussian_filter(height, 0.6, order=(0, 1))  # lit from the upper left
    canvas = np.asarray(paint.resize((WIDTH, HEIGHT), Image.Resampling.BOX), float)
    return np.float32(np.clip(canvas + 0.55 * slope[..., None], 0, 255))


def _scene() -> tuple[np.ndarray, np.ndarray]:
    """What is painted: colours [H, W, 3] in [0, 255] and stroke angles [H, W]."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] / WIDTH
    colors, flow = _sky(x, y)
    for depth, (base, color) in enumerate(
        ((0.50, (58, 84, 138)), (0.535, (38, 62, 104)), (0.57, (20, 38, 66)))
    ):
        waves = np.sin(x * (7 + 3 * depth) + 2.1 * depth) + 0.5 * np.sin(
            x * (17 + 5 * depth) + depth
        )
        ridge = base - (0.045 - 0.008 * depth) * waves
        hill = (y > ridge)[..., None]
        lit = np.clip(1.25 - 5 * (y - ridge), 0.7, 1.25)[..., None]
        colors = np.where(hill, np.array(color) * lit, colors)
        flow = np.where(
            hill[..., 0], np.exp(1j * np.gradient(ridge, axis=1) * WIDTH), flow
        )
    water = y > HORIZON + 0.04 + 0.01 * np.sin(9 * x)
    ripple = 0.5 + 0.5 * np.sin(190 * y + 9 * np.sin(7 * x))
    sea = _mix(np.array((24, 58, 112)), np.array((62, 124, 168)), ripple)
    for light_x, _, radius, _ in LIGHTS:  # each light's path over the water
        glow = np.exp(-(((x - light_x) / (0.9 * radius + 0.008)) ** 2)) * (
            0.3 + 0.7 * ripple
        )
        sea = _mix(sea, np.array((250, 206, 96)), glow)
    colors = np.where(water[..., None], sea, colors)
    flow = np.where(water, np.exp(0.25j * np.sin(14 * x + 40 * y)), flow)
    return np.clip(colors, 0, 255), np.angle(flow)


def _sky(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours of the sky, and its flow as complex numbers."""
    height = np.clip(y / HORIZON, 0, 1)
    flow = np.exp(1j * (0.35 * np.sin(6 * x + 1) + 0.25 * np.sin(13 * y)))
    spiral = np.zeros_like(x)
    for centre_x, centre_y, radius, turn in (*LIGHTS, *SWIRLS):
        offset = (x - centre_x) + 1j * (y - centre_y)
        distance = np.abs(offset) + 1e-6
        reach = np.exp(-((distance / (2.6 * radius + 0.02)) ** 2))
        flow = flow + 6 * reach * (1j * turn * offset / distance)
    for centre_x, centre_y, radius, turn in SWIRLS:
        offset = (x - centre_x) + 1j * (y - centre_y)
        arms = np.cos(2 * turn * np.angle(offset) + 55 * np.abs(offset))
        spiral += arms * np.exp(-((np.abs(offset) / (1.1 * radius)) ** 2))
    bands = 0.5 + 0.5 * np.sin(26 * y + 5 * np.sin(5 * x) + 2 * np.sin(11 * x + 8 * y))
    colors = _mix(np.array((18, 34, 98)), np.array((64, 120, 190)), height**1.5)
    colors = _mix(colors, np.array((128, 178, 214)), 0.45 * bands)
    colors = _mix(colors, np.array((236, 232, 196)), np.clip(0.75 * spiral, 0, 1))
    colors = _mix(colors, np.array((14, 28, 88)), np.clip(-0.8 * spiral, 0, 1))
    colors = _mix(colors, np.array((238, 176, 96)), 0.8 * height**7)
    for centre_x, centre_y, radius, _ in LIGHTS:
        distance = np.hypot(x - centre_x, y - centre_y) / radius
        rings = 0.65 + 0.35 * np.cos(5.5 * distance)
        halo = np.exp(-((distance / 2.1) ** 2)) * rings
        colors = _mix(colors, np.array((246, 206, 84)), np.clip(1.1 * halo, 0, 1))
        colors = _mix(colors, np.array((255, 248, 206)), np.exp(-(distance**4)))
    return colors, flow


def _mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first + (second - first) * np.asarray(share)[..., None]


def _brush(
    paint: Image.Image,
    relief: Image.Image,
    colors: np.ndarray,
    angles: np.ndarray,
    generator: np.random.Generator,
    width: int,
    points: int,
    coverage: float,
) -> None:
    """One pass of strokes of one width over both `paint` and its `relief`."""
    length = 0.45 * width * points
    count = int(coverage * WIDTH * HEIGHT / (width * length))
    y = generator.uniform(0, HEIGHT, count)
    x = generator.uniform(-0.5 * length, WIDTH, count)  # most strokes go right
    color = colors[y.astype(int), np.maximum(x, 0).astype(int)]
    color = color * generator.normal(1.0, 0.09, (count, 1))
    color = color + generator.normal(0.0, 9.0, (count, 3))
    paths = np.empty((points, count, 2))
    normals = np.empty((points, count, 2))
    for point in range(points):
        row = np.clip(y, 0, HEIGHT - 1).astype(int)
        column = np.clip(x, 0, WIDTH - 1).astype(int)
        angle = angles[row, column]
        paths[point] = np.stack([x, y], axis=1)
        normals[point] = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
        x = x + 0.45 * width * np.cos(angle)
        y = y + 0.45 * width * np.sin(angle)
    bristles = max(3, width // 2)
    across = np.linspace(-0.5, 0.5, bristles) * width
    shade = generator.normal(0.0, 0.10, (count, bristles))
    heights = np.uint8(np.clip(128 + 420 * shade, 0, 255))
    tints = np.uint8(np.clip(color[:, None] * (1 + shade[..., None]), 0, 255))
    thickness = round(SCALE * width / bristles) + 1
    draw_paint, draw_relief = ImageDraw.Draw(paint), ImageDraw.Draw(relief)
    for stroke in range(count):
        for bristle in generator.permutation(bristles):
            line = paths[:, stroke] + across[bristle] * normals[:, stroke]
            line = [tuple(point) for point in line * SCALE]
            draw_paint.line(line, tuple(tints[stroke, bristle].tolist()), thickness)
            draw_relief.line(line, int(heights[stroke, bristle]), thickness)

"""Pictures of one digit from any file, brought to the geometry of MNIST.

MNIST's digits are 20 pixels on their longer side, light on dark, and their centre of
mass is the centre of 28 x 28 (yann.lecun.com/exdb/mnist).
"""

import os

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from runkit import pictures

SIDE, LONGER = 28, 20  # pixels, of the picture and of the digit inside
MOST_PIXELS = 89_478_485  # of a file, where Pillow begins to warn
WORK = 512  # pixels; larger pictures are scaled down to it first
RING = 0.08  # of the picture's sides: where the paper's brightness is measured
STROKE = 0.12  # least width of a stroke, of the digit's longer side; MNIST's: 0.15
SPECK = 0.05  # of the largest part's area: smaller ones are no part of the digit
LEAST_CONTRAST = 5.0  # of ink, in standard deviations of the paper
LEAST_RANGE = 0.01  # of ink, of the picture's brightest value
FAINT = 0.05  # of the ink's strength: less is none
SIMILAR = 0.5  # of the tallest part's height: a part as tall may be another digit
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")


def in_folder(path: str) -> list[str]:
    """Return the picture files of a folder, by name."""
    names = sorted(x.name for x in os.scandir(path) if x.is_file())
    return [os.path.join(path, x) for x in names if x.lower().endswith(SUFFIXES)]


def read_picture(path: str, as_it_is: bool = False) -> tuple[np.ndarray, str]:
    """Read a picture of one digit, dark on light or light on dark.

    It may have any size, and is turned upright by its EXIF; transparency is laid on
    white. The light may be uneven and the paper grainy; shadows with an edge and things
    beside the digit are beyond this function. A 28 x 28 picture with a black border is
    MNIST's kind and is returned as it is.

    Args:
        path: The picture.
        as_it_is: Whether any 28 x 28 picture is returned as it is.

    Returns:
        uint8 [28, 28], light on dark; and a warning if there may be two digits, or "".

    Raises:
        OSError: There is no such file, it is no picture, or it is damaged.
        ValueError: It has too many pixels, or there is no digit on it.
    """
    with pictures.opened(path, MOST_PIXELS) as file:
        grey = _to_grey(file)
    bytes_already = grey.shape == (SIDE, SIDE) and grey.max() <= 255
    if is_like_mnist(grey) or (as_it_is and bytes_already):
        return grey.astype(np.uint8), ""
    ink = _find_ink(grey)
    if ink is None:
        raise ValueError(
            f"{path}: no digit found: it must be darker or lighter than its background"
        )
    return _to_mnist(ink), _two_digits(ink)


def _two_digits(ink: np.ndarray) -> str:
    """Warn of two parts side by side, or one above the other, of similar size."""
    parts, _ = ndimage.label(ink > 0, np.ones((3, 3)))
    boxes = [
        (rows.start, rows.stop, columns.start, columns.stop)
        for rows, columns in ndimage.find_objects(parts)
    ]
    tall = max(bottom - top for top, bottom, _, _ in boxes)
    large = [box for box in boxes if box[1] - box[0] > SIMILAR * tall]
    for place, (top, bottom, left, right) in enumerate(large):
        for other in large[place + 1 :]:
            beside = min(right, other[3]) <= max(left, other[2])
            above = min(bottom, other[1]) <= max(top, other[0])
            if beside or above:
                return "there may be two digits in this picture: crop it to one"
    return ""


def is_like_mnist(grey: np.ndarray) -> bool:
    """Tell whether grey [H, W] is 28 x 28 bytes, something inside a black border."""
    if grey.shape != (SIDE, SIDE) or grey.max() > 255 or (grey % 1).any():
        return False
    return 0 < grey.sum() == grey[1:-1, 1:-1].sum()


def otsu(values: np.ndarray) -> float:
    """Return the threshold that leaves the least variance within its two sides.

    Otsu 1979: it maximizes w_0 w_1 (m_0 - m_1)^2, weights and means of the sides.
    """
    counts, edges = np.histogram(values, 256)
    w_0 = counts.cumsum()
    w_1 = values.size - w_0
    sums = (counts * (edges[:-1] + edges[1:]) / 2).cumsum()
    m_0, m_1 = sums / w_0.clip(1), (sums[-1] - sums) / w_1.clip(1)
    return edges[1 + np.argmax(w_0 * w_1 * (m_0 - m_1) ** 2)]


def _to_grey(file: Image.Image) -> np.ndarray:
    """Return float32 [H, W], upright, at most `WORK` a side; 0 is black."""
    picture = ImageOps.exif_transpose(file)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;16"):
        picture = picture.convert("L")
    picture = Image.fromarray(np.asarray(picture, np.float32))
    picture.thumbnail((WORK, WORK), Image.Resampling.BOX)
    return np.asarray(picture)


def _paper(grey: np.ndarray) -> np.ndarray:
    """Fit the paper's brightness, [H, W]: a quadratic surface through the outer ring.

    What lies far from the surface there is taken for ink and left out of the next fit.
    """
    height, width = grey.shape
    y, x = np.meshgrid(
        np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij"
    )
    ring = np.maximum(abs(y), abs(x)) >= 1 - 2 * RING
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    here, values = terms[ring], grey[ring]
    far = abs(values - np.median(values))
    for _ in range(4):
        near = far <= 3 * np.median(far)
        surface = np.linalg.lstsq(here[near], values[near], rcond=None)[0]
        far = abs(values - here @ surface)
    return terms @ surface


def _find_ink(grey: np.ndarray) -> np.ndarray | None:
    """Return how far each pixel stands out, [H, W]; None if nothing does."""
    contrast = ndimage.gaussian_filter(grey - _paper(grey), max(grey.shape) / WORK)
    strength = np.abs(contrast)
    ink = contrast * np.sign(contrast[strength >= otsu(strength)].sum())
    mask = ink > otsu(ink.clip(0))
    off = contrast[~ndimage.binary_dilation(mask, iterations=2)]
    noise = off.std() if off.size else 0
    least = max(LEAST_CONTRAST * noise, LEAST_RANGE * grey.max())
    if not mask.any() or np.median(ink[mask]) <= least:
        return None
    parts, _ = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(parts[mask])
    digit = mask & (areas >= SPECK * areas.max())[parts]
    ink = np.where(ndimage.binary_dilation(digit, np.ones((3, 3))), ink, 0)
    ink = (ink / np.percentile(ink[digit], 90)).clip(0, 1)
    return np.where(ink > FAINT, ink, 0)


def _to_mnist(ink: np.ndarray) -> np.ndarray:
    """Crop, scale and centre ink [H, W] in [0, 1] to uint8 [28, 28]."""
    ink = _crop(ink)
    stroke = 2 * ndimage.distance_transform_edt(np.pad(ink, 1) > 0.5).max()
    missing = STROKE * max(ink.shape) - stroke
    if missing >= 1:  # a thin pen would fade to nothing at 20 pixels
        size = 1 + round(missing)
        ink = _crop(ndimage.grey_dilation(np.pad(ink, size), (size, size)))
    scale = LONGER / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    resized = picture.resize((width, height), Image.Resampling.BICUBIC)
    small = np.asarray(resized).clip(0)
    shift = np.rint(SIDE / 2 - np.array(ndimage.center_of_mass(small))).astype(int)
    top, left = shift.clip(0, SIDE - np.array(small.shape))
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = np.rint(255 * small / small.max())
    return image


def _crop(ink: np.ndarray) -> np.ndarray:
    return ink[ndimage.find_objects((ink > 0).astype(int))[0]]

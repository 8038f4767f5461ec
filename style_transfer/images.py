"""Pictures in and out: any file that Pillow reads becomes RGB floats in [0, 255].

Post, "Computer vision": a colour image is a 3D tensor x_ijk of pixel intensities.
"""

import io
import os
import warnings
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from style_transfer.config import SMALLEST_SIDE

MOST_PIXELS = 178_000_000  # past this, a small file can fill the memory


def load_image(path: str, size: int | None = None) -> np.ndarray:
    """Read one picture as a person would see it.

    The first frame of an animation; turned upright by EXIF; brought to sRGB from its
    ICC profile; transparency laid on white; grey, palette, CMYK and 16-bit widened or
    narrowed to 8-bit RGB.

    Args:
        path: of the picture.
        size: pixels of the longest side to scale to; None keeps the size.

    Returns:
        float32 [height, width, 3], RGB in [0, 255].

    Raises:
        OSError: no such file, a directory, not a picture, or a truncated one.
        ValueError: more than `MOST_PIXELS` pixels, or too small once scaled.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"picture {path}: is a directory: name a file")
    if not os.path.exists(path):
        raise FileNotFoundError(f"picture {path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                if file.width * file.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                picture = _as_seen(file)
    except Image.DecompressionBombError:
        raise ValueError(
            f"picture {path}: has over {MOST_PIXELS} pixels: scale it down first"
        ) from None
    except UnidentifiedImageError:
        raise OSError(f"picture {path}: is empty or no picture that is known") from None
    except (OSError, SyntaxError, EOFError, ValueError) as error:  # Pillow, on damage
        raise OSError(f"picture {path}: cannot be read: {error}") from error
    if size is not None:
        picture = _scale(picture, size)
    if min(picture.size) < SMALLEST_SIDE:
        raise ValueError(
            f"picture {path}: {picture.width}x{picture.height} pixels at this size, "
            f"and five poolings need {SMALLEST_SIDE} on the shortest side"
        )
    return np.asarray(picture, np.float32)


def dimensions(path: str) -> tuple[int, int] | None:
    """Height and width as the file has them; None if `load_image` would refuse it."""
    try:
        with Image.open(path) as file:
            return file.height, file.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def load_mask(path: str, height: int, width: int) -> np.ndarray:
    """Read a picture as a region: white is inside, black is not.

    Args:
        path: of the picture, see `load_image`.
        height: to scale to, pixels.
        width: to scale to, pixels.

    Returns:
        float32 [height, width] in [0, 1].

    Raises:
        OSError: see `load_image`.
        ValueError: all of it is black.
    """
    mask = resize(load_image(path), height, width).mean(axis=-1) / 255
    if mask.max() < 0.5:
        raise ValueError(f"mask {path}: no part of it is white")
    return mask


def _as_seen(file: Image.Image) -> Image.Image:
    """An upright 8-bit sRGB copy of the first frame of an open file."""
    file.seek(0)
    profile = file.info.get("icc_profile")
    picture = ImageOps.exif_transpose(file)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _narrow(picture).convert("RGB")
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode == "La":
        picture = picture.convert("LA")
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    if alpha is not None:
        picture = picture.convert("L" if picture.mode == "LA" else "RGB")
    picture = _to_srgb(picture, profile)
    if alpha is not None:
        white = Image.new("RGB", picture.size, "white")
        picture = Image.composite(picture, white, alpha)
    return picture


def _narrow(picture: Image.Image) -> Image.Image:
    """Integer grey from [0, 65535], float grey from [0, 1] or [0, 255], to 8 bits."""
    values = np.asarray(picture, np.float64)
    white = 65535.0
    if picture.mode == "F":
        white = 1.0 if values.max() <= 1.0 else 255.0
    low, high = min(0.0, values.min()), max(white, values.max())
    return Image.fromarray(np.uint8(np.round((values - low) * 255.0 / (high - low))))


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB by the picture's ICC profile; by Pillow's own rules if that is unusable."""
    if profile:
        try:
            return ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a damaged profile, or one for another mode, does not spoil a picture
    return picture.convert("RGB")


def _scale(picture: Image.Image, size: int) -> Image.Image:
    factor = size / max(picture.size)
    shape = [max(1, round(side * factor)) for side in picture.size]
    return picture.resize(shape, Image.Resampling.LANCZOS)


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """`image` [h, w, 3] in [0, 255] as float32 [height, width, 3]."""
    picture = to_picture(image).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture, np.float32)


def resize_mask(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """`mask` [h, w] in [0, 1] as float32 [height, width]."""
    picture = Image.fromarray(np.uint8(np.round(255 * mask)))
    return np.float32(picture.resize((width, height), Image.Resampling.BOX)) / 255


def to_picture(image: np.ndarray) -> Image.Image:
    """A Pillow picture of `image` [height, width, 3], RGB, clipped to [0, 255]."""
    return Image.fromarray(np.uint8(np.clip(np.round(image), 0, 255)))


def save_image(path: str, image: np.ndarray) -> None:
    """Write `image` [height, width, 3] in [0, 255]; the ending of `path` says how."""
    format_ = Image.registered_extensions()[os.path.splitext(path)[1].lower()]
    options = {"quality": 95} if format_ == "JPEG" else {}
    write_whole(path, lambda file: to_picture(image).save(file, format_, **options))


def save_animation(path: str, frames: list[np.ndarray], longest: int = 480) -> None:
    """Write `frames`, each [height, width, 3] in [0, 255], as a looping GIF.

    Args:
        path: of the GIF.
        frames: at least one, of any sizes; the last gives the shape and stays for
            two seconds.
        longest: pixels that no side of the GIF passes.
    """
    height, width = frames[-1].shape[:2]
    factor = min(1.0, longest / max(height, width))
    shape = round(width * factor), round(height * factor)
    pictures = [to_picture(frame).resize(shape) for frame in frames]
    durations = [150] * (len(pictures) - 1) + [2000]  # milliseconds
    write_whole(
        path,
        lambda file: pictures[0].save(
            file,
            "GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=durations,
            loop=0,
        ),
    )


def check_writable(path: str) -> None:
    """Raise now what writing a picture to `path` would raise after the run.

    Raises:
        ValueError: an ending that no picture format has.
        OSError: a directory, or in a folder that cannot be made or written.
    """
    ending = os.path.splitext(path)[1].lower()
    format_ = Image.registered_extensions().get(ending)
    if format_ not in Image.SAVE:
        raise ValueError(f"output {path}: no picture format {ending!r}: end it in .png")
    if os.path.isdir(path):
        raise IsADirectoryError(f"output {path}: is a directory: name a file")
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"output {path}: no permission to write into {folder}")


def write_whole(path: str, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all: beside its name first, then moved onto it.

    Args:
        path: of the file.
        write: puts the content into an open binary file.
    """
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)

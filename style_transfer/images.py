"""Pictures in and out: any file that Pillow reads becomes RGB floats in [0, 255].

Post, "Computer vision": a colour image is a 3D tensor x_ijk of pixel intensities.
"""

import contextlib
import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from runkit import files, pictures
from style_transfer.config import SMALLEST_SIDE

TRIAL = (300, 400)  # pixels of a picture that tries a format
Source = str | Image.Image  # a file, or a picture in memory
TRANSPARENT = ("PNG", "WEBP", "TIFF")  # formats that keep transparency


def as_source(picture: Any) -> Source:
    """Returns a path as text, Pillow's picture as it is, or that of an array.

    Args:
        picture: The path; the picture; or grey [height, width], RGB [height, width, 3]
            or RGBA [height, width, 4], of integers in [0, 255] or of floats in [0, 1]
            or [0, 255], which the greatest value tells apart.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    if isinstance(picture, Image.Image):
        return picture
    values = np.asarray(picture)
    grey = values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 1)
    if not (grey or values.shape[2:] in ((3,), (4,))):
        raise ValueError(
            f"picture: {values.dtype} {list(values.shape)}: a path, a picture of "
            "Pillow, or an array [height, width], [height, width, 3] or [height, "
            "width, 4] is needed"
        )
    shape = values.shape[:2] if grey else values.shape
    return Image.fromarray(pictures.as_bytes("picture", values).reshape(shape))


def load_image(path: Source, size: int = 0, aspect: float = 0.0) -> np.ndarray:
    """Reads one picture as a person would see it.

    The first frame of an animation; turned upright by EXIF; brought to sRGB from its
    ICC profile; transparency laid on white; grey, palette, CMYK and 16-bit widened or
    narrowed to 8-bit RGB.

    Args:
        path: The picture.
        size: Pixels of the longest side to scale to; 0 keeps the size.
        aspect: Width over height to crop to, around the middle; 0 crops nothing.

    Returns:
        float32 [height, width, 3], RGB in [0, 255].

    Raises:
        OSError: There is no such file; or it is no picture, or a truncated one.
        ValueError: It is larger than `pictures.opened` reads, or too small once scaled.
    """
    picture, _ = _load(path, size, aspect)
    if min(picture.size) < SMALLEST_SIDE:
        raise ValueError(
            f"picture {path}: {picture.width}x{picture.height} pixels at this size, "
            f"and the network needs {SMALLEST_SIDE} on the shortest side"
        )
    return np.asarray(picture, np.float32)


def load_opacity(path: Source, size: int = 0, aspect: float = 0.0) -> np.ndarray | None:
    """Reads how opaque a picture is.

    Args:
        path: The picture.
        size: See `load_image`.
        aspect: See `load_image`.

    Returns:
        uint8 [height, width] in [0, 255]; None where the picture is opaque.
    """
    _, opacity = _load(path, size, aspect)
    return None if opacity is None else np.asarray(opacity)


def _load(
    path: Source, size: int, aspect: float
) -> tuple[Image.Image, Image.Image | None]:
    """The picture in RGB, and its opacity if it has any transparency."""
    picture, opacity = _read(path) if isinstance(path, str) else _as_seen(path)
    picture = _scaled(picture, size, aspect)
    return picture, opacity and _scaled(opacity, size, aspect)


def _read(path: str) -> tuple[Image.Image, Image.Image | None]:
    """What `_as_seen` makes of a file."""
    with pictures.opened(path) as file:
        return _as_seen(file)


def scaled_size(
    shape: tuple[int, int], size: int, aspect: float = 0.0
) -> tuple[int, int]:
    """Returns width and height of a picture of `shape`, cropped and scaled.

    Args:
        shape: Its width and height.
        size: Pixels of the longest side; 0 does not scale.
        aspect: Width over height; 0 does not crop.
    """
    width, height = shape
    if aspect:
        width, height = (
            max(1, round(min(width, height * aspect))),
            max(1, round(min(height, width / aspect))),
        )
    factor = size / max(width, height) if size else 1
    return max(1, round(width * factor)), max(1, round(height * factor))


def _scaled(picture: Image.Image, size: int, aspect: float) -> Image.Image:
    """A picture cropped around its middle, and scaled."""
    width, height = scaled_size(picture.size, 0, aspect)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    picture = picture.crop((left, top, left + width, top + height))
    shape = scaled_size(picture.size, size)
    return picture.resize(shape, Image.Resampling.LANCZOS)


def dimensions(path: Source) -> tuple[int, int] | None:
    """Returns height and width as seen; None if `load_image` would refuse the file."""
    try:
        with Image.open(path) if isinstance(path, str) else path.copy() as file:
            turned = file.getexif().get(0x0112, 1) >= 5
            return (file.width, file.height) if turned else (file.height, file.width)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def load_mask(path: Source, height: int, width: int, aspect: float = 0.0) -> np.ndarray:
    """Reads a picture of any size as a region: white is inside, black is not.

    Args:
        path: The picture, see `load_image`.
        height: Pixels to scale to.
        width: Pixels to scale to.
        aspect: See `load_image`.

    Returns:
        float32 [height, width] in [0, 1].

    Raises:
        OSError: See `load_image`.
        ValueError: All of it is black.
    """
    picture = np.asarray(_load(path, 0, aspect)[0], np.float32)
    mask = resize(picture, height, width).mean(axis=-1) / 255
    if mask.max() < 0.5:
        raise ValueError(f"mask {path}: no part of it is white")
    return mask


def _as_seen(file: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """An upright 8-bit sRGB copy of the first frame of a file, and its opacity."""
    file.seek(0)
    profile = file.info.get("icc_profile")
    picture: Image.Image = ImageOps.exif_transpose(file)
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _narrow(picture).convert("RGB"), None
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode == "La":
        picture = picture.convert("LA")
    if picture.mode not in ("LA", "RGBA"):
        return _to_srgb(picture, profile), None
    alpha = picture.getchannel("A")
    picture = _to_srgb(picture.convert(picture.mode[:-1]), profile)
    white = Image.new("RGB", picture.size, "white")
    picture = Image.composite(picture, white, alpha)
    return picture, None if alpha.getextrema() == (255, 255) else alpha


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
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            seen = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
            return seen or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a damaged profile, or one for another mode, does not spoil a picture
    return picture.convert("RGB")


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns `image` [h, w, 3] in [0, 255] as float32 [height, width, 3]."""
    picture = to_picture(image).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture, np.float32)


def resize_mask(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns `mask` [h, w] in [0, 1] as float32 [height, width]."""
    picture = Image.fromarray(np.uint8(np.round(255 * mask)))
    small = picture.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


def to_picture(image: np.ndarray) -> Image.Image:
    """Makes a Pillow picture of `image` [height, width, 3], clipped to [0, 255]."""
    return Image.fromarray(np.uint8(np.clip(np.round(image), 0, 255)))


def save_image(path: str, image: np.ndarray, opacity: np.ndarray | None = None) -> None:
    """Writes a picture; the ending of `path` says in which format.

    Args:
        path: The file.
        image: [height, width, 3] in [0, 255].
        opacity: uint8 [height, width], kept where the format can; None is opaque.
    """
    kind = _format(path)
    picture = to_picture(image)
    if opacity is not None and kind in TRANSPARENT:
        picture.putalpha(Image.fromarray(opacity))
    options = {"quality": 95} if kind == "JPEG" else {}
    files.write_whole(path, lambda file: picture.save(file, kind, **options))


def _format(path: str) -> str:
    """Pillow's name of the format that the ending of `path` stands for."""
    return Image.registered_extensions().get(os.path.splitext(path)[1].lower(), "")


def save_animation(path: str, frames: Sequence[np.ndarray], longest: int = 480) -> None:
    """Writes `frames`, each [height, width, 3] in [0, 255], as a looping GIF.

    Args:
        path: The GIF.
        frames: One frame at least; the last stays for two seconds.
        longest: Pixels that no side of the GIF exceeds.
    """
    height, width = frames[-1].shape[:2]
    factor = min(1.0, longest / max(height, width))
    shape = round(width * factor), round(height * factor)
    pictures = [to_picture(frame).resize(shape) for frame in frames]
    durations = [150] * (len(pictures) - 1) + [2000]  # milliseconds
    files.write_whole(
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
    """Raises now what writing a picture to `path` would raise after the run.

    Raises:
        ValueError: Its ending is of no format that can hold a colour picture.
        OSError: It is a directory, or in a folder that cannot be made or written.
    """
    kind, trial = _format(path), io.BytesIO()
    try:
        Image.new("RGB", TRIAL).save(trial, kind or "none")
        with contextlib.suppress(UnidentifiedImageError):  # PDF is written alone.
            if Image.open(trial).size != TRIAL:
                raise ValueError("the picture becomes smaller")
    except Exception as error:  # Each of Pillow's writers has its own.
        raise ValueError(
            f"output {path}: no picture format {os.path.splitext(path)[1]!r} that can "
            "hold it in colour: end it in .png"
        ) from error
    if os.path.isdir(path):
        raise IsADirectoryError(f"output {path}: is a directory: name a file")
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"output {path}: no permission to write into {folder}")

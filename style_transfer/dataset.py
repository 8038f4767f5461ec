"""Labelled pictures from class folders, or from tars of class folders.

Each picture's class is the folder it lies in, whatever lies above that.
"""

import io
import os
import tarfile
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, UnidentifiedImageError

ENDINGS = (".jpeg", ".jpg", ".png", ".webp")


def read(
    paths: Sequence[str], side: int, classes: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Every picture under `paths`, decoded once.

    Args:
        paths: folders or tars that hold `<class>/<picture>` at any depth.
        side: pixels to which each is cut, centred and square.
        classes: the names whose indices are the labels; None takes those found.

    Returns:
        Pictures uint8 [n, side, side, 3], labels int32 [n], and the classes.

    Raises:
        OSError: a path that is neither, or a damaged picture.
        ValueError: no picture at all, or a class that is not in `classes`.
    """
    names, pictures = [], []
    for path in paths:
        for member, data in _members(path):
            names.append(os.path.basename(os.path.dirname(member)))
            try:
                with Image.open(io.BytesIO(data)) as file:
                    pictures.append(_square(file.convert("RGB"), side))
            except (UnidentifiedImageError, OSError) as error:
                raise OSError(f"{path}: {member}: no readable picture") from error
    if not pictures:
        raise ValueError(f"{', '.join(paths)}: no picture ({', '.join(ENDINGS)})")
    known = tuple(classes or sorted(set(names)))
    unknown = set(names) - set(known)
    if unknown:
        raise ValueError(f"{', '.join(paths)}: class {min(unknown)!r} is not trained")
    index = {name: number for number, name in enumerate(known)}
    return np.stack(pictures), np.array([index[n] for n in names], np.int32), known


def _members(path: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each picture in a folder or tar, in a fixed order."""
    if os.path.isdir(path):
        for folder, folders, files in os.walk(path):
            folders.sort()
            for name in sorted(files):
                if name.lower().endswith(ENDINGS):
                    with open(os.path.join(folder, name), "rb") as file:
                        yield os.path.join(folder, name), file.read()
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.name.lower().endswith(ENDINGS):
                    yield member.name, archive.extractfile(member).read()
    except tarfile.TarError as error:
        raise OSError(f"{path}: neither a folder nor a tar: {error}") from error


def _square(picture: Image.Image, side: int) -> np.ndarray:
    """The middle of `picture`, uint8 [side, side, 3]."""
    if picture.size != (side, side):
        edge = min(picture.size)
        left, top = (picture.width - edge) // 2, (picture.height - edge) // 2
        box = (left, top, left + edge, top + edge)
        picture = picture.resize((side, side), Image.Resampling.BICUBIC, box)
    return np.asarray(picture)

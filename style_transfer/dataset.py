"""Labelled pictures from class folders or tars of them, and crops to train on.

Each picture's class is the folder it lies in, whatever lies above that.
"""

import io
import math
import os
import tarfile
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from style_transfer.config import Training

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


def augment(
    pictures: tf.Tensor, side: int, training: Training, step: tf.Tensor
) -> tf.Tensor:
    """Crops of random place, size, shape, mirroring, brightness and contrast.

    Args:
        pictures: uint8 [n, h, w, 3].
        side: pixels of the crops.
        training: how far they may vary.
        step: seeds them, with the seed of the training.

    Returns:
        float32 [n, side, side, 3], about [0, 255].
    """
    count = tf.shape(pictures)[0]
    random = tf.random.stateless_uniform([7, count], [training.seed, step])
    area = training.smallest_crop + (1 - training.smallest_crop) * random[0]
    aspect = tf.exp((2 * random[1] - 1) * math.log(4 / 3))
    height = tf.minimum(tf.sqrt(area * aspect), 1.0)
    width = tf.minimum(tf.sqrt(area / aspect), 1.0)
    top, left = random[2] * (1 - height), random[3] * (1 - width)
    mirrored = random[4] < 0.5
    near, far = left, left + width
    boxes = tf.stack(
        [
            top,
            tf.where(mirrored, far, near),
            top + height,
            tf.where(mirrored, near, far),
        ],
        axis=1,
    )
    crops = tf.image.crop_and_resize(pictures, boxes, tf.range(count), [side, side])
    gain = (1 + training.jitter * (2 * random[5] - 1))[:, None, None, None]
    shift = (255 * training.jitter * (random[6] - 0.5))[:, None, None, None]
    return (crops - 127.5) * gain + 127.5 + shift

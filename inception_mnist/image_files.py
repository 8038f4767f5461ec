"""Pictures with labels from MNIST's own idx files, and from folders of pictures."""

import contextlib
import gzip
import os
import zlib

import numpy as np

SIDE = 28  # pixels


def class_folders(path: str) -> tuple[str, ...]:
    """Return the names of a folder's class folders; numbers come in their order."""
    if not os.path.isdir(path):
        return ()
    names = [x.name for x in os.scandir(path) if x.is_dir() and x.name[0] != "."]
    if len(names) < 2:
        raise ValueError(
            f"{path}: in it, a folder of pictures for each class is needed"
        )
    numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=int if numbers else str))


def read_folder(path: str, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Read all pictures of a folder's class folders.

    Those of 28 x 28 are taken as they are, or inverted if most have light borders;
    others are brought to MNIST's geometry.
    """
    from inception_mnist import pictures  # and SciPy

    images, labels = [], []
    for name in class_folders(path):
        if name not in names:
            raise ValueError(f"{path}: there are no training pictures of {name!r}")
        for file in pictures.in_folder(os.path.join(path, name)):
            images.append(pictures.read_picture(file, as_it_is=True)[0])
            labels.append(names.index(name))
    if not images:
        raise ValueError(f"{path}: there are no pictures in its folders")
    stacked = np.stack(images)
    light = np.median(stacked[:, [0, -1]], axis=(1, 2)) > 127
    if light.mean() >= 0.5:
        stacked[light] = 255 - stacked[light]
    return stacked, np.array(labels, np.uint8)


def _open(path: str):
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")


def is_idx(path: str) -> bool:
    """Tell whether a file, plain or gzip, begins as an idx file does."""
    with contextlib.suppress(OSError, EOFError, zlib.error), _open(path) as file:
        return file.read(2) == b"\x00\x00"
    return False


def read_idx(path: str) -> np.ndarray:
    """Read an idx file of MNIST's kind, plain or gzip (yann.lecun.com/exdb/mnist).

    Returns:
        uint8 [N, 28, 28] or uint8 [N].

    Raises:
        OSError: The file is damaged.
        ValueError: It holds something else.
    """
    try:
        with _open(path) as file:
            content = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"{path}: damaged gzip ({error}): fetch it again") from None
    rank = content[3] if content[:3] == b"\x00\x00\x08" else 0
    sizes = content[4 : 4 + 4 * rank].ljust(4 * rank, b"\0")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    if rank not in (1, 3) or shape[1:] not in ((), (SIDE, SIDE)):
        raise ValueError(f"{path}: not an idx file of labels or {SIDE} x {SIDE} pixels")
    values = np.frombuffer(content[4 + 4 * rank :], np.uint8)
    if values.size != np.prod(shape, dtype=object):
        raise OSError(f"{path}: damaged: it should hold {shape} bytes: fetch it again")
    return values.reshape(shape)


def read_idx_pair(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Read an idx file of images, and that of the labels beside it."""
    stem = os.path.basename(path).removesuffix(".gz")
    stem = stem.replace("images", "labels").replace("idx3", "idx1")
    for end in ("", ".gz"):
        other = os.path.join(os.path.dirname(path), stem + end)
        if os.path.isfile(other) and other != path:
            return read_idx(path), read_idx(other)
    raise FileNotFoundError(
        f"{path}: no file of labels beside it: name the images' file of a pair such as "
        "train-images-idx3-ubyte and train-labels-idx1-ubyte"
    )

"""Handwritten digits as uint8 arrays, from csv files, tensorflow_datasets or sklearn.

Post, "Data and preprocessing". A csv file is read by pandas once and kept as an `.npz`.
"""

import contextlib
import dataclasses
import glob
import hashlib
import io
import json
import logging
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from inception_mnist import csv_reader
from inception_mnist.checkpoint import write_whole

DATASETS = ("auto", "csv", "tfds", "digits")
SIDE = 28  # pixels
MNIST_SIZES = (60_000, 10_000)  # what auto takes for MNIST among the files kept
SMALL, BORDER, TEST = 20, 4, 360  # of scikit-learn's digits
ELSE = "give --dataset=digits, or --train_csv and --test_csv"

LATEST = "latest.json"
TIMEOUT = 10.0  # seconds to reach the network


@dataclasses.dataclass(frozen=True)
class Digits:
    """Pictures to train and to test on.

    Attributes:
        name: for people.
        train_images: uint8 [N, 28, 28], light on dark.
        train_labels: uint8 [N], 0 to 9.
        test_images: uint8 [M, 28, 28].
        test_labels: uint8 [M].
        note: how they came to be chosen, where that may surprise; else "".
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    note: str = ""


def load(
    dataset: str, train_csv: str | None, test_csv: str | None, cache: str | None = None
) -> Digits:
    """Digits by the name of their source.

    Args:
        dataset: "csv", "tfds" (MNIST, downloaded if need be; imports TensorFlow),
            "digits" (scikit-learn's), or "auto": the csv files if given, else MNIST as
            an earlier run or tensorflow_datasets keeps it, else digits.
        train_csv: file of the csv source, see `csv_reader.read`.
        test_csv: likewise.
        cache: folder of what was read before; None: `cache_folder()`.

    Raises:
        OSError: no such file, a damaged one, or MNIST did not arrive.
        ValueError: the arguments do not fit together, or a file is not such a table.
    """
    if dataset not in DATASETS:
        raise ValueError(f"--dataset={dataset}: not one of {', '.join(DATASETS)}")
    cache = cache or cache_folder()
    if train_csv or test_csv:
        if dataset not in ("auto", "csv"):
            raise ValueError(
                f"--dataset={dataset} reads no csv: leave out --train_csv and "
                "--test_csv, or give --dataset=csv"
            )
        if not (train_csv and test_csv):
            given, other = ("train", "test") if train_csv else ("test", "train")
            raise ValueError(f"--{given}_csv without --{other}_csv: give both")
        return _from_csv(train_csv, test_csv, cache)
    if dataset == "csv":
        raise ValueError("--dataset=csv: give --train_csv and --test_csv")
    if dataset == "auto":
        return _choose(cache)
    return _from_tfds() if dataset == "tfds" else _from_sklearn()


def split(
    images: np.ndarray, labels: np.ndarray, valid: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and validation set, the post's way: the last ones validate.

    Where they would be more than a fifth of all (scikit-learn's digits), a fifth does.

    Args:
        images: uint8 [N, 28, 28].
        labels: uint8 [N].
        valid: how many validate.

    Returns:
        Training images and labels, validation images and labels.

    Raises:
        ValueError: fewer than five images.
    """
    if len(images) < 5:
        raise ValueError(f"{len(images)} images to train on: at least 5 are needed")
    end = len(images) - min(valid, len(images) // 5)
    return images[:end], labels[:end], images[end:], labels[end:]


def digest(images: np.ndarray, labels: np.ndarray) -> str:
    """A hash of images and their labels."""
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


def cache_folder() -> str:
    """Where csv files that were read are kept."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(folder, "inception_mnist")


def _from_csv(train_csv: str, test_csv: str, cache: str) -> Digits:
    train, test = (_read_cached(path, cache) for path in (train_csv, test_csv))
    if (len(train[0]), len(test[0])) == MNIST_SIZES:
        latest = json.dumps([os.path.realpath(train_csv), os.path.realpath(test_csv)])
        path = os.path.join(cache, LATEST)
        _keep(path, lambda file: file.write(latest.encode()))
    return Digits("mnist (csv)", *train, *test)


def _read_cached(path: str, cache: str) -> tuple[np.ndarray, np.ndarray]:
    """`csv_reader.read`, or what it returned when the file was last like this."""
    kept = _kept_name(path, cache)
    state = os.stat(path) if os.path.isfile(path) else None
    version = state and f"{state.st_size} {state.st_mtime_ns}"
    arrays = _load_kept(kept, version) if version else None
    if arrays is None:
        arrays = csv_reader.read(path)
        named = {"version": version, "images": arrays[0], "labels": arrays[1]}
        _keep(kept, lambda file: np.savez(file, **named))
    return arrays


def _kept_name(path: str, cache: str) -> str:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()
    return os.path.join(cache, f"{digest[:16]}.npz")


def _keep(path: str, write: Callable[[BinaryIO], None]) -> None:
    with contextlib.suppress(OSError):  # a folder that cannot be written: read anew
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_whole(path, write)


def _load_kept(
    path: str, version: str | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Images and labels; None if missing, damaged, or not of the version asked for."""
    try:
        with np.load(path) as file:
            if version is None or str(file["version"]) == version:
                return file["images"], file["labels"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        pass
    return None


def _choose(cache: str) -> Digits:
    with contextlib.suppress(OSError, ValueError, TypeError):  # none, or damaged
        with open(os.path.join(cache, LATEST)) as file:
            paths = json.load(file)
        kept = [_load_kept(_kept_name(path, cache)) for path in paths]
        if all(kept):
            (train, test), note = kept, "MNIST as last read from {} and {}"
            return Digits("mnist (csv)", *train, *test, note.format(*paths))
    folder = _tfds_folder()
    if glob.glob(os.path.join(glob.escape(folder), "mnist", "*", "dataset_info.json")):
        with contextlib.suppress(OSError):
            note = f"MNIST as tensorflow_datasets keeps it in {folder}"
            return dataclasses.replace(_from_tfds(download=False), note=note)
    note = (
        "no MNIST at hand, so scikit-learn's digits; --dataset=tfds downloads MNIST, "
        "--train_csv and --test_csv read it"
    )
    return dataclasses.replace(_from_sklearn(), note=note)


def _tfds_folder() -> str:
    """Where tensorflow_datasets keeps what it has; known without importing it."""
    home = os.path.join(os.path.expanduser("~"), "tensorflow_datasets")
    return os.environ.get("TFDS_DATA_DIR", home)


def _from_tfds(download: bool = True) -> Digits:
    """MNIST as tensorflow_datasets has it, in its own order and its own cache."""
    try:
        with _quiet():
            import requests
            import tensorflow_datasets as tfds

            if not sys.stderr.isatty():
                tfds.disable_progress_bar()
            builder = tfds.builder("mnist", data_dir=_tfds_folder())
            if download and not builder.is_prepared():
                # Left to itself, it tries for minutes where there is no network.
                try:
                    requests.head(builder.URL, timeout=TIMEOUT)
                except requests.RequestException:
                    raise OSError(f"{builder.URL} cannot be reached") from None
                builder.download_and_prepare()
            both = builder.as_dataset(split=["train", "test"], batch_size=-1)
            arrays = []
            for part in tfds.as_numpy(both):
                arrays += [part["image"][..., 0], part["label"].astype(np.uint8)]
    except ImportError as error:
        raise OSError(
            f"--dataset=tfds: {error}: pip install tensorflow-datasets, or {ELSE}"
        ) from None
    except Exception as error:  # of a dozen libraries, each with its own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise OSError(f"--dataset=tfds: no MNIST ({reason}): {ELSE}") from error
    return Digits("mnist (tfds)", *arrays)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drops what tensorflow_datasets prints and logs; its bar and exceptions pass."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _from_sklearn() -> Digits:
    """scikit-learn's 1,797 digits, brought to MNIST's geometry; the last 360 test.

    8x8 pixels of 0 to 16 become 20x20 of 0 to 255, inside a border of 4.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    small, labels = load_digits(return_X_y=True)
    images = np.zeros((len(small), SIDE, SIDE), np.uint8)
    for image, values in zip(images, small, strict=True):
        picture = Image.fromarray((values * 255 / 16).reshape(8, 8).astype(np.float32))
        large = picture.resize((SMALL, SMALL), Image.Resampling.BICUBIC)
        inside = np.rint(large).clip(0, 255)
        image[BORDER:-BORDER, BORDER:-BORDER] = inside
    labels = labels.astype(np.uint8)
    return Digits(
        "scikit-learn digits, not MNIST",
        images[:-TEST],
        labels[:-TEST],
        images[-TEST:],
        labels[-TEST:],
    )

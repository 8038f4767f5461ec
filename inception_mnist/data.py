"""Pictures with labels as uint8 arrays, from files, tensorflow_datasets or sklearn.

Post, "Data and preprocessing". A csv file is parsed once and kept as an `.npz`; MNIST's
own idx files and folders of pictures, one for each class, are read as well.
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
from collections.abc import Iterator
from typing import Any

import numpy as np

from inception_mnist import csv_reader, image_files
from inception_mnist.config import DATASETS
from runkit.files import write_text, write_whole

SIDE = 28  # pixels
# Sums of the hashes of MNIST's pictures with their labels, see `is_mnist`.
MNIST = ("1f0c9a3254eec392fcafb4623efa5f5c", "baeb785bdcc429c7b578d760f7b08da1")
SMALL, BORDER, TEST = 20, 4, 360  # of scikit-learn's digits
ELSE = "give --dataset=digits, or --train_csv and --test_csv"

LATEST = "latest.json"
TIMEOUT = 10.0  # seconds to reach the network
Labelled = tuple[np.ndarray, np.ndarray]  # uint8 [N, 28, 28] and uint8 [N]


@dataclasses.dataclass(frozen=True)
class Digits:
    """Pictures to train, to validate and to test on.

    Attributes:
        name: What the set is called, for people.
        train_images: uint8 [N, 28, 28], light on dark.
        train_labels: uint8 [N], from 0.
        test_images: uint8 [M, 28, 28].
        test_labels: uint8 [M].
        valid: Images and labels that validate, if they have a file of their own.
        class_names: Names of the classes, if the source has names.
        is_mnist: Whether these are MNIST's pictures and labels, as their digest proves.
        note: How they came to be chosen, where that may surprise; else "".
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    valid: Labelled | None = None
    class_names: tuple[str, ...] = ()
    is_mnist: bool = False
    note: str = ""


def load(
    dataset: str = "auto",
    train_csv: str | None = None,
    test_csv: str | None = None,
    cache: str | None = None,
    classes: int = 10,
    valid_csv: str | None = None,
) -> Digits:
    """Load pictures by the name of their source.

    Args:
        dataset: "csv" for files, "tfds" (MNIST, downloaded if need be; imports
            TensorFlow), "digits" (scikit-learn's), or "auto": the files if given, else
            MNIST as an earlier run or tensorflow_datasets keeps it, else digits.
        train_csv: A csv file as `csv_reader.read` understands it, an idx file of images
            with that of the labels beside it, or a folder with a folder of pictures
            for each class.
        test_csv: Likewise.
        cache: Folder of what was parsed before; None means `cache_folder()`.
        classes: Labels are below this number.
        valid_csv: Pictures to validate with, if they are not the last to train on.

    Raises:
        OSError: There is no such file, it is damaged, or MNIST did not arrive.
        ValueError: The arguments do not fit together, or a file is not understood.
    """
    if dataset not in DATASETS:
        raise ValueError(f"--dataset={dataset}: choose one of {', '.join(DATASETS)}")
    cache = cache or cache_folder()
    if train_csv or test_csv or valid_csv:
        if dataset not in ("auto", "csv"):
            raise ValueError(
                f"--dataset={dataset} reads no csv: leave out --train_csv, --test_csv "
                "and --valid_csv, or give --dataset=csv"
            )
        if not (train_csv and test_csv):
            given, other = ("train", "test") if train_csv else ("test", "train")
            given = given if train_csv or test_csv else "valid"
            raise ValueError(f"--{given}_csv without --{other}_csv: give both")
        return _from_files(train_csv, test_csv, valid_csv, cache, classes)
    if dataset == "csv":
        raise ValueError("--dataset=csv: give --train_csv and --test_csv")
    if dataset == "auto":
        return _choose(cache)
    return _from_tfds() if dataset == "tfds" else _from_sklearn()


def check(images: np.ndarray, labels: np.ndarray, classes: int) -> None:
    """Check pictures and labels before they reach TensorFlow.

    Args:
        images: They must be uint8 [N, 28, 28], N at least 1.
        labels: They must be integers [N] from 0 to `classes` - 1.
        classes: The number of classes.

    Raises:
        ValueError: They are something else.
    """
    check_images(images)
    check_labels(labels, len(images), classes)


def check_images(images: np.ndarray) -> None:
    """Raise a `ValueError` unless the images are uint8 [N, 28, 28], N at least 1."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise ValueError(
            f"images: {images.dtype} {list(images.shape)}: must be uint8 [N, {SIDE}, "
            f"{SIDE}], from 0 (background) to 255"
        )


def check_labels(labels: np.ndarray, count: int, classes: int) -> None:
    """Raise a `ValueError` unless these are `count` labels below `classes`."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise ValueError(
            f"labels: {labels.dtype} {list(labels.shape)}: must be integers, one for "
            f"each of the {count} images"
        )
    for wrong in labels[(labels < 0) | (labels >= classes)]:
        raise ValueError(f"label {wrong}: not from 0 to {classes - 1}; see --classes")


def split(
    images: np.ndarray, labels: np.ndarray, valid: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split off a validation set, the post's way: the last images validate.

    Where they would be more than a fifth of all (scikit-learn's digits), a fifth does.

    Args:
        images: uint8 [N, 28, 28].
        labels: uint8 [N].
        valid: How many validate.

    Returns:
        Training images and labels, validation images and labels.

    Raises:
        ValueError: There are fewer than five images, or `valid` is negative.
    """
    if valid < 0 or len(images) != len(labels):
        raise ValueError(
            f"valid={valid} of {len(images)} images, {len(labels)} labels: must be at "
            "least 0, of as many"
        )
    if len(images) < 5:
        raise ValueError(f"{len(images)} images to train on: at least 5 are needed")
    end = len(images) - min(valid, len(images) // 5)
    return images[:end], labels[:end], images[end:], labels[end:]


def digest(images: np.ndarray, labels: np.ndarray) -> str:
    """Return a hash of images and their labels."""
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


def is_mnist(train: Labelled, test: Labelled) -> bool:
    """Tell whether two sets are MNIST's, in whatever order."""
    return (sum_of_hashes(*train), sum_of_hashes(*test)) == MNIST


def sum_of_hashes(images: np.ndarray, labels: np.ndarray) -> str:
    """Return a hash of images with labels that does not depend on their order."""
    pairs = zip(images, labels, strict=True)
    hashes = (hashlib.sha256(x.tobytes() + bytes([y])).digest() for x, y in pairs)
    return f"{sum(int.from_bytes(each, 'big') for each in hashes) % 2**128:032x}"


def cache_folder() -> str:
    """Return the folder in which parsed csv files are kept."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(folder, "inception_mnist")


def _from_files(
    train_csv: str, test_csv: str, valid_csv: str | None, cache: str, classes: int
) -> Digits:
    names = image_files.class_folders(train_csv)
    classes = len(names) or classes
    paths = [path for path in (train_csv, test_csv, valid_csv) if path]
    train, test, *valid = (_read(path, cache, classes, names) for path in paths)
    if len(np.unique(train[1])) < 2:
        raise ValueError(
            f"{train_csv}: all labels are {train[1][0]}: two classes or more are needed"
        )
    mnist = is_mnist(train, test)
    if mnist:
        latest = json.dumps([os.path.realpath(train_csv), os.path.realpath(test_csv)])
        with contextlib.suppress(OSError):
            write_text(os.path.join(cache, LATEST), latest)
    name = "mnist (csv)" if mnist else f"{_short(train_csv)} and {_short(test_csv)}"
    return Digits(
        name,
        *train,
        *test,
        valid=valid[0] if valid else None,
        class_names=names,
        is_mnist=mnist,
    )


def _short(path: str) -> str:
    return os.path.basename(os.path.normpath(path))


def _read(path: str, cache: str, classes: int, names: tuple[str, ...]) -> Labelled:
    """Read a csv file, an idx file or a folder of class folders."""
    if os.path.isdir(path):
        return image_files.read_folder(path, names)
    if not image_files.is_idx(path):
        return _read_cached(path, cache, classes)
    images, labels = image_files.read_idx_pair(path)
    try:
        check(images, labels, classes)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return images, labels


def _read_cached(path: str, cache: str, classes: int) -> Labelled:
    """Return what `csv_reader.read` does, or did when the file was last like this."""
    kept = _kept_name(path, cache)
    state = os.stat(path) if os.path.isfile(path) else None
    version = f"{state.st_size} {state.st_mtime_ns} {classes}" if state else ""
    found = _load_kept(kept, version) if version else None
    if found is None:
        images, labels = csv_reader.read(path, classes)
        assert labels is not None
        found = images, labels
        arrays: dict[str, Any] = {"images": images, "labels": labels}
        arrays["version"] = version
        with contextlib.suppress(OSError):  # a folder that cannot be written
            os.makedirs(cache, exist_ok=True)
            write_whole(kept, lambda file: np.savez(file, **arrays))
    return found


def _kept_name(path: str, cache: str) -> str:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()
    return os.path.join(cache, f"{digest[:16]}.npz")


def _load_kept(path: str, version: str = "") -> Labelled | None:
    """Images and labels; None if missing, damaged, or not of the version asked for."""
    damage = OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error
    with contextlib.suppress(*damage), np.load(path) as file:
        if version in ("", str(file["version"])):
            return file["images"], file["labels"]
    return None


def _choose(cache: str) -> Digits:
    with contextlib.suppress(OSError, ValueError, TypeError):  # none, or damaged
        with open(os.path.join(cache, LATEST)) as file:
            paths = json.load(file)
        train, test = (_load_kept(_kept_name(path, cache)) for path in paths)
        if train and test and is_mnist(train, test):
            note = "MNIST as last read from {} and {}".format(*paths)
            return Digits("mnist (csv)", *train, *test, is_mnist=True, note=note)
    folder = _tfds_folder()
    if glob.glob(os.path.join(glob.escape(folder), "mnist", "*", "dataset_info.json")):
        with contextlib.suppress(OSError):
            note = f"MNIST as tensorflow_datasets keeps it in {folder}"
            return dataclasses.replace(_from_tfds(download=False), note=note)
    note = (
        "there is no MNIST at hand, so these are scikit-learn's digits; --dataset=tfds "
        "downloads MNIST, --train_csv and --test_csv read it"
    )
    return dataclasses.replace(_from_sklearn(), note=note)


def _tfds_folder() -> str:
    """Return where tensorflow_datasets keeps what it has, without importing it."""
    home = os.path.join(os.path.expanduser("~"), "tensorflow_datasets")
    return os.environ.get("TFDS_DATA_DIR", home)


def _from_tfds(download: bool = True) -> Digits:
    """MNIST as tensorflow_datasets has it, in its own order and its own cache."""
    try:
        with quiet():
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
            train, test = (
                (part["image"][..., 0], part["label"].astype(np.uint8))
                for part in tfds.as_numpy(both)
            )
    except ImportError as error:
        raise OSError(
            f"--dataset=tfds: {error}: pip install tensorflow-datasets, or {ELSE}"
        ) from None
    except Exception as error:  # of a dozen libraries, each with its own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise OSError(f"--dataset=tfds: no MNIST ({reason}): {ELSE}") from error
    known = is_mnist(train, test)
    name = "mnist (tfds)" if known else "mnist of tensorflow_datasets, changed"
    return Digits(name, *train, *test, is_mnist=known)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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
        inside = np.rint(np.asarray(large)).clip(0, 255)
        image[BORDER:-BORDER, BORDER:-BORDER] = inside
    labels = labels.astype(np.uint8)
    return Digits(
        "scikit-learn digits, not MNIST",
        images[:-TEST],
        labels[:-TEST],
        images[-TEST:],
        labels[-TEST:],
    )

"""MNIST's own files, and folders of pictures."""

import gzip

import numpy as np
import pytest
from PIL import Image

from inception_mnist import data, image_files


def idx(array):
    """The bytes of an idx file."""
    shape = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


@pytest.fixture
def arrays():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (6, 28, 28)).astype(np.uint8)
    return images, random.permutation(6).astype(np.uint8)


def write_pair(folder, arrays, pack=lambda x: x, end=""):
    images, labels = (pack(idx(array)) for array in arrays)
    (folder / f"train-images-idx3-ubyte{end}").write_bytes(images)
    (folder / f"train-labels-idx1-ubyte{end}").write_bytes(labels)
    return str(folder / f"train-images-idx3-ubyte{end}")


@pytest.mark.parametrize(("pack", "end"), [(bytes, ""), (gzip.compress, ".gz")])
def test_idx_plain_or_gzip(tmp_path, arrays, pack, end):
    path = write_pair(tmp_path, arrays, pack, end)
    digits = data.load("csv", path, path, str(tmp_path / "cache"))
    np.testing.assert_array_equal(digits.train_images, arrays[0])
    np.testing.assert_array_equal(digits.test_labels, arrays[1])
    assert not digits.is_mnist and "train-images" in digits.name


def test_idx_that_is_damaged_or_alone(tmp_path, arrays):
    path = write_pair(tmp_path, arrays)
    content = (tmp_path / "train-images-idx3-ubyte").read_bytes()
    damaged = {
        content[:-1]: "damaged: it should hold",
        content[:9]: "damaged|not an idx file",
        content[:4]: "damaged|not an idx file",
        b"\0\0\x0d" + content[3:]: "not an idx file of labels or 28 x 28",
        idx(arrays[0][:, :20]): "not an idx file of labels or 28 x 28",
        gzip.compress(content)[:-9]: "damaged gzip",
        idx(arrays[0][:5]): "must be integers, one for each of the 5 images",
    }
    for bad, wanted in damaged.items():
        (tmp_path / "train-images-idx3-ubyte").write_bytes(bad)
        with pytest.raises((OSError, ValueError), match=wanted):
            data.load("csv", path, path, str(tmp_path / "cache"))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match="label [45]: not from 0 to 3"):
        data.load("csv", path, path, str(tmp_path / "cache"), classes=4)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(OSError, match="no file of labels beside it"):
        image_files.read_idx_pair(path)


def write_folder(folder, names, picture):
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        (folder / name / "notes.txt").write_text("no picture")
        for place in range(2):
            picture(number, place).save(folder / name / f"{place}.png")


def test_a_folder_of_class_folders(tmp_path):
    def square(number, place):
        values = np.full((28, 28), 10 * number + place, np.uint8)
        return Image.fromarray(values)

    names = ["10", "9", "3"]
    write_folder(tmp_path / "train", names, square)
    assert image_files.class_folders(str(tmp_path / "train")) == ("3", "9", "10")
    write_folder(tmp_path / "test", ["9"], square)
    with pytest.raises(ValueError, match="a folder of pictures for each class"):
        data.load("csv", str(tmp_path / "train"), str(tmp_path / "test"))
    write_folder(tmp_path / "test", ["3"], square)
    digits = data.load("csv", str(tmp_path / "train"), str(tmp_path / "test"))
    assert digits.class_names == ("3", "9", "10")
    np.testing.assert_array_equal(digits.train_labels, [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(digits.test_labels, [0, 0, 1, 1])
    np.testing.assert_array_equal(digits.train_images[:, 5, 5], [20, 21, 10, 11, 0, 1])
    write_folder(tmp_path / "test", ["4"], square)
    with pytest.raises(ValueError, match="no training pictures of '4'"):
        data.load("csv", str(tmp_path / "train"), str(tmp_path / "test"))


def test_dark_on_light_is_inverted_and_other_sizes_are_brought_to_mnists(tmp_path):
    def light(number, place):
        values = np.full((28 + 50 * place,) * 2, 250, np.uint8)
        middle = len(values) // 2
        values[middle - 8 : middle + 8, middle - 2 : middle + 3] = 20
        return Image.fromarray(values)

    write_folder(tmp_path, ["a", "b"], light)
    images, labels = image_files.read_folder(str(tmp_path), ("a", "b"))
    np.testing.assert_array_equal(labels, [0, 0, 1, 1])
    assert (images[0, 0] == 5).all() and images[0, 14, 14] == 235

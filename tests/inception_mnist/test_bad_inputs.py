"""A hundred files that something happened to: each is read, or refused in one line."""

import gzip
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inception_mnist import checkpoint, csv_reader, image_files, pictures
from inception_mnist.config import Config
from tests.inception_mnist.test_csv_reader import lines, table
from tests.inception_mnist.test_image_files import idx


def damage(content, random):
    """One of a few things that happen to files."""
    place = int(random.integers(len(content)))
    end = place + int(random.integers(1, 300))
    noise = random.integers(0, 256, 20, np.uint8).tobytes()
    return [
        lambda: content[:place],
        lambda: content[:place] + content[end:],
        lambda: content[:place] + noise + content[place:],
        lambda: content[:place] + noise + content[place + 20 :],
        lambda: content[:place] + content[place:end] + content[place:],
        lambda: content.replace(b",", b";", int(random.integers(1, 900))),
        lambda: content.replace(b"1", random.choice([b"", b"x", b"-", b"1e9"]), 2),
        lambda: gzip.compress(content)[: int(random.integers(10, 900))],
        lambda: content.decode("latin-1").encode("utf-16"),
    ][int(random.integers(9))]()


def picture():
    image = Image.new("L", (120, 90), 240)
    ImageDraw.Draw(image).line([(30, 20), (70, 20), (50, 70)], 10, 8)
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


CSV = "\n".join(lines(table(6))).encode()
KINDS = {
    "csv": (CSV, csv_reader.read),
    "unlabelled": (CSV, lambda path: csv_reader.read(path, labelled=False)),
    "idx": (idx(table(6)[:, :784].astype(np.uint8)), image_files.read_idx),
    "picture": (picture(), pictures.read_picture),
    "weights": (None, lambda path: list(checkpoint.load_weights(path)[1])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_give_one_line(tmp_path, kind):
    content, read = KINDS[kind]
    if content is None:
        checkpoint.save_weights(tmp_path / "net", Config(), [np.ones((30, 9))])
        content = (tmp_path / "net").read_bytes()
    refused = 0
    for seed in range(25):
        random = np.random.default_rng(seed)
        path = tmp_path / f"{kind}_{seed}"
        path.write_bytes(damage(content, random))
        try:
            read(str(path))
        except (ValueError, OSError) as error:
            refused += 1
            assert f"{kind}_{seed}" in str(error) and "\n" not in str(error), seed
    assert refused > 5

"""The cursors against the post's class, and the command as a user runs it."""

import json

import pytest
from PIL import Image

from char_rnn import figures


def posts_batches(size, batch_size, count):
    """Cursors and targets of the post's `Batch` after each of `count` calls."""
    cursors = [size // batch_size * b for b in range(batch_size)]
    for _ in range(count):
        cursors = [(c + 1) % size for c in cursors]
        yield cursors, [(c + 1) % size for c in cursors]


@pytest.mark.parametrize(("size", "batch_size"), [(60, 4), (61, 3), (6, 3), (4, 1)])
def test_cursors_are_the_post_s(size, batch_size):
    posts = list(posts_batches(size, batch_size, 8))
    found = figures.cursors_of_batches(size, batch_size)
    assert list(found) == [1, 2, 8]
    for number, cursors in found.items():
        targets = (cursors + 1) % size
        assert (cursors.tolist(), targets.tolist()) == posts[number - 1]


def test_the_command(run_in, tmp_path):
    done = run_in(tmp_path, "figures", "--characters=50", "--batch_size=3")
    assert done.returncode == 0, done.stderr
    assert "cursors.png, architectures.png, result.json" in done.stderr
    found = json.loads((tmp_path / "result.json").read_text())
    assert len(found["text"]) == 50
    assert found["batches"]["8"] == [8, 24, 40]
    assert found["shapes"]["Arch 1"]["W"] == [200, 100]
    assert found["shapes"]["Arch 2"]["W"] == [27, 50]
    for name in ("cursors.png", "architectures.png"):
        with Image.open(tmp_path / name) as image:
            assert min(image.size) > 300

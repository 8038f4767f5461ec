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
    found = figures.batches(size, batch_size)
    assert [batch.number for batch in found] == [1, 2, 8]
    for batch in found:
        expected = posts[batch.number - 1]
        assert (batch.inputs.tolist(), batch.targets.tolist()) == expected


def test_the_command(run):
    done = run("figures", "--characters=50", "--batch_size=3")
    assert done.returncode == 0, done.stderr
    assert "cursors.png, architectures.png, result.json" in done.stderr
    found = json.loads((run.out / "result.json").read_text())
    assert len(found["text"]) == 50
    eighth = found["batches"]["8"]
    assert eighth["cursors"] == [8, 24, 40]
    assert eighth["inputs"] == "".join(found["text"][c] for c in (8, 24, 40))
    assert eighth["targets"] == "".join(found["text"][c] for c in (9, 25, 41))
    assert found["shapes"]["Arch 1"]["W"] == [200, 100]
    assert found["shapes"]["Arch 2"]["W"] == [27, 50]
    for name in ("cursors.png", "architectures.png"):
        with Image.open(run.out / name) as image:
            assert min(image.size) > 300


@pytest.mark.parametrize("flag", ["--batch_size=40", "--characters=101"])
def test_a_mistake_is_one_line(run, flag):
    done = run("figures", flag)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert flag[2:].partition("=")[0] in done.stderr
    assert not run.out.exists()

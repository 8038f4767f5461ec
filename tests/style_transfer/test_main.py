"""The entry point: what it leaves, what it refuses, how it is stopped."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

from style_transfer import images, memory, samples
from style_transfer.config import Config
from tests.style_transfer.conftest import command, pattern, run_all, run_main

RESULT = {
    "content_loss",
    "style_loss",
    "total_loss",
    "steps",
    "seconds",
    "seconds_per_step",
    "network",
    "weights",
    "seed",
    "image_size",
    "config",
    "versions",
}


def result(folder):
    return json.loads((folder / "result.json").read_text())


def save(path, seed, size=(64, 48), **options):
    Image.fromarray(pattern(size[1], size[0], seed)).save(path, **options)
    return str(path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run from a picture with transparency, and its log."""
    folder = tmp_path_factory.mktemp("finished")
    photograph = Image.fromarray(pattern(48, 64, 1))
    photograph.putalpha(Image.linear_gradient("L").resize((64, 48)))
    photograph.save(folder / "content.png")
    out = folder / "out"
    (out / "frames").mkdir(parents=True)
    (out / "frames" / "step_00099.png").write_text("of an earlier run")
    done = run_main(out, f"--content={folder / 'content.png'}", "--tensorboard")
    assert done.returncode == 0, done.stderr
    return out, done.stderr


def test_a_run_leaves_everything(finished):
    out, log = finished
    assert {path.name for path in out.iterdir()} - {".lock"} == {
        "transfer.png",
        "overview.jpg",
        "progress.gif",
        "frames",
        "loss.csv",
        "loss.png",
        "result.json",
        "checkpoint.npz",
        "tensorboard",
    }
    found = result(out)
    assert set(found) >= RESULT
    assert (found["steps"], found["weights"]) == (2, "vgg16")
    assert found["image_size"] == [64, 48]
    with Image.open(out / "transfer.png") as image:
        assert (image.size, image.mode) == ((64, 48), "RGBA")
    with Image.open(out / "progress.gif") as image:
        assert image.n_frames >= 2
    rows = list(csv.DictReader((out / "loss.csv").open()))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert float(rows[1]["total_loss"]) < float(rows[0]["total_loss"])
    names = sorted(path.name for path in (out / "frames").iterdir())
    assert names == [f"step_0000{step}.png" for step in range(3)]
    assert "Painting on the CPU" in log and "transfer.png: 2 steps" in log


@pytest.mark.slow
def test_what_else_one_may_ask_for(tmp_path):
    """Many runs in one process: one content at its own size, several, colours kept."""
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    first = save(photographs / "a.png", 1)
    save(photographs / "b,c.jpg", 2, (40, 72))
    (photographs / "notes.txt").write_text("no picture")
    mask = save(tmp_path / "mask.png", 0, (8, 8))
    Image.new("L", (8, 8), 255).save(mask)
    pixels = ["--mode=pixels", f"--content={first}", f"--init={first}"]
    both = [f"--style={first},{photographs / 'b,c.jpg'}".replace("b,c", "d")]
    save(photographs / "d.jpg", 3)
    runs = {
        "own": [f"--content={first}", "--size=0", "--device=cpu"],
        "several": ["--content", first, str(photographs / "b,c.jpg"), "--scales=2"],
        "folder": ["--mode=pixels", f"--content={photographs}"],
        "copy": pixels,
        "luminance": [f"--content={first}", "--preserve_colors=luminance"],
        "match": [f"--content={first}", "--preserve_colors=match"],
        "masked": [*both, f"--mask={mask}", f"--mask={mask}"],
        "blend": [*both, "--style_blend=2,1", "--content_layer=conv3_3"],
        "one": ["--init=noise", "--seed=1"],
        "same": ["--init=noise", "--seed=1"],
        "other": ["--init=noise", "--seed=2"],
        "strokes": ["--style_scale=1.5", "--style_weight=4e4"],
        "smooth": ["--total_variation_weight=3"],
        "content": ["--mode=content", "--content_layer=conv2_1"],
        "style": ["--mode=style", "--style_layers=conv1_1,conv2_1"],
        "larger": [f"--init={first}", "--size=96"],
        "author": ["--recipe=post", "--size=48"],
    }
    found = run_all([command(tmp_path / name, *given) for name, given in runs.items()])
    assert [code for code, _ in found] == [0] * len(runs), found
    assert result(tmp_path / "own")["image_size"] == [64, 48]
    assert result(tmp_path / "several" / "a")["image_size"] == [64, 48]
    assert result(tmp_path / "several" / "b,c")["image_size"] == [36, 64]
    inside = {path.name for path in (tmp_path / "folder").iterdir()}
    assert inside == {"a", "b,c", "d"}
    assert result(tmp_path / "larger")["image_size"] == [96, 64]
    author = result(tmp_path / "author")
    assert author["image_size"] == [48, 48]
    assert author["config"]["pooling"] == "stride1"
    losses = {"content_loss", "style_loss", "total_variation"}
    for name, expected in (
        ("smooth", losses),
        ("content", {"content_loss"}),
        ("style", {"style_loss"}),
    ):
        assert losses & set(result(tmp_path / name)) == expected
    copied = result(tmp_path / "copy")
    assert copied["steps"] == 0  # nothing is left to do
    with Image.open(tmp_path / "copy" / "pixels.png") as image:
        np.testing.assert_array_equal(image, Image.open(first))
    for how in ("luminance", "match"):
        colors, expected = (
            np.asarray(Image.open(path).convert("RGB"), float).mean(axis=(0, 1))
            for path in (tmp_path / how / "transfer.png", first)
        )
        np.testing.assert_allclose(
            colors - colors.mean(), expected - expected.mean(), atol=12
        )
    one, same, other = (
        (tmp_path / name / "transfer.png").read_bytes()
        for name in ("one", "same", "other")
    )
    assert one == same != other


WRONG = {
    "--content=none.png": "none.png: no such file",
    "--style=.": "is a directory",
    "--init=none.png": "none.png: no such file",
    "--weights=none.h5": "none.h5: no such file",
    "--weights=setup.cfg": "setup.cfg: this is no Keras file",
    "--weights=vgg.pth": "PyTorch files are not read",
    "--weights=none.npz": "none.npz: no such file",
    "--network=vgg19": "--network=vgg19: this package has VGG-16's filters alone",
    "--content_layer=conv3_4": "vgg16 has no layer 'conv3_4'",
    "--content_layer=conv9_9": "no layer 'conv9_9'",
    "--mask=none.png": "none.png: no such file",
    "--style_blend=1,2": "--style_blend has 2 shares for 1 styles",
    "--resume": "--resume: no checkpoint",
    "--memory_gib=0.5": "--size=64 needs about",
    "--size=400000": "would fit",  # one picture: over a terabyte
    "--output=picture.xbm": "no picture format",
    "--output=setup.cfg": "this file exists: give --overwrite",
    "--out_dir=setup.cfg": "setup.cfg",
    "--style_layer_weights=1,x": "--style_layer_weights",
    "--size=16": "--size=16: must be at least 32",
    "--learning_rate=nan": "--learning_rate=nan",
    "--mode=copy": "mode",
    "--device=gpu:9": "TensorFlow sees",
    "--device=tpu": "--device=tpu: choose auto",
    "photo.jpg": "unexpected 'photo.jpg'",
}


def test_bad_input_is_one_line_and_nothing_written(tmp_path):
    mine = save(tmp_path / "mine.jpg", 1)
    wrong = {(flag,): message for flag, message in WRONG.items()}
    wrong[f"--content={mine}", f"--output={mine}"] = "it would replace the input"
    wrong[f"--style={mine}", f"--style={mine}", f"--mask={mine}"] = "give as many"
    wrong["--content", mine, mine, "--output=new.png"] = (
        "one file, and there are 2 contents"
    )
    before = (tmp_path / "mine.jpg").read_bytes()
    out = tmp_path / "out"
    found = run_all([command(out, *flags) for flags in wrong])
    for (code, errors), (flags, message) in zip(found, wrong.items(), strict=True):
        assert code == 2, flags
        told = [line for line in errors.splitlines() if "Painting on" not in line]
        assert len(told) == 1 and message in told[0], (flags, errors)
    assert (tmp_path / "mine.jpg").read_bytes() == before
    assert not out.exists() or not list(out.iterdir())


def test_a_diverged_run_keeps_the_last_good_picture(tmp_path):
    ((code, errors),) = run_all([command(tmp_path / "out", "--style_weight=1e38")])
    assert code == 1
    assert "style_transfer: step 1: the loss is" in errors
    assert (tmp_path / "out" / "transfer.png").exists()
    assert result(tmp_path / "out")["steps"] == 0


def wait_for(path, process):
    """Waits until a file is there, for as long as the process runs."""
    deadline = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_killed_run_goes_on_exactly(tmp_path, optimizer):
    """Killed without warning in the second scale; the same bytes in the end."""
    out = tmp_path / "out"
    flags = ["--size=96", "--steps=8", "--scales=2", f"--optimizer={optimizer}"]
    settings = [*flags, f"--style={save(tmp_path / 'style.png', 3, (130, 140))}"]
    settings += [f"--content={save(tmp_path / 'content.png', 1, (130, 140))}"]
    settings += ["--size=160"]
    saving = command(out, *settings, "--checkpoint_seconds=0.001")
    with subprocess.Popen(saving, stderr=subprocess.DEVNULL) as process:
        wait_for(out / "frames" / "step_00014.png", process)
        locked = command(out, *settings)
        process.send_signal(signal.SIGSTOP)
        refused = subprocess.run(locked, capture_output=True, text=True)
        process.kill()
    assert refused.returncode == 2 and "another run is using this folder" in (
        refused.stderr
    )
    assert list(out.glob("checkpoint*.npz")) and not (out / "transfer.png").exists()
    straight = tmp_path / "straight"
    again, more = [*settings, "--resume"], ["--resume", "--steps=9"]
    found = run_all(
        [
            command(straight, *settings),
            command(out, *again, "--seed=7"),
            command(out, *again),
            command(out, *settings, *more),
        ]
    )
    assert [code for code, _ in found] == [0, 2, 0, 0], found
    assert "--seed" in found[1][1]
    pictures = [folder / "frames" / "step_00020.png" for folder in (out, straight)]
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert result(straight)["steps"] == 20 and result(out)["steps"] == 21
    with Image.open(out / "progress.gif") as image:
        assert image.n_frames > 12
    sizes = {Image.open(path).size for path in (out / "frames").iterdir()}
    assert sizes == {(149, 160)}


@pytest.mark.slow
def test_works_in_tiles_where_memory_is_short(tmp_path):
    """The same losses as whole, to rounding."""
    large = ["--size=640", "--optimizer=adam", "--precision=float32", "--steps=1"]
    height, width = images.dimensions(samples.PAINTING)
    height = round(height * 640 / width)  # larger than the photograph
    width = 640
    of_run = (Config(optimizer="adam"), "vgg16", "float32", height, width)
    needed = memory.estimate(*of_run, 256) / memory.GIB
    assert needed + 0.02 < memory.estimate(*of_run) / memory.GIB
    limits = {"whole": [], "tiles": [f"--memory_gib={needed + 0.01}"]}
    run_all([command(tmp_path / n, *large, *limit) for n, limit in limits.items()])
    whole, tiles = (result(tmp_path / name) for name in limits)
    assert (whole["tile"], tiles["tile"]) == (None, 256)
    assert tiles["total_loss"] == pytest.approx(whole["total_loss"], rel=1e-3)


@pytest.mark.parametrize(
    ("optimizer", "number"), [("adam", signal.SIGINT), ("lbfgs", signal.SIGTERM)]
)
def test_a_signal_saves_what_there_is(tmp_path, optimizer, number):
    out = tmp_path / "out"
    endless = command(out, "--steps=100000", f"--optimizer={optimizer}")
    with subprocess.Popen(endless, stderr=subprocess.PIPE, text=True) as process:
        wait_for(out / "frames" / "step_00002.png", process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    found = result(out)
    assert 2 <= found["steps"] < 100000
    with Image.open(out / "transfer.png") as image:
        image.load()
    rows = list(csv.DictReader((out / "loss.csv").open()))
    assert len(rows) == found["steps"]
    assert (out / "checkpoint.npz").exists()  # --resume goes on


def test_a_picture_that_cannot_be_written_is_in_the_checkpoint(finished, tmp_path):
    """A folder that a file blocks stands for a full disk."""
    earlier, _ = finished
    out = tmp_path / "out"
    shutil.copytree(earlier, out)
    (out / "overview.jpg").unlink()
    (out / "overview.jpg").mkdir()
    content = f"--content={earlier.parent / 'content.png'}"
    resumed = command(out, content, "--resume", "--steps=3")
    ((code, errors),) = run_all([resumed])
    assert code == 2
    spare = re.search(r"the picture is in (\S+\.png)", errors).group(1)
    with Image.open(spare) as image:
        assert image.size == (64, 48)
    os.remove(spare)
    (out / "overview.jpg").rmdir()
    ((code, _),) = run_all([resumed])
    assert code == 0 and result(out)["steps"] == 3

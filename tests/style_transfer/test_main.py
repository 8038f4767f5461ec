"""The entry point: what it leaves, what it refuses, how it is stopped."""

import csv
import json
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

RESULT = {
    "content_loss",
    "style_loss",
    "total_loss",
    "steps",
    "seconds",
    "seconds_per_step",
    "weights",
    "seed",
    "image_size",
    "config",
    "versions",
}


def test_a_run_leaves_everything(main, picture):
    done = main(f"--content={picture}", "--tensorboard")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in main.out.iterdir()} == {
        "transfer.png",
        "overview.jpg",
        "progress.gif",
        "frames",
        "loss.csv",
        "loss.png",
        "result.json",
        "tensorboard",
    }
    result = json.loads((main.out / "result.json").read_text())
    assert set(result) >= RESULT
    assert (result["steps"], result["weights"]) == (2, "compact")
    assert result["image_size"] == [64, 48]
    with Image.open(main.out / "transfer.png") as image:
        assert image.size == (64, 48)
    with Image.open(main.out / "progress.gif") as image:
        assert image.n_frames >= 2
    rows = list(csv.DictReader((main.out / "loss.csv").open()))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert float(rows[1]["total_loss"]) < float(rows[0]["total_loss"])
    assert len(list((main.out / "frames").iterdir())) == 3


def test_same_seed_same_bytes(main, tmp_path):
    written = []
    for name, seed in (("a.png", 1), ("b.png", 1), ("c.png", 2)):
        output = tmp_path / "pictures" / name
        done = main("--init=noise", f"--seed={seed}", f"--output={output}")
        assert done.returncode == 0, done.stderr
        written.append(output.read_bytes())
    assert written[0] == written[1] != written[2]


def test_starts_from_a_file(main, picture):
    done = main("--mode=pixels", f"--content={picture}", f"--init={picture}")
    assert done.returncode == 0, done.stderr
    result = json.loads((main.out / "result.json").read_text())
    assert result["steps"] == 0  # nothing is left to do
    with Image.open(main.out / "pixels.png") as found, Image.open(picture) as expected:
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--content=none.png", "none.png: no such file"),
        ("--style=.", "is a directory"),
        ("--init=none.png", "none.png: no such file"),
        ("--weights=none.h5", "none.h5: no such file"),
        ("--weights=setup.cfg", "setup.cfg: not a readable HDF5 file"),
        ("--weights=none.npz", "none.npz: no such file"),
        ("--network=vgg19", "--network=vgg19 does not fit --weights=compact"),
        ("--content_layer=conv3_3", "no layer 'conv3_3' in the compact network"),
        ("--mask=none.png", "none.png: no such file"),
        ("--style_blend=1,2", "--style_blend has 2 shares for 1 styles"),
        ("--resume", "--resume: no checkpoint"),
        ("--memory_gib=0.5", "--size=64 needs about"),
        ("--output=picture.txt", "no picture format"),
        ("--out_dir=setup.cfg", "setup.cfg"),
        ("--content_layer=conv9_9", "no layer 'conv9_9'"),
        ("--style_layer_weights=1,x", "--style_layer_weights"),
        ("--size=16", "--size=16: must be at least 32"),
        ("--learning_rate=nan", "--learning_rate=nan"),
        ("--mode=copy", "mode"),
        ("photo.jpg", "unexpected 'photo.jpg'"),
    ],
)
def test_bad_input_is_one_line_and_nothing_written(main, flag, message):
    done = main(flag)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr
    assert not main.out.exists() or not list(main.out.iterdir())


def test_a_diverged_run_keeps_the_last_good_picture(main):
    done = main("--style_weight=1e38")
    assert done.returncode == 1
    assert "style_transfer: step 1: the loss is" in done.stderr
    assert (main.out / "transfer.png").exists()
    result = json.loads((main.out / "result.json").read_text())
    assert result["steps"] == 0


def test_masks_pair_with_styles(main, picture, tmp_path):
    mask = tmp_path / "mask.png"
    Image.new("L", (40, 40), 255).save(mask)
    both = [f"--style={picture}", f"--style={picture}", f"--mask={mask}"]
    done = main(*both)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "1 --mask for 2 --style: give as many" in done.stderr
    assert main(*both, f"--mask={mask}").returncode == 0


@pytest.mark.parametrize("how", ["luminance", "match"])
def test_colors_can_be_kept(main, picture, how):
    done = main(f"--content={picture}", f"--preserve_colors={how}", "--steps=8")
    assert done.returncode == 0, done.stderr
    found, expected = (
        np.asarray(Image.open(path).convert("RGB"), float).mean(axis=(0, 1))
        for path in (main.out / "transfer.png", picture)
    )
    np.testing.assert_allclose(
        found - found.mean(), expected - expected.mean(), atol=12
    )


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_killed_run_goes_on_exactly(main, tmp_path, optimizer):
    """Killed without warning in the second scale; the same bytes in the end."""
    settings = ["--size=192", "--steps=10", "--scales=2", f"--optimizer={optimizer}"]
    straight = tmp_path / "straight.png"
    assert main(*settings, f"--output={straight}").returncode == 0
    shutil.rmtree(main.out)
    saving = [*settings, "--checkpoint_seconds=0.001"]
    checkpoint = main.out / "checkpoint.npz"
    with subprocess.Popen(main.command(*saving), stderr=subprocess.DEVNULL) as process:
        while not (main.out / "frames" / "step_00012.png").exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    assert checkpoint.exists() and not (main.out / "transfer.png").exists()
    other = main(*settings, "--resume", "--seed=7")
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert "with other settings" in other.stderr
    done = main(*settings, "--resume")
    assert done.returncode == 0, done.stderr
    assert (main.out / "transfer.png").read_bytes() == straight.read_bytes()
    result = json.loads((main.out / "result.json").read_text())
    assert result["steps"] == 20 and not checkpoint.exists()
    with Image.open(main.out / "progress.gif") as image:
        assert image.n_frames > 12


def test_works_in_tiles_where_memory_is_short(main):
    """The same losses as whole, to rounding."""
    found = []
    large = ["--size=1024", "--scales=1", "--optimizer=adam", "--precision=float32"]
    for limit in ([], ["--memory_gib=1.5"]):
        done = main(*large, "--steps=1", *limit)
        assert done.returncode == 0, done.stderr
        found.append(json.loads((main.out / "result.json").read_text()))
    assert (found[0]["tile"], found[1]["tile"]) == (None, 256)
    assert found[1]["total_loss"] == pytest.approx(found[0]["total_loss"], rel=1e-3)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_ctrl_c_saves_what_there_is(main, optimizer):
    command = main.command("--steps=100000", f"--optimizer={optimizer}")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (main.out / "frames" / "step_00002.png").exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    result = json.loads((main.out / "result.json").read_text())
    assert 2 <= result["steps"] < 100000
    with Image.open(main.out / "transfer.png") as image:
        image.load()
    rows = list(csv.DictReader((main.out / "loss.csv").open()))
    assert len(rows) == result["steps"]
    assert (main.out / "checkpoint.npz").exists()  # --resume goes on


def test_a_size_that_cannot_fit_is_refused_before_anything_is_loaded(main):
    done = main("--weights=compact", "--size=400000")  # one picture: over a terabyte
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1 and "would fit" in done.stderr

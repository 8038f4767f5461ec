"""The trainer's command: what it leaves, what it refuses, how it goes on."""

import contextlib
import json
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from inception_mnist import data

SMALL = (
    "--dataset=digits",
    "--recipe=modern",
    "--map1=4",
    "--map2=4",
    "--reduce1x1=2",
    "--hidden=16",
    "--batch_size=20",
    "--valid_every=50",
    "--views=2",
)
ROOT = pathlib.Path(__file__).parents[2]
PICTURES = {"learning.png", "confusion.png", "mistakes.png", "feature_maps.png"}
LIMIT = 300  # seconds of any wait: the machine may be busy


def result(folder):
    return json.loads((folder / "result.json").read_text())


def wait_for(condition, process):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)


def run_all(*commands):
    """Exit codes and what stdout and stderr had, of commands that run side by side."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, cwd=ROOT, **pipes) for command in commands]
    ended = [process.communicate(timeout=2 * LIMIT) for process in started]
    return [
        subprocess.CompletedProcess(process.args, process.returncode, *texts)
        for process, texts in zip(started, ended, strict=True)
    ]


def train(out, *flags):
    return [sys.executable, "-m", "inception_mnist.main", f"--out_dir={out}", *flags]


def changed(path):
    """When a file was last written, or None while there is none."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns


def write_table(path):
    """Odd and even digits, with semicolons between and the labels last."""
    digits = data.load("digits", None, None)
    rows = digits.train_images[:60].reshape(60, 784)
    labels = digits.train_labels[:60] % 2
    pairs = zip(rows, labels, strict=True)
    path.write_text("\n".join(";".join(map(str, [*x, y])) for x, y in pairs))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run that learns something, one of a table, and one that diverges."""
    out = tmp_path_factory.mktemp("runs")
    write_table(out / "odd.csv")
    csv = [f"--{part}_csv={out / 'odd.csv'}" for part in ("train", "test", "valid")]
    learning = ["--head=dense", "--pool=2", "--hidden=64", "--learning_rate=2e-3"]
    table = [*SMALL[1:], *csv, "--steps=4", "--class_names=even,odd"]
    diverging = ["--learning_rate=1e30", "--valid_every=1", "--schedule=constant"]
    done = run_all(
        train(out / "learned", *SMALL, *learning, "--steps=300"),
        train(out / "table", *table),
        train(out / "diverged", *SMALL, *diverging, "--steps=400"),
    )
    return dict(zip(("learned", "table", "diverged"), done, strict=True)) | {"out": out}


@pytest.fixture(scope="module")
def trained(runs):
    """The folder of a run that learned something, and what it logged."""
    assert runs["learned"].returncode == 0, runs["learned"].stderr
    return runs["out"] / "learned", runs["learned"].stderr


def test_a_table_trains(runs):
    assert runs["table"].returncode == 0, runs["table"].stderr
    found = result(runs["out"] / "table")
    assert found["dataset"] == "odd.csv and odd.csv" and not found["is_mnist"]
    assert found["config"]["classes"] == 2 and found["train_images"] == 60
    assert "98.5" not in runs["table"].stderr


def test_divergence_is_one_line(runs):
    done = runs["diverged"]
    assert done.returncode == 1, done.stderr
    *_, last = done.stderr.splitlines()
    assert re.match("inception_mnist: the (loss|network) is not finite after", last)
    assert "Traceback" not in done.stderr


def test_trains_and_leaves_everything(trained):
    out, log = trained
    names = {path.name for path in out.iterdir()} - {".lock"}
    assert names == PICTURES | {
        "best.npz",
        "checkpoint.npz",
        "last.npz",
        "log.csv",
        "result.json",
        "tensorboard",
    }
    found = result(out)
    assert found["test_accuracy"] > 0.85 and found["valid_accuracy"] > 0.85
    assert found["best_valid_accuracy"] >= found["valid_accuracy"]
    mistakes = round((1 - found["test_accuracy"]) * found["test_images"])
    assert found["test_mistakes"] == mistakes
    assert found["steps"] == 300 and not found["stopped"]
    assert found["images_per_second"] > 0 < found["seconds"]
    assert "not MNIST" in found["dataset"] and not found["is_mnist"]
    assert found["train_images"] == 1437 - 287 and found["valid_images"] == 287
    assert found["config"]["pool"] == 2 and found["seed"] == 0
    assert found["versions"]["tensorflow"]
    assert len((out / "log.csv").read_text().splitlines()) == 1 + 300 // 50
    for name in PICTURES:
        with Image.open(out / name) as image:
            assert min(image.size) > 300
    lines = re.findall(r"step \d+ of 300, loss .*right.* images/s, .* left", log)
    assert 9 <= len(lines) <= 11 and "validation" in lines[-1]
    assert "98.5" not in log  # the post's figure is MNIST's


def test_predicts_pictures_folders_and_tables(run, trained, tmp_path):
    digits = data.load("digits", None, None)
    folder = tmp_path / "digits"
    folder.mkdir()
    for place in range(6):
        Image.fromarray(digits.test_images[place]).save(folder / f"{place}.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / "damaged.png").write_text("no picture")
    inverted = Image.fromarray(255 - digits.test_images[0])
    inverted.resize((280, 280)).save(tmp_path / "large.png")
    two = Image.new("L", (600, 300), 255)
    two.paste(inverted.resize((280, 280)), (10, 10))
    two.paste(inverted.resize((280, 280)), (310, 10))
    two.save(tmp_path / "two.png")
    pictures = [str(tmp_path / name) for name in ("large.png", "two.png")]
    done = run("predict", f"--checkpoint={trained[0]}", str(folder), *pictures)
    assert done.returncode == 0, done.stderr
    assert "damaged.png" in done.stderr and "Traceback" not in done.stderr
    assert re.search(r"two.png: there may be two digits", done.stderr)
    answers = result(run.out)["answers"]
    assert [line.split(": ")[1][0] for line in done.stdout.splitlines()] == [
        str(answer["digit"]) for answer in answers
    ]
    right = digits.test_labels[:6].tolist()
    assert sum(a["digit"] == r for a, r in zip(answers, right, strict=False)) >= 4
    assert answers[6]["digit"] == answers[0]["digit"]  # the same, large, dark on light
    lines = (run.out / "predictions.csv").read_text().splitlines()
    assert lines[0] == "file,answer,probability,second,second_probability,warning"
    assert len(lines) == 9 and lines[1].startswith(f"{folder}/0.png,")
    assert (run.out / "digits.png").exists()

    rows = digits.test_images[:40].reshape(40, 784)
    header = ",".join(f"pixel{place}" for place in range(784))  # Kaggle's test.csv
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)])
    (tmp_path / "test.csv").write_text(text)
    done = run("predict", f"--checkpoint={trained[0]}", f"--csv={tmp_path}/test.csv")
    assert done.returncode == 0, done.stderr
    answered = [
        line.split(",") for line in (run.out / "predictions.csv").read_text().split()
    ]
    assert answered[0] == ["ImageId", "Label"] and answered[40][0] == "40"
    found = np.array([int(label) for _, label in answered[1:]])
    assert (found == digits.test_labels[:40]).mean() > 0.7
    assert found[:6].tolist() == [answer["digit"] for answer in answers[:6]]


def test_exports_load_in_a_fresh_process(run, trained, tmp_path):
    done = run("export", f"--checkpoint={trained[0]}")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    assert {path.name for path in run.out.iterdir()} == {
        "model.keras",
        "model.tflite",
        "result.json",
        "saved_model",
    }
    digits = data.load("digits", None, None)
    np.save(tmp_path / "images.npy", digits.test_images[:6, ..., np.newaxis])
    code = f"""
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy, tensorflow
images = numpy.load({str(tmp_path / "images.npy")!r}).astype("float32")
model = tensorflow.saved_model.load({str(run.out / "saved_model")!r})
saved = model.serve(images)
import keras, inception_mnist.model
kept = keras.saving.load_model({str(run.out / "model.keras")!r})(images)
numpy.save({str(tmp_path / "logits.npy")!r}, [saved, kept])
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    saved, kept = np.load(tmp_path / "logits.npy")
    np.testing.assert_allclose(saved, kept, atol=1e-4)
    assert (saved.argmax(axis=1) == digits.test_labels[:6]).sum() >= 4


def assert_same_arrays(path, other):
    with np.load(path) as one, np.load(other) as two:
        assert set(one) == set(two)
        for key in set(one) - {"header"}:
            np.testing.assert_array_equal(one[key], two[key])


@pytest.mark.slow
def test_a_killed_run_ends_on_the_same_bits(tmp_path):
    flags = [*SMALL, "--steps=200", "--checkpoint_seconds=0"]
    whole, broken = (train(tmp_path / name, *flags) for name in ("whole", "broken"))
    checkpoint, log = (tmp_path / "broken" / x for x in ("checkpoint.npz", "log.csv"))
    with subprocess.Popen(broken, stderr=subprocess.DEVNULL) as process:
        wait_for(log.exists, process)
        before = changed(checkpoint)
        wait_for(lambda: changed(checkpoint) not in (None, before), process)
        process.kill()
    for done in run_all(whole, broken):
        assert done.returncode == 0, done.stderr
    assert "going on from step" in done.stderr
    for name in ("checkpoint.npz", "best.npz", "last.npz"):
        assert_same_arrays(tmp_path / "whole" / name, tmp_path / "broken" / name)
    for name in ("log.csv", *PICTURES):
        expected = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "broken" / name).read_bytes() == expected
    ours, theirs = (result(tmp_path / name) for name in ("broken", "whole"))
    for figures in (ours, theirs):
        for name in ("seconds", "images_per_second", "peak_memory_gib"):
            del figures[name]
    assert ours == theirs


@pytest.mark.slow
def test_low_memory_needs_less_for_the_same(tmp_path):
    flags = ("--dataset=digits", "--map1=4", "--map2=32", "--hidden=300", "--steps=4")
    names = ("low_memory", "nolow_memory")
    for done in run_all(*(train(tmp_path / x, *flags, f"--{x}") for x in names)):
        assert done.returncode == 0, done.stderr
    low, usual = (result(tmp_path / name)["peak_memory_gib"] for name in names)
    assert low < usual
    assert_same_arrays(*(tmp_path / name / "last.npz" for name in names))


def test_ctrl_c_saves_and_a_folder_belongs_to_one_run(run):
    command = run.command("main", *SMALL, "--steps=1000000", "--checkpoint_seconds=1")
    checkpoint = run.out / "checkpoint.npz"
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for(checkpoint.exists, process)
        second = run("main", *SMALL)
        assert second.returncode == 2 and second.stderr.count("\n") == 1
        assert "another run is using this folder" in second.stderr
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    found = result(run.out)
    assert found["steps"] > 0 and found["stopped"]
    with np.load(checkpoint) as saved:
        assert saved["step"] == found["steps"]


@pytest.mark.parametrize(
    ("module", "flags", "message"),
    [
        ("main", ["--train_csv=none.csv", "--test_csv=none.csv"], "none.csv: no such"),
        ("main", ["--train_csv=setup.cfg"], "--train_csv without --test_csv"),
        ("main", ["--map1=0"], "--map1=0"),
        ("main", ["--out_dir=setup.cfg/x"], "setup.cfg"),
        ("main", ["mnist"], "unexpected 'mnist'"),
        ("predict", [], "at least one picture"),
        ("predict", ["setup.cfg"], "setup.cfg"),
        ("export", ["--checkpoint=nowhere"], "nowhere: no such file"),
        ("export", ["--checkpoint=setup.cfg"], "setup.cfg: the file is damaged"),
    ],
)
def test_bad_input_is_one_line(run, module, flags, message):
    done = run(module, *flags)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line[0] not in "IW"]
    assert len(lines) == 1 and message in lines[0], done.stderr

"""The entry points: what they leave, what they refuse, how they go on."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

SMALL = (
    "--dataset=digits",
    "--recipe=modern",
    "--map1=4",
    "--map2=4",
    "--reduce1x1=2",
    "--hidden=16",
    "--batch_size=20",
    "--valid_every=50",
)
PICTURES = {"learning.png", "confusion.png", "mistakes.png", "feature_maps.png"}


def result(folder):
    return json.loads((folder / "result.json").read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run that learned something."""
    out = tmp_path_factory.mktemp("trained")
    command = [sys.executable, "-m", "inception_mnist.main", f"--out_dir={out}"]
    flags = ["--head=dense", "--pool=2", "--hidden=64", "--learning_rate=2e-3"]
    done = subprocess.run(
        [*command, *SMALL, *flags, "--steps=300"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return out


def test_trains_and_leaves_everything(trained):
    assert {path.name for path in trained.iterdir()} == PICTURES | {
        "best.npz",
        "checkpoint.npz",
        "last.npz",
        "log.csv",
        "result.json",
        "tensorboard",
    }
    found = result(trained)
    assert found["test_accuracy"] > 0.85 and found["valid_accuracy"] > 0.85
    assert found["best_valid_accuracy"] >= found["valid_accuracy"]
    mistakes = round((1 - found["test_accuracy"]) * found["test_images"])
    assert found["test_mistakes"] == mistakes
    assert found["steps"] == 300 and not found["stopped"]
    assert found["images_per_second"] > 0 < found["seconds"]
    assert "not MNIST" in found["dataset"]
    assert found["train_images"] == 1437 - 287 and found["valid_images"] == 287
    assert found["config"]["pool"] == 2 and found["seed"] == 0
    assert found["versions"]["tensorflow"]
    assert len((trained / "log.csv").read_text().splitlines()) == 1 + 300 // 50
    for name in PICTURES:
        with Image.open(trained / name) as image:
            assert min(image.size) > 300


def test_predicts_and_exports_load_in_a_fresh_process(run, trained, tmp_path):
    from inception_mnist import data

    digits = data.load("digits", None, None)
    paths = []
    for place in range(6):
        path = tmp_path / f"{place}.png"
        Image.fromarray(digits.test_images[place]).save(path)
        paths.append(str(path))
    large = Image.fromarray(255 - digits.test_images[0]).resize((280, 280))
    large.save(tmp_path / "large.png")
    checkpoint = f"--checkpoint={trained}"
    done = run("predict", checkpoint, *paths, str(tmp_path / "large.png"))
    assert done.returncode == 0, done.stderr
    answers = result(run.out)["answers"]
    assert [line.split(": ")[1][0] for line in done.stdout.splitlines()] == [
        str(answer["digit"]) for answer in answers
    ]
    right = [int(digits.test_labels[place]) for place in range(6)]
    assert sum(a["digit"] == r for a, r in zip(answers, right, strict=False)) >= 4
    assert answers[6]["digit"] == answers[0]["digit"]  # the same, large, dark on light
    assert (run.out / "digits.png").exists()

    done = run("export", checkpoint)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    np.save(tmp_path / "images.npy", digits.test_images[:6, ..., np.newaxis])
    start = (
        f"import numpy, tensorflow; images = numpy.load({str(tmp_path)!r} + '/images"
    )
    start += ".npy').astype('float32'); folder = "
    for load in (
        "import keras, inception_mnist.model; "
        "logits = keras.saving.load_model(folder + '/model.keras')(images)",
        "model = tensorflow.saved_model.load(folder + '/saved_model'); "
        "logits = model.serve(images)",
    ):
        code = f"{start}{str(run.out)!r}; {load}; "
        code += "print(tensorflow.nn.softmax(logits).numpy().tolist())"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        expected = [answer["probabilities"] for answer in answers[:6]]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def assert_same_arrays(path, other):
    with np.load(path) as one, np.load(other) as two:
        assert set(one) == set(two)
        for key in set(one) - {"header"}:
            np.testing.assert_array_equal(one[key], two[key])


def run_until_killed(command, checkpoint, seconds):
    """Start, wait for a new checkpoint and `seconds` more, and kill."""

    def stamp():
        return checkpoint.stat().st_mtime_ns if checkpoint.exists() else None

    before = stamp()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 120
        while stamp() == before:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.returncode


def test_a_run_killed_again_and_again_ends_on_the_same_bits(run, tmp_path):
    flags = [*SMALL, "--steps=700", "--checkpoint_seconds=0"]
    whole = run("main", *flags)
    assert whole.returncode == 0, whole.stderr
    run.out.rename(tmp_path / "whole")
    chance, longest = random.Random(0), result(tmp_path / "whole")["seconds"] / 4
    codes = [
        run_until_killed(
            run.command("main", *flags),
            run.out / "checkpoint.npz",
            chance.uniform(0, longest),
        )
        for _ in range(3)
    ]
    assert codes.count(-signal.SIGKILL) >= 2
    done = run("main", *flags)
    assert done.returncode == 0, done.stderr
    assert "going on from step" in done.stderr
    for name in ("checkpoint.npz", "best.npz", "last.npz"):
        assert_same_arrays(tmp_path / "whole" / name, run.out / name)
    for name in ("log.csv", *PICTURES):
        assert (run.out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    ours, theirs = result(run.out), result(tmp_path / "whole")
    for figures in (ours, theirs):
        for name in ("seconds", "images_per_second", "peak_memory_gib"):
            del figures[name]
    assert ours == theirs


def test_low_memory_needs_less_for_the_same(run, tmp_path):
    flags = ("--dataset=digits", "--map1=4", "--map2=32", "--hidden=300", "--steps=4")
    names, found = ("low_memory", "nolow_memory"), []
    for name in names:
        done = run("main", *flags, f"--{name}")
        assert done.returncode == 0, done.stderr
        found.append(result(run.out))
        run.out.rename(tmp_path / name)
    low, usual = (figures["peak_memory_gib"] for figures in found)
    assert low < usual
    assert_same_arrays(*(tmp_path / name / "last.npz" for name in names))


def test_ctrl_c_saves_what_there_is(run):
    command = run.command("main", *SMALL, "--steps=1000000", "--checkpoint_seconds=1")
    checkpoint = run.out / "checkpoint.npz"
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not checkpoint.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    found = result(run.out)
    assert found["steps"] > 0 and found["stopped"]
    with np.load(checkpoint) as saved:
        assert saved["step"] == found["steps"]


def test_checkpoints_damaged_or_of_another_run(run, tmp_path):
    flags = [*SMALL, "--steps=60", "--checkpoint_seconds=0"]
    assert run("main", *flags).returncode == 0
    expected = (run.out / "log.csv").read_bytes()
    done = run("main", *flags, "--map2=5")
    assert done.returncode == 2
    assert "--map2=4, not 5" in done.stderr and "--noresume" in done.stderr
    (tmp_path / "some.csv").write_text(f"3{',0' * 784}\n" * 40)
    csv = [f"--{part}_csv={tmp_path / 'some.csv'}" for part in ("train", "test")]
    done = run("main", *SMALL[1:], *csv, "--steps=60")
    assert done.returncode == 2 and "other images" in done.stderr

    checkpoint = run.out / "checkpoint.npz"
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 255  # as a disk would
    checkpoint.write_bytes(content)
    done = run("main", *flags)
    assert done.returncode == 0, done.stderr
    assert "damaged" in done.stderr and "checkpoint_previous.npz" in done.stderr
    assert (run.out / "log.csv").read_bytes() == expected
    for name in ("checkpoint.npz", "checkpoint_previous.npz"):
        (run.out / name).write_bytes(b"PK\x03\x04 and then nothing")
    done = run("main", *flags)
    assert done.returncode == 2 and done.stderr.count("inception_mnist:") == 1
    assert "--noresume" in done.stderr


def test_a_diverging_run_is_one_line(run):
    flags = ["--augmentation=none", "--steps=2000", "--learning_rate=1e30"]
    done = run("main", *SMALL, *flags)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("inception_mnist: the loss is not finite")


@pytest.mark.parametrize(
    ("module", "flags", "message"),
    [
        ("main", ["--train_csv=none.csv", "--test_csv=none.csv"], "none.csv: no such"),
        ("main", ["--train_csv=setup.cfg", "--test_csv=setup.cfg"], "setup.cfg: row"),
        ("main", ["--train_csv=setup.cfg"], "--train_csv without --test_csv"),
        ("main", ["--dataset=csv"], "--dataset=csv: give --train_csv"),
        ("main", ["--head=tail"], "head"),
        ("main", ["--map1=0"], "--map1=0"),
        ("main", ["--dropout=1"], "--dropout=1"),
        ("main", ["--learning_rate=nan"], "--learning_rate=nan"),
        ("main", ["--pool=29"], "--pool=29"),
        ("main", ["--out_dir=setup.cfg/x"], "setup.cfg"),
        ("main", ["mnist"], "unexpected 'mnist'"),
        ("predict", [], "at least one picture"),
        ("predict", ["none.png"], "none.png"),
        ("predict", ["setup.cfg"], "setup.cfg"),
        ("predict", ["tests"], "tests"),
        ("export", ["--checkpoint=nowhere"], "nowhere: no such file"),
        ("export", ["--checkpoint=setup.cfg"], "setup.cfg: damaged"),
    ],
)
def test_bad_input_is_one_line(run, module, flags, message):
    done = run(module, *flags)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line[0] not in "IW"]
    assert len(lines) == 1 and message in lines[0], done.stderr

"""The entry points: what they print and leave, what they refuse, how they go on."""

import json
import random
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

SMALL = (
    "--corpus=embedded",
    "--recipe=modern",
    "--num_nodes=16",
    "--num_unrollings=10",
    "--batch_size=8",
)


def result(folder):
    return json.loads((folder / "result.json").read_text())


def test_trains_samples_and_leaves_everything(run):
    done = run("main", *SMALL, "--steps=2000")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("bits/character:\n") == 20
    assert {path.name for path in run.out.iterdir()} == {
        "checkpoint.npz",
        "checkpoint_previous.npz",
        "learning.png",
        "log.csv",
        "model.npz",
        "result.json",
        "samples.txt",
        "tensorboard",
    }
    found = result(run.out)
    bigram, trigram = found["ngram_valid_bpc"][1:3]
    assert trigram < found["valid_bpc"] < bigram
    assert abs(found["valid_bpc"] - found["test_bpc"]) < 0.2
    assert found["train_bpc"] < found["valid_bpc"] + 0.2
    assert found["steps"] == 2000 and found["corpus"] == "embedded"
    assert found["characters_per_second"] > 0 and len(found["sample"]) == 201
    assert (run.out / "samples.txt").read_text().count("validation") == 20
    assert len((run.out / "log.csv").read_text().splitlines()) == 21
    with Image.open(run.out / "learning.png") as image:
        assert min(image.size) > 300

    checkpoint = f"--checkpoint={run.out}"
    flags = ["--prime=the ", "--length=300", "--temperature=0.5", "--top_k=10"]
    texts = [run("sample", checkpoint, *flags).stdout for _ in range(2)]
    assert texts[0] == texts[1] and texts[0].startswith("the ")
    assert len(texts[0]) == 4 + 300 + 1
    assert result(run.out)["sample"] + "\n" == texts[0]
    assert result(run.out)["characters_per_second"] > 1000
    assert run("sample", checkpoint, *flags, "--seed=1").stdout != texts[0]
    assert len(run("sample", checkpoint, "--length=9").stdout) == 1 + 9 + 1


def stamp(path):
    """Changes whenever the file does."""
    return path.stat().st_mtime_ns if path.exists() else None


def run_until_killed(command, checkpoint, seconds):
    """Start, wait for a new checkpoint and `seconds` more, and kill."""
    before = stamp(checkpoint)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 120
        while stamp(checkpoint) == before:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.returncode


def test_a_run_killed_again_and_again_ends_on_the_same_bits(run, tmp_path):
    flags = [*SMALL, "--steps=6000", "--checkpoint_seconds=0.02"]
    whole = run("main", *flags)
    assert whole.returncode == 0, whole.stderr
    run.out.rename(tmp_path / "whole")
    chance, longest = random.Random(0), result(tmp_path / "whole")["seconds"] / 3
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
    for name in ("checkpoint.npz", "model.npz"):
        with np.load(tmp_path / "whole" / name) as one, np.load(run.out / name) as two:
            assert set(one) == set(two)
            for key in set(one) - {"header"}:
                np.testing.assert_array_equal(one[key], two[key])
    for name in ("log.csv", "samples.txt"):
        assert (run.out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    ours, theirs = result(run.out), result(tmp_path / "whole")
    for figures in (ours, theirs):
        del figures["seconds"], figures["characters_per_second"]
    assert ours == theirs


def test_ctrl_c_saves_what_there_is(run):
    command = run.command("main", *SMALL, "--steps=10000000", "--report_every=1000")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while "validation" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    found = result(run.out)
    assert found["steps"] >= 100 and found["test_bpc"] is None
    with np.load(run.out / "checkpoint.npz") as saved:
        assert saved["step"] == found["steps"]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(run):
    assert run("main", *SMALL, "--steps=300").returncode == 0
    expected = (run.out / "log.csv").read_bytes()
    checkpoint = run.out / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    done = run("main", *SMALL, "--steps=300")
    assert done.returncode == 0, done.stderr
    assert "damaged" in done.stderr and "checkpoint_previous.npz" in done.stderr
    assert (run.out / "log.csv").read_bytes() == expected
    for name in ("checkpoint.npz", "checkpoint_previous.npz"):
        (run.out / name).write_bytes(b"PK\x03\x04 and then nothing")
    done = run("main", *SMALL, "--steps=300")
    assert done.returncode == 2 and done.stderr.count("char_rnn:") == 1
    assert "--noresume" in done.stderr
    assert run("main", *SMALL, "--steps=300", "--noresume").returncode == 0


def test_a_checkpoint_of_another_architecture_or_text_is_refused(run, tmp_path):
    assert run("main", *SMALL, "--steps=20").returncode == 0
    done = run("main", *SMALL, "--steps=20", "--arch=2")
    assert done.returncode == 2
    assert "--arch=1, not 2" in done.stderr and "--noresume" in done.stderr
    path = tmp_path / "other.txt"
    path.write_text("another text " * 900)
    done = run("main", *SMALL, "--steps=20", f"--corpus={path}")
    assert done.returncode == 2 and "another text" in done.stderr


def test_a_diverging_run_is_one_line_and_keeps_the_checkpoint(run):
    flags = ["--optimizer=sgd", "--clip_norm=1e30", "--schedule=staircase"]
    flags += ["--steps=5000", "--decay_rate=1e9", "--decay_steps=1000"]
    done = run("main", *SMALL, *flags, "--learning_rate=0.1", "--report_every=500")
    assert done.returncode == 2, done.stdout
    assert done.stderr.splitlines()[-1].startswith("char_rnn: the loss is not finite")
    with np.load(run.out / "checkpoint.npz") as saved:
        assert 0 < saved["step"] < 5000
        assert np.isfinite(saved["W"]).all()


def test_its_own_alphabet(run, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Wörter & Zahlen: 1, 2, 3.\n" * 400)
    flags = [*SMALL[1:], "--steps=50", f"--corpus={path}", "--alphabet=corpus"]
    done = run("main", *flags)
    assert done.returncode == 0, done.stderr
    done = run("sample", f"--checkpoint={run.out}", "--prime=Wörter", "--length=20")
    assert done.stdout.startswith("Wörter") and len(done.stdout) == 27
    done = run("sample", f"--checkpoint={run.out}", "--prime=x")
    assert done.returncode == 2 and "'x' at character 0" in done.stderr


@pytest.mark.parametrize(
    ("module", "flags", "message"),
    [
        ("main", ["--corpus=none.txt"], "none.txt: no such file"),
        ("main", ["--corpus=setup.cfg"], "--alphabet=clean or corpus"),
        ("main", ["--arch=3"], "--arch=3"),
        ("main", ["--num_nodes=0"], "--num_nodes=0"),
        ("main", ["--learning_rate=0"], "--learning_rate=0"),
        ("main", ["--learning_rate=nan"], "--learning_rate=nan"),
        ("main", ["--activation=sigmoid"], "activation"),
        ("main", ["--as_printed"], "--as_printed"),
        ("main", ["--threads=0"], "threads"),
        ("main", ["--batch_size=900000", "--corpus=embedded"], "--batch_size=900000"),
        ("main", ["--out_dir=setup.cfg/x"], "setup.cfg"),
        ("main", ["text8"], "unexpected 'text8'"),
        ("sample", ["--checkpoint=nowhere"], "nowhere: no such file"),
        ("sample", ["--checkpoint=setup.cfg"], "setup.cfg: damaged"),
        ("sample", ["--length=0"], "--length=0"),
        ("sample", ["--temperature=-1"], "--temperature=-1"),
        ("gradients", ["--corpus=none.txt"], "none.txt: no such file"),
    ],
)
def test_bad_input_is_one_line(run, module, flags, message):
    done = run(module, *flags)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("I")]
    assert len(lines) == 1 and message in lines[0], done.stderr

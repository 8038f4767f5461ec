"""The entry points: what they print and leave, what they refuse, how they go on."""

import json
import os
import signal
import time

import numpy as np
import pytest

SMALL = (
    "--corpus=embedded",
    "--recipe=modern",
    "--num_nodes=16",
    "--num_unrollings=10",
    "--batch_size=8",
)
LIMIT = 300  # seconds of any wait: the machine may be busy


def result(folder):
    return json.loads((folder / "result.json").read_text())


@pytest.fixture(scope="module")
def done(run_in, tmp_path_factory):
    """A small run that came to its end, and its folder."""
    out = tmp_path_factory.mktemp("done") / "out"
    return run_in(out, "main", *SMALL, "--steps=1000"), out


def test_a_run_tells_how_far_it_is_and_leaves_everything(done):
    process, out = done
    assert process.returncode == 0, process.stderr
    lines = [line for line in process.stderr.splitlines() if " of 1000, loss " in line]
    assert len(lines) == 10
    assert all(
        word in lines[-1] for word in ("step 1000", "validation", "steps/s", "left")
    )
    found = result(out)
    letters, _, trigram = found["ngram_valid_bpc"][:3]
    assert trigram < found["valid_bpc"] < letters
    assert abs(found["valid_bpc"] - found["test_bpc"]) < 0.2
    assert found["train_bpc"] < found["valid_bpc"] + 0.2
    assert found["config"]["warmup_steps"] == 100
    assert {"tensorflow", "python"} <= set(found["versions"])


def test_samples_are_settled_by_the_seed(done, run_in, tmp_path):
    flags = ["--prime=the ", "--length=300", "--temperature=0.5", "--top_k=10"]
    flags += [f"--checkpoint={done[1]}"]

    def sample(*more):
        made = run_in(tmp_path, "sample", *flags, *more)
        assert made.returncode == 0, made.stderr
        return made.stdout

    first = sample()
    assert first.startswith("the ") and len(first) == 4 + 300 + 1
    assert result(tmp_path)["sample"] + "\n" == first == sample()
    assert result(tmp_path)["characters_per_second"] > 100
    assert sample("--seed=1") != first
    assert len(sample("--prime=", "--length=9")) == 1 + 9 + 1


def test_unknown_characters_of_a_prime_are_left_out_with_a_word(done, run_in, tmp_path):
    flags = "--prime=Über 2 cats", "--length=5", f"--checkpoint={done[1]}"
    made = run_in(tmp_path, "sample", *flags)
    assert made.returncode == 0 and made.stdout.startswith("ber  cats")
    assert "does not know '2', 'Ü'" in made.stderr


def test_going_on_from_a_model_with_another_text(done, run_in, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("she sells sea shells on the sea shore " * 100)
    flags = f"--init_from={done[1]}", f"--corpus={mine}", "--steps=40", "--batch_size=4"
    made = run_in(tmp_path / "out", "main", *flags, "--recipe=modern")
    assert made.returncode == 0, made.stderr
    found = result(tmp_path / "out")
    assert found["config"]["num_nodes"] == 16 and found["steps"] == 40
    for more, message in (
        (["--num_nodes=32"], "--num_nodes=32: the model of --init_from has 16"),
        ([f"--out_dir={done[1]}"], "--out_dir must be another"),
        (["--init_from=nowhere"], "nowhere: no such file"),
    ):
        wrong = run_in(tmp_path / "out", "main", *flags, "--recipe=modern", *more)
        assert wrong.returncode == 2 and message in wrong.stderr


def wait_for(path, process):
    deadline = time.monotonic() + LIMIT
    while not path.exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)


def test_ctrl_c_saves_what_there_is_and_a_folder_belongs_to_one_run(
    start_in, run_in, tmp_path
):
    flags = *SMALL, "--steps=10000000", "--report_every=1000"
    with start_in(tmp_path, "main", *flags) as process:
        wait_for(tmp_path / "log.csv", process)
        second = run_in(tmp_path, "main", *flags)
        assert second.returncode == 2 and second.stderr.count("\n") == 1
        assert "another run is using this folder" in second.stderr
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    found = result(tmp_path)
    assert found["steps"] >= 100 and found["test_bpc"] is None
    with np.load(tmp_path / "checkpoint.npz") as saved:
        assert saved["step"] == found["steps"]


@pytest.mark.slow
def test_a_run_that_was_killed_ends_on_the_same_bits(done, start_in, run_in, tmp_path):
    flags = *SMALL, "--steps=1000", "--checkpoint_seconds=0"
    with start_in(tmp_path, "main", *flags) as process:
        wait_for(tmp_path / "checkpoint.npz", process)
        process.kill()
    again = run_in(tmp_path, "main", *flags)
    assert again.returncode == 0 and "going on from step" in again.stderr
    for name in ("checkpoint.npz", "model.npz"):
        with np.load(done[1] / name) as one, np.load(tmp_path / name) as two:
            assert set(one) == set(two)
            for key in set(one) - {"header"}:
                np.testing.assert_array_equal(one[key], two[key])
    for name in ("log.csv", "samples.txt"):
        assert (tmp_path / name).read_bytes() == (done[1] / name).read_bytes()
    ours, theirs = result(tmp_path), result(done[1])
    for figures in (ours, theirs):
        del figures["seconds"], figures["characters_per_second"]
    assert ours == theirs


@pytest.mark.parametrize(
    ("module", "flags", "message"),
    [
        ("main", ["--corpus=none.txt"], "none.txt: no such file"),
        ("main", ["--corpus=setup.cfg"], "--alphabet=clean or corpus"),
        ("main", ["--num_nodes=0"], "--num_nodes=0"),
        ("main", ["--learning_rate=nan"], "--learning_rate=nan"),
        ("main", ["--activation=sigmoid"], "activation"),
        ("main", ["--as_printed"], "--as_printed"),
        ("main", ["--out_dir=setup.cfg/x"], "setup.cfg"),
        ("sample", ["--checkpoint=nowhere"], "nowhere: no such file"),
        ("sample", ["--checkpoint=setup.cfg"], "setup.cfg: the file is damaged"),
        ("sample", ["--length=0"], "length"),
        ("sample", ["--temperature=-1"], "temperature"),
        ("figures", ["--batch_size=40"], "--batch_size=40"),
        ("gradients", ["--corpus=none.txt"], "none.txt: no such file"),
    ],
)
def test_bad_input_is_one_line(run_in, tmp_path, module, flags, message):
    done = run_in(tmp_path / "out", module, *flags)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("I")]
    assert len(lines) == 1 and message in lines[0], done.stderr
    assert os.listdir(tmp_path) in ([], ["out"])

"""Two workers, as two processes on loopback, and two devices of one process.

They train what one worker trains, end when one of them is killed, and go on.
"""

import contextlib
import csv
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from char_rnn import distribute, training
from char_rnn.config import Config
from tests.runkit.cluster_of_tests import free_addresses, tf_config

ROOT = pathlib.Path(__file__).parents[2]
LIMIT = 240  # seconds of any wait: the machine may be busy
STEPS = 80
# Clipping is at work in a third of these steps; the post's recipe may be prolonged.
SMALL = (
    "--corpus=embedded",
    "--num_nodes=16",
    "--num_unrollings=10",
    "--batch_size=8",
    "--optimizer=sgd",
    "--initialization=range",
    "--clip_norm=0.1",
    "--learning_rate=1",
    "--report_every=10",
    "--checkpoint_seconds=0",
)


def command(out, *flags):
    return [sys.executable, "-m", "char_rnn.main", f"--out_dir={out}", *flags]


def run(out, *flags, config=None):
    return subprocess.run(
        command(out, *flags),
        cwd=ROOT,
        env=os.environ | ({"TF_CONFIG": config} if config else {}),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


@contextlib.contextmanager
def workers(folder, *flags, count=2):
    """Processes of one run; worker k is told to write to folder/k. None survives."""
    addresses = free_addresses(count)
    processes = []
    try:
        for index in range(count):
            processes.append(
                subprocess.Popen(
                    command(folder / str(index), "--distribute=multiworker", *flags),
                    cwd=ROOT,
                    env=os.environ | {"TF_CONFIG": tf_config(addresses, index)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def ends(process):
    """Exit code, stdout and stderr."""
    out, errors = process.communicate(timeout=LIMIT)
    return process.returncode, out, errors


def wait_for_step(folder, step, processes):
    """Returns when the chief's checkpoint has come so far."""
    deadline = time.monotonic() + LIMIT
    while True:
        with contextlib.suppress(OSError), np.load(folder / "checkpoint.npz") as saved:
            if saved["step"] >= step:
                return
        assert time.monotonic() < deadline
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)


def rows(folder):
    """Losses and norms of every tenth step, [8, 3]."""
    with open(folder / "log.csv") as file:
        found = list(csv.DictReader(file))
    names = "train_bpc", "gradient_norm", "valid_bpc"
    assert [int(row["step"]) for row in found] == list(range(10, STEPS + 1, 10))
    return np.array([[float(row[name]) for name in names] for row in found])


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run of one worker without any strategy."""
    out = tmp_path_factory.mktemp("alone")
    done = run(out, *SMALL, f"--steps={STEPS}")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two workers that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    with workers(out, *SMALL, f"--steps={STEPS}") as (chief, other):
        code, _, errors = ends(chief)
        assert code == 0, errors
        assert ends(other) == (0, "", "")
    return out


@pytest.mark.slow
def test_two_workers_train_what_one_trains(alone, whole):
    np.testing.assert_allclose(rows(whole / "0"), rows(alone), rtol=1e-5)
    assert (rows(alone)[:, 1] > 0.1).any()
    assert os.listdir(whole) == ["0"]  # nothing of the other worker
    assert json.loads((whole / "0" / "result.json").read_text())["replicas"] == 2
    with np.load(whole / "0" / "checkpoint.npz") as saved:
        assert saved["state"].shape == (8, 32) and saved["step"] == STEPS


@pytest.mark.slow
def test_two_devices_train_what_one_trains(alone, tmp_path):
    flags = "--distribute=mirrored", "--devices=2", f"--steps={STEPS}"
    done = run(tmp_path, *SMALL, *flags)
    assert done.returncode == 0, done.stderr
    assert all(line[0] in "I " for line in done.stderr.splitlines()), done.stderr
    np.testing.assert_allclose(rows(tmp_path), rows(alone), rtol=1e-5)


@pytest.mark.slow
def test_killed_then_resumed_to_the_same_bits(whole, tmp_path):
    flags = (*SMALL, f"--steps={STEPS}")
    with workers(tmp_path, *flags) as (chief, other):
        wait_for_step(tmp_path / "0", 10, (chief, other))
        other.kill()
        code, _, errors = ends(chief)
    assert code == 1 and "Traceback" not in errors, errors
    assert errors.splitlines()[-1].startswith("char_rnn: "), errors
    assert "start all of them again" in errors.splitlines()[-1]

    with workers(tmp_path, *flags) as (chief, other):
        assert [ends(process)[0] for process in (chief, other)] == [0, 0]
    for name in ("checkpoint.npz", "model.npz"):
        with np.load(whole / "0" / name) as one, np.load(tmp_path / "0" / name) as two:
            for key in set(one) - {"header"}:
                np.testing.assert_array_equal(one[key], two[key])
    for name in ("log.csv", "samples.txt"):
        ours, theirs = tmp_path / "0" / name, whole / "0" / name
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_strategy_of_one_device_in_this_process(data):
    settings = {"num_nodes": 8, "num_unrollings": 5, "batch_size": 4, "steps": 20}
    config = Config.of_recipe("modern", **settings)
    alone = training.Trainer(config, data, 27)
    strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
    replica = distribute.DistributedTrainer(config, data, 27, strategy)
    losses, expected = (
        np.concatenate([progress.losses for progress in each.run(20)])
        for each in (replica, alone)
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert replica.replicas == 1 and replica.is_chief
    assert replica.any(True) and not replica.any(False)
    replica.restore(alone.arrays())
    np.testing.assert_array_equal(replica.arrays()["W"], alone.arrays()["W"])


@pytest.mark.parametrize(
    ("flags", "config", "message"),
    [
        (["--distribute=multiworker"], "{}", 'no "cluster"'),
        (["--devices=2"], None, "--devices=2: it goes with"),
    ],
)
def test_bad_input_is_one_line(tmp_path, flags, config, message):
    done = run(tmp_path, "--corpus=embedded", *flags, config=config)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config = tf_config([address, "127.0.0.1:1"], 0)
        done = run(tmp_path, "--distribute=multiworker", config=config)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert address in done.stderr and "cannot be bound" in done.stderr

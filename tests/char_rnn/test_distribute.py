"""Two workers, as two processes on loopback, and two devices of one process.

They train what one worker trains, end when one of them is killed, and go on.
"""

import contextlib
import csv
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from char_rnn import cluster, meeting

ROOT = pathlib.Path(__file__).parents[2]
LIMIT = 240  # seconds of any wait: the machine may be busy
# Clipping is at work in a third of these steps; the post's recipe may be prolonged.
SMALL = (
    "--corpus=embedded",
    "--num_nodes=16",
    "--num_unrollings=10",
    "--batch_size=8",
    "--clip_norm=0.1",
    "--learning_rate=1",
    "--report_every=5",
    "--checkpoint_seconds=0",
)


def free_addresses(count):
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in found]


def tf_config(addresses, index, job="worker"):
    task = {"type": job, "index": index}
    return json.dumps({"cluster": {job: addresses}, "task": task})


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
    """Losses and norms of the first 200 steps, five at a time: [40, 2]."""
    with open(folder / "log.csv") as file:
        found = list(csv.DictReader(file))
    names = "train_bpc", "gradient_norm", "valid_bpc"
    assert [int(row["step"]) for row in found[:40]] == list(range(5, 205, 5))
    return np.array([[float(row[name]) for name in names] for row in found[:40]])


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run of one worker without any strategy."""
    out = tmp_path_factory.mktemp("alone")
    done = run(out, *SMALL, "--steps=200")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two workers that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    with workers(out, *SMALL, "--steps=400") as (chief, other):
        code, printed, errors = ends(chief)
        assert code == 0, errors
        assert printed.count("bits/character:\n") == 80
        assert ends(other) == (0, "", "")
    return out


def test_two_workers_train_what_one_trains(alone, whole):
    np.testing.assert_allclose(rows(whole / "0"), rows(alone), rtol=1e-5)
    assert (rows(alone)[:, 1] > 0.1).any()
    assert os.listdir(whole) == ["0"]  # nothing of the other worker
    assert json.loads((whole / "0" / "result.json").read_text())["replicas"] == 2
    with np.load(whole / "0" / "checkpoint.npz") as saved:
        assert saved["state"].shape == (8, 32) and saved["step"] == 400


def test_two_devices_train_what_one_trains(alone, tmp_path):
    flags = "--distribute=mirrored", "--devices=2", "--steps=200"
    done = run(tmp_path, *SMALL, *flags)
    assert done.returncode == 0, done.stderr
    assert all(line[0] == "I" for line in done.stderr.splitlines()), done.stderr
    np.testing.assert_allclose(rows(tmp_path), rows(alone), rtol=1e-5)


def test_killed_then_interrupted_then_resumed(alone, whole, tmp_path):
    """To the same bits with two workers, and to rounding with one."""
    flags = (*SMALL, "--steps=400")
    with workers(tmp_path, *flags) as (chief, other):
        wait_for_step(tmp_path / "0", 10, (chief, other))
        other.kill()
        code, _, errors = ends(chief)
    assert code == 2 and "Traceback" not in errors, errors
    assert errors.splitlines()[-1].startswith("char_rnn: "), errors
    assert "start all again" in errors.splitlines()[-1]

    with np.load(tmp_path / "0" / "checkpoint.npz") as saved:
        step = int(saved["step"])
    with workers(tmp_path, *flags) as (chief, other):
        wait_for_step(tmp_path / "0", step + 5, (chief, other))
        other.send_signal(signal.SIGTERM)
        code, _, errors = ends(chief)
        assert code == 130 and "going on from step" in errors, errors
        assert ends(other) == (130, "", "")

    shutil.copytree(tmp_path / "0", tmp_path / "alone")
    with workers(tmp_path, *flags) as (chief, other):
        assert [ends(process)[0] for process in (chief, other)] == [0, 0]
    for name in ("checkpoint.npz", "model.npz"):
        with np.load(whole / "0" / name) as one, np.load(tmp_path / "0" / name) as two:
            for key in set(one) - {"header"}:
                np.testing.assert_array_equal(one[key], two[key])
    for name in ("log.csv", "samples.txt"):
        ours, theirs = tmp_path / "0" / name, whole / "0" / name
        assert ours.read_bytes() == theirs.read_bytes()

    done = run(tmp_path / "alone", *SMALL, "--steps=200")
    assert done.returncode == 0 and "going on from step" in done.stderr, done.stderr
    np.testing.assert_allclose(rows(tmp_path / "alone"), rows(alone), rtol=1e-5)


TWO = ["host0:5000", "host1:5000"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not set"),
        ("{", "Expecting"),
        ("[1]", 'no "cluster"'),
        ('{"task": {"type": "worker", "index": 0}}', 'no "cluster"'),
        ('{"cluster": {"worker": []}}', "neither a chief nor a worker"),
        ('{"cluster": {"ps": ["host:1"]}}', "'ps'"),
        ('{"cluster": {"worker": ["host"]}}', "'host' is not host:port"),
        ('{"cluster": {"worker": ["host:99999"]}}', "not host:port"),
        ('{"cluster": {"worker": ["host:1", "host:1"]}}', "host:1 stands there 2"),
        ('{"cluster": {"chief": ["host:1", "host:2"]}}', "two chiefs"),
        ('{"cluster": {"worker": ["host:1"]}}', 'no "task"'),
        (tf_config(TWO, 2), "'worker 2' is not one of worker 0, worker 1"),
        (tf_config(TWO, -1), "'worker -1'"),
        (tf_config(TWO, 0).replace('type": "worker', 'type": "chief'), "'chief 0'"),
    ],
)
def test_a_wrong_tf_config_says_what_is_wrong(text, message):
    with pytest.raises(ValueError, match="TF_CONFIG") as error:
        cluster.parse(text)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_the_chief_is_the_one_named_so_or_the_first_worker():
    assert cluster.parse(tf_config(TWO, 1)).chief == "worker 0"
    config = {
        "cluster": {"worker": TWO, "chief": ["host2:5000"]},
        "task": {"type": "chief", "index": 0},
    }
    found = cluster.parse(json.dumps(config))
    assert found.is_chief and found.others() == ["worker 0", "worker 1"]


@pytest.mark.parametrize(
    ("flags", "config", "message"),
    [
        (["--distribute=multiworker"], "{}", 'no "cluster"'),
        (["--distribute=both"], None, "distribute"),
        (["--devices=2"], None, "--devices=2: goes with"),
        (["--distribute=mirrored", "--devices=3"], None, "among 3 replicas"),
    ],
)
def test_bad_input_is_one_line(tmp_path, flags, config, message):
    done = run(tmp_path, "--corpus=embedded", *flags, config=config)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("I")]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert message in lines[0]


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config = tf_config([address, "127.0.0.1:1"], 0)
        done = run(tmp_path, "--distribute=multiworker", config=config)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert address in done.stderr and "cannot be bound" in done.stderr


def test_an_address_that_does_not_answer_is_a_time_out(tmp_path):
    flags = "--distribute=multiworker", "--connect_seconds=1", "--corpus=embedded"
    addresses = free_addresses(2)
    done = run(tmp_path, *flags, config=tf_config(addresses, 0))
    lines = [line for line in done.stderr.splitlines() if not line.startswith("I")]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert f"within 1 seconds from worker 1 ({addresses[1]})" in lines[0]


def meet(addresses, purposes):
    """What `meeting.meet` raised in each of these workers, or None."""
    found = [None] * len(purposes)

    def one(index, purpose):
        member = cluster.parse(tf_config(addresses, index))
        try:
            meeting.meet(member, meeting.bind(member), purpose, 20)
        except (OSError, ValueError) as error:
            found[index] = error

    threads = [threading.Thread(target=one, args=each) for each in enumerate(purposes)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)  # the first ones wait for the rest
    for thread in threads:
        thread.join()
    return found


def test_workers_meet():
    assert meet(free_addresses(3), ["same"] * 3) == [None] * 3


def test_workers_of_different_runs_do_not_meet():
    for error in meet(free_addresses(2), ["one", "another"]):
        assert isinstance(error, ValueError) and "other flags" in str(error)


def test_a_stranger_s_answer_is_none():
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        addresses = [*free_addresses(1), f"127.0.0.1:{stranger.getsockname()[1]}"]
        member = cluster.parse(tf_config(addresses, 0))
        with pytest.raises(TimeoutError, match=addresses[1]):
            meeting.meet(member, meeting.bind(member), "", 0.5)


def test_the_watch_tells_of_a_worker_that_is_gone(monkeypatch):
    monkeypatch.setattr(meeting, "POLL", 0.05)
    addresses = free_addresses(2)
    lost, told = [], threading.Event()
    with meeting.bind(cluster.parse(tf_config(addresses, 1))) as other:
        other.listen()
        stop = meeting.watch(
            cluster.parse(tf_config(addresses, 0)),
            lambda name: (lost.append(name), told.set()),
        )
        assert not told.wait(0.5)
    assert told.wait(20) and lost == [f"worker 1 ({addresses[1]})"]
    stop()

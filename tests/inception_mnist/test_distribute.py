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
import threading
import time

import numpy as np
import pytest

from inception_mnist import cluster, meeting

ROOT = pathlib.Path(__file__).parents[2]
LIMIT = 240  # seconds of any wait: the machine may be busy
STEPS = 200
SMALL = {
    "map1": 4,
    "map2": 4,
    "reduce1x1": 2,
    "hidden": 16,
    "batch_size": 20,
    "precision": "float32",
    "steps": STEPS,
}
RECIPES = {
    "post": SMALL | {"pool": 4, "learning_rate": 3e-4},
    "modern": SMALL | {"recipe": "modern", "learning_rate": 1e-4},
}
MODERN = (
    *(f"--{name}={value}" for name, value in RECIPES["modern"].items()),
    "--dataset=digits",
    "--threads=1",
    "--valid_every=20",
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
    return [sys.executable, "-m", "inception_mnist.main", f"--out_dir={out}", *flags]


def run(*command, config=None):
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | ({"TF_CONFIG": config} if config else {}),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


@contextlib.contextmanager
def started(*commands):
    """The workers of one run, a process for each command. None survives."""
    addresses = free_addresses(len(commands))
    processes = []
    try:
        for index, command in enumerate(commands):
            processes.append(
                subprocess.Popen(
                    command,
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


def workers(folder):
    """Two workers that train; worker k is told to write to folder/k."""
    flags = "--distribute=multiworker", *MODERN
    return started(command(folder / "0", *flags), command(folder / "1", *flags))


def ends(process):
    """Exit code, stdout and stderr."""
    out, errors = process.communicate(timeout=LIMIT)
    return process.returncode, out, errors


def complaints(errors):
    """The lines of stderr that are not information."""
    return [line for line in errors.splitlines() if line[0] not in "IW"]


def train(kind, folder):
    """Trains with each recipe on two replicas by `kind`.

    Leaves their losses and last state in the folder, and where one process is all there
    is, also the losses of a single replica.
    """
    from inception_mnist import data, entry

    found = os.environ.get("TF_CONFIG")
    member = cluster.parse(found) if kind == "multiworker" else None

    def connect():
        from inception_mnist import distribute

        if member is None:
            return distribute.mirrored(2)
        return distribute.multiworker(member, meeting.bind(member), "", LIMIT)

    strategy = entry.start_tensorflow(1, connect)
    from inception_mnist.config import Config
    from inception_mnist.distribute import DistributedTrainer
    from inception_mnist.train import Trainer

    digits = data.load("digits", None, None)
    for recipe, settings in RECIPES.items():
        config = Config(**settings)
        images, labels, _, _ = data.split(
            digits.train_images, digits.train_labels, config.valid_size
        )
        two = DistributedTrainer(config, images, labels, strategy)
        left = {"two": [progress.loss for progress in two.run(STEPS)]}
        left |= two.arrays()
        for variable in two._state().values():
            first, *rest = strategy.experimental_local_results(variable)
            for copy in rest:
                np.testing.assert_array_equal(copy, first)
        if member is None:
            one = Trainer(config, images, labels)
            left["one"] = [progress.loss for progress in one.run(STEPS)]
        if member is None or member.is_chief:
            np.savez(os.path.join(folder, f"{recipe}.npz"), **left)


def arrays(path):
    """What a file of arrays holds, but for its header."""
    with np.load(path) as file:
        return {key: file[key] for key in set(file) - {"header"}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Of each kind and recipe what `train` left."""
    found = {}
    for kind, count in (("mirrored", 1), ("multiworker", 2)):
        out = tmp_path_factory.mktemp(kind)
        module = "tests.inception_mnist.test_distribute"
        one = [sys.executable, "-m", module, kind, str(out)]
        with started(*[one] * count) as processes:
            for process in processes:
                code, _, errors = ends(process)
                assert code == 0, errors
        found |= {(kind, name): arrays(out / f"{name}.npz") for name in RECIPES}
    return found


@pytest.mark.parametrize("kind", ["mirrored", "multiworker"])
def test_two_train_what_one_trains(trained, kind):
    """To the last digit or two of float32."""
    one, two = trained["mirrored", "post"]["one"], trained[kind, "post"]["two"]
    assert one[-20:].mean() < 0.9 * one[:20].mean()
    np.testing.assert_allclose(two, one, rtol=1e-6)


@pytest.mark.parametrize("kind", ["mirrored", "multiworker"])
def test_two_normalize_over_both_batches(trained, kind):
    """The first steps agree as well as TensorFlow's fused normalization is exact, which
    is to 5e-5. Adam then makes full steps of gradients that are rounding alone, such as
    those along a kernel that is normalized: one worker that adds each batch in reverse
    comes to differ from itself by 2e-3 within 200 steps, two workers by 4e-3. Halves
    normalized apart are 9e-3 off at the first step and 5e-2 within ten.
    """
    one, two = trained["mirrored", "modern"]["one"], trained[kind, "modern"]["two"]
    np.testing.assert_allclose(two[:10], one[:10], rtol=1e-4)
    np.testing.assert_allclose(two, one, rtol=2e-2)


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


def test_killed_then_resumed(trained, tmp_path):
    """Ends on the bits of two workers that nothing disturbed."""
    with workers(tmp_path) as (chief, other):
        wait_for_step(tmp_path / "0", 10, (chief, other))
        other.kill()
        began = time.monotonic()
        code, _, errors = ends(chief)
        assert time.monotonic() - began < 60
    assert code == 2 and "Traceback" not in errors, errors
    last = errors.splitlines()[-1]
    assert last.startswith("inception_mnist: ") and "start all again" in last, errors

    with workers(tmp_path) as (chief, other):
        code, _, errors = ends(chief)
        assert code == 0 and "going on from step" in errors, errors
        assert ends(other) == (0, "", "")
    assert os.listdir(tmp_path) == ["0"]  # nothing of the other worker
    result = json.loads((tmp_path / "0" / "result.json").read_text())
    assert result["replicas"] == 2 and result["steps"] == STEPS

    whole = trained["multiworker", "modern"]
    ours = arrays(tmp_path / "0" / "checkpoint.npz")
    assert ours.keys() == whole.keys() - {"two"}
    for name, array in ours.items():
        np.testing.assert_array_equal(array, whole[name])
    with open(tmp_path / "0" / "log.csv") as file:
        rows = [float(row["train_loss"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(rows, whole["two"].reshape(-1, 20).mean(1), rtol=1e-12)


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
        (["--distribute=mirrored", "--train_csv=x"], None, "without --test_csv"),
    ],
)
def test_bad_input_is_one_line(tmp_path, flags, config, message):
    dataset = [] if "--train_csv=x" in flags else ["--dataset=digits"]
    done = run(*command(tmp_path, *dataset, *flags), config=config)
    lines = complaints(done.stderr)
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert message in lines[0]


def test_bfloat16_weights_cannot_be_sent(tmp_path):
    flags = "--distribute=multiworker", "--dataset=digits", "--precision=bfloat16"
    config = tf_config(free_addresses(1), 0)
    done = run(*command(tmp_path, *flags), config=config)
    lines = complaints(done.stderr)
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert "--precision=float32, or --head=gap" in lines[0]


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config = tf_config([address, "127.0.0.1:1"], 0)
        done = run(*command(tmp_path, "--distribute=multiworker"), config=config)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert address in done.stderr and "cannot be bound" in done.stderr


def test_an_address_that_does_not_answer_is_a_time_out(tmp_path):
    flags = "--distribute=multiworker", "--connect_seconds=1", "--dataset=digits"
    addresses = free_addresses(2)
    done = run(*command(tmp_path, *flags), config=tf_config(addresses, 0))
    lines = complaints(done.stderr)
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


if __name__ == "__main__":
    train(*sys.argv[1:])

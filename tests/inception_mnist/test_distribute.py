"""Two workers, as two processes on loopback, and two devices of one process.

They train what one worker trains, end when one of them is killed, and go on.
"""

import contextlib
import csv
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from runkit import start
from runkit.workers import cluster, meeting
from tests.runkit.cluster_of_tests import free_addresses, tf_config

ROOT = pathlib.Path(__file__).parents[2]
LIMIT = 300  # seconds of any wait: the machine may be busy
STEPS = 60
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
    "post": SMALL | {"pool": 4, "learning_rate": 1e-3},
    "modern": SMALL | {"recipe": "modern", "learning_rate": 1e-4, "views": 1},
}
MODERN = (
    *(f"--{name}={value}" for name, value in RECIPES["modern"].items()),
    "--dataset=digits",
    "--threads=1",
    "--valid_every=20",
    "--checkpoint_seconds=0",
)


def command(out, *flags):
    return [sys.executable, "-m", "inception_mnist.main", f"--out_dir={out}", *flags]


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


def train(kind, folder):
    """Trains with each recipe on two replicas by `kind`.

    Leaves their losses and last state in the folder, and where one process is all there
    is, also the losses of a single replica.
    """
    from inception_mnist import data

    found = os.environ.get("TF_CONFIG")
    member = cluster.parse(found) if kind == "multiworker" else None

    def connect():
        from runkit.workers import strategies

        if member is None:
            return strategies.mirrored(2)
        return strategies.multiworker(member, meeting.bind(member), "", LIMIT)

    strategy = start.tensorflow(1, connect)
    from inception_mnist.config import Config
    from inception_mnist.distribute import DistributedTrainer
    from inception_mnist.training import Trainer

    digits = data.load("digits", None, None)
    everything = digits.train_images, digits.train_labels, strategy
    with pytest.raises(ValueError, match="cannot be split evenly among 2 replicas"):
        DistributedTrainer(Config(batch_size=21), *everything)
    if member:
        with pytest.raises(ValueError, match="give --precision=float32, or --head=gap"):
            DistributedTrainer(Config(precision="bfloat16"), *everything)
    for recipe, settings in RECIPES.items():
        config = Config.of_recipe(**settings)
        images, labels, _, _ = data.split(
            digits.train_images, digits.train_labels, config.valid_size
        )
        two = DistributedTrainer(config, images, labels, strategy)
        begun = [np.array(weight) + 1 for weight in two.weights()]  # --init_from
        before = {name: np.array(array) for name, array in two.arrays().items()}
        two.restore(two.arrays_from(begun))
        for weight, expected in zip(two.weights(), begun, strict=True):
            np.testing.assert_array_equal(weight, expected)
        two.restore(before)
        left = {"two": [progress.loss for progress in two.run(STEPS)]}
        left |= two.arrays()
        for variable in two.state().values():
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mirrored", "multiworker"])
def test_two_train_what_one_trains(trained, kind):
    """To the last digit or two of float32."""
    one, two = trained["mirrored", "post"]["one"], trained[kind, "post"]["two"]
    assert one[-20:].mean() < 0.9 * one[:20].mean()
    np.testing.assert_allclose(two, one, rtol=3e-6)


@pytest.mark.slow
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


@pytest.mark.slow
def test_killed_then_resumed(trained, tmp_path):
    """Ends on the bits of two workers that nothing disturbed."""
    with workers(tmp_path) as (chief, other):
        wait_for_step(tmp_path / "0", 10, (chief, other))
        other.kill()
        code, _, errors = ends(chief)
    assert code == 1 and "Traceback" not in errors, errors
    last = errors.splitlines()[-1]
    assert last.startswith("inception_mnist: ") and "start all of them again" in last

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


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--devices=2"], "--devices=2: it goes with"),
        (["--distribute=multiworker"], "TF_CONFIG is not set"),
    ],
)
def test_bad_input_is_one_line(tmp_path, flags, message):
    done = subprocess.run(
        command(tmp_path, "--dataset=digits", *flags),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stderr.splitlines() if line[0] not in "IW"]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert message in lines[0]


if __name__ == "__main__":
    train(*sys.argv[1:])

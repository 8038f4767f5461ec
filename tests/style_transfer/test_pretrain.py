"""Training the compact network: data, crops, folding, and exact resume."""

import dataclasses
import io
import json
import pathlib
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from style_transfer import classifier, dataset, features, training, weights
from style_transfer.classifier import Classifier
from style_transfer.config import Training

ROOT = pathlib.Path(__file__).parents[2]
TINY = Training(epochs=2, batch=8, crops=(16, 32), learning_rate=0.05)


@pytest.fixture(scope="module")
def data():
    """Dark pictures and bright ones: uint8 [32, 64, 64, 3], and labels."""
    generator = np.random.default_rng(0)
    labels = np.int32(np.arange(32) % 2)
    pictures = (
        generator.integers(0, 90, (32, 64, 64, 3)) + 150 * labels[:, None, None, None]
    )
    return np.uint8(pictures), labels


@pytest.fixture
def folders(data, tmp_path):
    """The pictures as class folders, and as a tar of them."""
    for index, (picture, label) in enumerate(zip(*data, strict=True)):
        folder = tmp_path / "pictures" / ("dark", "light")[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{index:02}.png")
    tar = tmp_path / "pictures.tar"
    with tarfile.open(tar, "w") as archive:
        archive.add(tmp_path / "pictures", "some/where")
    return str(tmp_path / "pictures"), str(tar)


def test_reads_folders_and_tars_alike(folders, data):
    by_folder, by_tar = (dataset.read([path], 64) for path in folders)
    for found in (by_folder, by_tar):
        assert found[2] == ("dark", "light")
        assert found[0].dtype == np.uint8 and found[0].shape == (32, 64, 64, 3)
        assert (found[0].mean(axis=(1, 2, 3)) > 120).tolist() == (found[1] > 0).tolist()
    both = dataset.read(folders, 32)
    assert len(both[0]) == 64 and both[0].shape[1:] == (32, 32, 3)


def test_refuses_what_is_no_data(folders, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="empty: no picture"):
        dataset.read([str(empty)], 64)
    with pytest.raises(ValueError, match="class 'light' is not trained"):
        dataset.read([folders[0]], 64, ["dark"])
    with pytest.raises(OSError, match="neither a folder nor a tar"):
        dataset.read([str(ROOT / "setup.cfg")], 64)
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        member = tarfile.TarInfo("a/b.png")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"bad"))
    with pytest.raises(OSError, match="b.png: no readable picture"):
        dataset.read([str(tmp_path / "bad.tar")], 64)


def test_crops_stay_within_the_picture_and_vary():
    ramp = np.tile(np.arange(64, dtype=np.uint8)[:, None], (64, 1, 64))[..., None]
    pictures = np.concatenate([ramp, ramp.transpose(0, 2, 1, 3), ramp], axis=-1)
    plain = Training(jitter=0.0)
    crops = dataset.augment(pictures, 32, plain, tf.constant(3)).numpy()
    assert crops.shape == (64, 32, 32, 3)
    assert crops.min() >= 0 and crops.max() <= 63
    down, across = crops[..., 0], crops[..., 1]
    assert (down[:, -1] > down[:, 0]).all()  # never upside down
    mirrored = across[:, 0, -1] < across[:, 0, 0]
    assert 16 < mirrored.sum() < 48
    area = np.ptp(down, axis=(1, 2)) * np.ptp(across, axis=(1, 2)) / 63**2
    assert area.min() > 0.3 and area.max() > 0.8
    again = dataset.augment(pictures, 32, plain, tf.constant(3))
    np.testing.assert_array_equal(crops, again)
    other = dataset.augment(pictures, 32, plain, tf.constant(4))
    assert not np.array_equal(crops, other)


def test_the_rate_rises_and_falls():
    rates = [training.rate_at(Training(), step, 160) for step in range(160)]
    assert np.argmax(rates) == 10 and rates[10] == pytest.approx(0.1)
    assert rates[0] < 0.02 and rates[-1] < 1e-4


def test_folding_keeps_what_the_network_computes(data):
    """Against batch norm by running statistics, in NumPy and float32."""
    network = Classifier(TINY, 2)
    for _ in training.train(network, *data):
        pass
    get = {name: value.numpy() for name, value in network.variables.items()}
    inputs = features.preprocess(tf.constant(np.float32(data[0][:4])))
    maps = inputs / classifier.PIXEL_SCALE
    for name in classifier.LAYERS:
        if features.begins_block(name):
            maps = features.pool(maps, "average")
        maps = tf.nn.conv2d(maps, get[f"{name}/kernel"], 1, "SAME")
        deviation = np.sqrt(get[f"{name}/variance"] + classifier.EPSILON)
        maps = (maps - get[f"{name}/mean"]) / deviation
        maps = tf.nn.relu(maps * get[f"{name}/scale"] + get[f"{name}/offset"])
    folded = network.folded()
    filters = {
        name: (folded[f"{name}/kernel"], folded[f"{name}/bias"])
        for name in classifier.LAYERS
    }
    found = features.feature_maps(filters, inputs, ["conv5_1"], "average")["conv5_1"]
    error = np.linalg.norm(found - maps) / np.linalg.norm(maps)
    assert error < 0.01  # half precision


def test_training_learns_and_goes_on_exactly(data, tmp_path):
    path = str(tmp_path / "checkpoint.npz")
    longer = dataclasses.replace(TINY, epochs=10)
    straight = Classifier(longer, 2)
    for step, _ in training.train(straight, *data):
        if step == 35:
            training.save(path, straight, step)
    assert step == 40
    assert training.accuracy(straight.folded(), *data, mirror=True) > 0.9
    again = Classifier(longer, 2)
    done = training.load(path, again)
    steps = [step for step, _ in training.train(again, *data, done)]
    assert steps == [36, 37, 38, 39, 40]
    for name, variable in straight.variables.items():
        np.testing.assert_array_equal(variable, again.variables[name], name)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    path = str(tmp_path / "checkpoint.npz")
    training.save(path, Classifier(TINY, 2), 1)
    for other in (Classifier(Training(), 2), Classifier(TINY, 3)):
        with pytest.raises(ValueError, match="other settings or classes"):
            training.load(path, other)
    pathlib.Path(path).write_bytes(b"bad")
    with pytest.raises(OSError, match="cannot be read"):
        training.load(path, Classifier(TINY, 2))


def pretrain(*arguments):
    command = [sys.executable, "-m", "style_transfer.pretrain", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_entry_point_exports_what_main_reads(folders, tmp_path):
    out = tmp_path / "out"
    flags = [f"--train={folders[1]}", f"--validation={folders[0]}", f"--out_dir={out}"]
    done = pretrain(*flags, "--epochs=1", "--batch=8")
    assert done.returncode == 0, done.stderr
    assert set(weights.read_compact(str(out / "compact.npz"))) == set(classifier.LAYERS)
    result = json.loads((out / "result.json").read_text())
    assert result["pictures"] == 32 and 0 <= result["accuracy"] <= 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--train: name folders"),
        (["--train=none.tar", "--validation=none.tar"], "none.tar"),
        (["--train=a", "--validation=a", "--epochs=0"], "--epochs=0"),
        (["--train=a", "--validation=a", "--side=8"], "--side=8"),
    ],
)
def test_bad_input_is_one_line(flags, message, tmp_path):
    done = pretrain(*flags, f"--out_dir={tmp_path / 'out'}")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and message in done.stderr

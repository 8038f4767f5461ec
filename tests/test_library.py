"""The packages from Python: lazy names, examples, and what may be given."""

import doctest
import importlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import char_rnn
import gpu_setup
import inception_mnist
import style_transfer

ROOT = pathlib.Path(__file__).parents[1]
TOPICS = ["char_rnn", "genetic", "gpu_setup", "inception_mnist", "remote_notebook"]
TOPICS += ["style_transfer"]
EXAMPLES = ["char_rnn.library", "genetic.evolution", "gpu_setup.library"]
EXAMPLES += ["gpu_setup.logs", "inception_mnist.library", "remote_notebook.main"]
EXAMPLES += ["style_transfer.library"]
SMALL = {"size": 48, "scales": 1, "steps": 1}


@pytest.mark.parametrize("package", TOPICS)
def test_every_name_is_there_and_documented(package):
    module = importlib.import_module(package)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name).__doc__, name
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute"):
        _ = module.no_such_name


def test_no_package_brings_tensorflow_before_it_is_used():
    names = "; ".join(
        f"import {package}; [getattr({package}, name) for name in {package}.__all__]"
        for package in TOPICS
    )
    code = f"import sys; {names}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_gpu_setup_and_remote_notebook_need_nothing_installed():
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import gpu_setup, remote_notebook
assert all(getattr(p, n) for p in (gpu_setup, remote_notebook) for n in p.__all__)
"""
    assert subprocess.run([sys.executable, "-I", "-S", "-c", code]).returncode == 0


def test_python_s_prompt_keeps_its_own_answer_to_ctrl_c():
    names = "; ".join(
        f"import {package}; [getattr({package}, name) for name in {package}.__all__]"
        for package in ("gpu_setup", "remote_notebook")
    )
    code = f"import sys; sys.ps1 = '>>> '; {names}; sys.exit('cli' not in dir("
    code += "sys.modules['runkit']) or sys.excepthook is not sys.__excepthook__)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 2 and not found.failed


def test_tensorflow_does_not_greet_a_caller():
    code = """
import char_rnn
char_rnn.train("to be or not to be " * 50, steps=1)
import keras
keras.wrappers.SKLearnClassifier(keras.Sequential())  # works as in any other program
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def pixels(kind):
    """The same grey ramp, 48 x 64, in different forms."""
    grey = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    color = np.stack([grey] * 3, axis=-1)
    return {
        "uint8 grey": grey,
        "uint8 [h, w, 1]": grey[..., np.newaxis],
        "uint8 RGB": color,
        "int64": color.astype(int),
        "float to 255": color.astype(np.float64),
        "float to 1": color / np.float32(255),
        "RGBA": np.dstack([color, np.full_like(grey, 255)]),
        "Pillow": Image.fromarray(grey),
    }[kind]


@pytest.fixture(scope="module")
def painted():
    *_, last = style_transfer.transfer(pixels("uint8 RGB"), pixels("Pillow"), **SMALL)
    return last.image


@pytest.mark.parametrize(
    "kind",
    ["uint8 grey", "uint8 [h, w, 1]", "int64", "float to 255", "float to 1"]
    + ["RGBA", "Pillow"],
)
def test_a_picture_may_have_many_forms(kind, painted):
    steps = list(style_transfer.transfer(pixels(kind), [pixels("RGBA")], **SMALL))
    assert [(each.step, each.steps) for each in steps] == [(1, 1)]
    assert set(steps[0].losses) == {"content_loss", "style_loss", "total_loss"}
    assert painted.shape == (36, 48, 3) and painted.dtype == np.uint8
    np.testing.assert_array_equal(steps[0].image, painted)


def test_a_path_may_be_one_of_pathlib(tmp_path, painted):
    path = tmp_path / "photo.png"
    Image.fromarray(pixels("uint8 RGB")).save(path)
    *_, last = style_transfer.transfer(path, str(path), **SMALL)
    np.testing.assert_array_equal(last.image, painted)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.zeros((48, 64, 2)), r"float64 \[48, 64, 2\]"),
        (np.zeros(48), r"float64 \[48\]"),
        (np.full((48, 64), 256), "from 256 to 256"),
        (np.full((48, 64), -0.1), "from -0.1"),
        (np.full((48, 64), np.nan), "from nan"),
        (np.zeros((0, 64, 3)), r"\[0, 64, 3\]"),
        (np.zeros((48, 64, 3), bool), "bool"),
        (np.zeros((4, 48, 64, 3)), r"\[4, 48, 64, 3\]"),
        (7, "int64"),
    ],
)
def test_what_is_no_picture_is_refused(wrong, says):
    for given in ((wrong, None), (None, wrong), (None, [wrong])):
        with pytest.raises(ValueError, match=says):
            style_transfer.transfer(*given, size=48)


def test_a_picture_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="8x8 pixels at this size"):
        style_transfer.transfer(np.zeros((8, 8, 3)), size=0)


def test_a_bare_array_of_styles_is_refused_before_tensorflow_sees_it():
    from style_transfer.objective import Pictures

    image = np.zeros((48, 64, 3), np.float32)
    with pytest.raises(ValueError, match=r"pictures: \[64, 3\]"):
        Pictures(image, image)


def test_a_setting_that_is_none_is_refused_before_tensorflow_starts():
    with pytest.raises(ValueError, match="--steps=0"):
        style_transfer.transfer(steps=0)
    with pytest.raises(TypeError, match="no_such"):
        char_rnn.train("a text", no_such=1)
    with pytest.raises(ValueError, match="--dropout=2"):
        inception_mnist.train(np.zeros((5, 28, 28), np.uint8), np.zeros(5), dropout=2.0)


def words(count, seed):
    """Words in any order, of which q is always followed by u."""
    known = ["to", "be", "or", "not", "that", "is", "the", "question", "quite", "quiet"]
    return " ".join(np.random.default_rng(seed).choice(known, count))


@pytest.fixture(scope="module")
def writer():
    seen = []
    writer = char_rnn.train(words(3_000, 0), seen.append, steps=200, num_nodes=32)
    assert [each.step for each in seen] == [100, 200]
    assert seen[-1].losses.mean() < seen[0].losses.mean()
    return writer


def test_a_writer_knows_its_text(writer):
    assert writer.alphabet == " abehinoqrstu"
    assert writer.bits_per_character(words(200, 1)) < 2  # 3.7 would be a guess
    chances = writer.expects("the q")
    assert next(iter(chances)) == "u" and set(chances) == set(writer.alphabet)
    assert list(chances.values()) == sorted(chances.values(), reverse=True)
    assert sum(chances.values()) == pytest.approx(1)


def test_a_sample_repeats_with_its_seed_and_begins_with_its_prime(writer):
    first, again, other = (
        writer.sample("to be", length=80, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert first.startswith("to be") and len(first) == 85
    assert len(writer.sample(length=10)) == 11
    with pytest.raises(ValueError, match="'X' at character 0"):
        writer.sample("X")
    with pytest.raises(ValueError, match="temperature=-1"):
        writer.sample("to", temperature=-1)


def test_a_text_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="too many streams"):
        char_rnn.train("short")
    with pytest.raises(ValueError, match="0 characters"):
        char_rnn.train("")


@pytest.fixture(scope="module")
def stripes():
    """Upright and lying stripes, and their labels."""
    generator = np.random.default_rng(0)
    images = np.zeros((80, 28, 28), np.uint8)
    labels = np.arange(80) % 2
    for image, label in zip(images, labels, strict=True):
        (image.T if label else image)[generator.integers(6, 22) :: 6] = 255
    return images, labels


def test_a_network_learns_and_predicts(stripes):
    images, labels = stripes
    seen = []
    network = inception_mnist.train(
        images, labels, seen.append, steps=60, batch_size=40, map1=2, map2=2, classes=2,
        learning_rate=0.02,
    )  # fmt: skip
    assert [each.step for each in seen] == list(range(1, 61))
    forms = images, images[..., np.newaxis] / 255, images.astype(float)
    found = [network.predict(form) for form in forms]
    assert np.mean(found[0] == labels) > 0.9
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    chances = network.probabilities(images[:3])
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    assert chances.shape == (3, 2)


@pytest.mark.parametrize(
    "wrong",
    [np.full((5, 28, 28), 256), np.full((5, 28, 28), -1.0), np.zeros((5, 28, 27))]
    + [np.zeros((28, 28)), np.full((5, 28, 28), np.nan), np.zeros((0, 28, 28))],
)
def test_what_is_no_image_of_a_digit_is_refused(wrong):
    with pytest.raises(ValueError, match="images: "):
        inception_mnist.train(wrong, np.zeros(len(wrong), int))


def test_a_saved_machine_is_judged():
    saved = ROOT / "reproduce" / "data" / "gtx_1060_cuda_7.5.tar.gz"
    judgement = gpu_setup.judge(saved)
    assert judgement.verdict == "problem"
    assert gpu_setup.headline(judgement) in gpu_setup.as_text(judgement)
    assert "GTX 1060" in gpu_setup.as_markdown(judgement)
    with pytest.raises(ValueError, match="no such machine"):
        gpu_setup.judge("no/such/machine")

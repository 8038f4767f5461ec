"""The convnet of TensorFlow's tutorial is what the tutorial says, and learns."""

import json
import subprocess
import sys

import numpy as np
import pytest

from reproduce import convnet


@pytest.fixture(scope="module")
def model():
    return convnet.build_model(convnet.Config())


def test_has_the_tutorials_weights(model):
    """Kernels and biases counted by hand from the tutorial's shapes."""
    convolutions = (5 * 5 * 1 + 1) * 32 + (5 * 5 * 32 + 1) * 64
    assert model.count_params() == convolutions + (7 * 7 * 64 + 1) * 1024 + 1025 * 10


def test_initial_values_are_those_of_the_tutorial(model):
    *_, hidden, _, last = model.layers
    kernel, bias = hidden.get_weights()
    assert np.abs(kernel).max() <= 0.2  # two deviations of 0.1
    assert kernel.std() == pytest.approx(0.088, abs=0.002)  # of such a truncated normal
    np.testing.assert_allclose(bias, 0.1)
    np.testing.assert_allclose(last.get_weights()[1], 0.1)


@pytest.mark.slow
def test_command_learns_digits(tmp_path):
    command = [sys.executable, "-m", "reproduce.convnet", "--dataset=digits"]
    command += ["--steps=60", "--valid_size=100", f"--out_dir={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["test_accuracy"] > 0.5
    assert result["is_mnist"] is False
    assert "step 60 of 60" in done.stderr


def test_too_few_images_are_one_line(tmp_path):
    command = [sys.executable, "-m", "reproduce.convnet", "--dataset=digits"]
    command += ["--valid_size=9999", f"--out_dir={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "--valid_size=9999" in done.stderr

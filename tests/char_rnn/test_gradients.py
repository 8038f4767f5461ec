"""Gradients by lag: a case worked by hand, and the figure."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from char_rnn.config import Config
from char_rnn.evaluate import gradient_norm_by_lag
from char_rnn.model import CharRNN

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_a_scaled_identity_shrinks_or_grows_by_its_scale(scale):
    """All units stay positive, so each step back multiplies by W' = scale I."""
    config = Config(combine="sum", activation="relu", num_nodes=4)
    model = CharRNN(config, 27)
    model.U.assign(np.full([27, 4], 1.0))
    model.W.assign(scale * np.eye(4))
    norms = gradient_norm_by_lag(model, np.ones([31, 2], np.int32))
    assert len(norms) == 30 and norms[0] > 0
    np.testing.assert_allclose(np.divide(norms[1:], norms[:-1]), scale, rtol=1e-9)


FEW = """
from char_rnn import gradients
gradients.UNROLLINGS = (5,)  # each of the five is compiled twice
gradients.cli.run(gradients.main, "char_rnn")
"""


def test_the_figure(tmp_path):
    flags = f"--out_dir={tmp_path}", "--characters=80", "--num_nodes=8"
    command = [sys.executable, "-c", FEW, *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "result.json").read_text())
    assert set(found["norms"]) == {
        f"{activation} {when} training"
        for activation in ("relu", "tanh")
        for when in ("before", "after")
    }
    for name in ("relu before training", "tanh before training"):
        curves = found["norms"][name]
        assert [len(curve) for curve in curves.values()] == [80, 80, 80]
        assert curves["W scaled by 0.5"][-1] < 1e-10 * curves["W scaled by 0.5"][0]
    exploding = found["norms"]["relu before training"]["W scaled by 2"]
    assert exploding[-1] > 1e4 * exploding[0]
    assert set(found["valid_bpc"]["tanh"]) == {"5"}
    with Image.open(tmp_path / "gradients.png") as image:
        assert min(image.size) > 500

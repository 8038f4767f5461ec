"""The pages of the functions, as `make docs` builds them."""

import importlib
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PUBLIC = ["style_transfer", "char_rnn", "inception_mnist", "genetic", "gpu_setup"]
PUBLIC += ["remote_notebook"]


@pytest.mark.slow
def test_every_public_name_and_module_has_its_place(tmp_path):
    command = [sys.executable, "docs/build.py", str(tmp_path)]
    own = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for package in PUBLIC:
        page = (tmp_path / f"{package}.html").read_text()
        for name in importlib.import_module(package).__all__:
            assert f'id="{name}"' in page, name
        assert (tmp_path / package / "config.html").exists()
    index = (tmp_path / "index.html").read_text()
    for page, name in re.findall(r'href="(\w+\.html)#(\w+)"', index):
        assert f'id="{name}"' in (tmp_path / page).read_text()
    assert index.count("#train") == 2
    losses = (tmp_path / "style_transfer" / "losses.html").read_text()
    assert "gram_matrix" in losses

"""The post's figures: what is in them, and that they are written."""

import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image

from style_transfer import figures
from style_transfer.config import Config

ROOT = pathlib.Path(__file__).parents[2]


def test_each_figure_has_the_posts_panels():
    found = figures.figures(Config())
    content = [config.content_layers for config in found["content"].values()]
    assert content == [(f"conv{block}_1",) for block in range(1, 6)]
    style = [config.style_layers for config in found["style"].values()]
    assert [len(layers) for layers in style] == [1, 2, 3, 4, 5]
    assert all(config.init == "noise" for config in found["style"].values())
    assert list(found["style"])[1] == "conv1_1 to conv2_1"


def test_a_grid_shows_every_panel():
    panels = {f"layer {i}": np.full((30, 40, 3), 60.0 * i) for i in range(4)}
    figure = figures.grid(panels)
    assert [axis.get_title() for axis in figure.axes][:4] == list(panels)


def test_figures_are_written(tmp_path):
    flags = ["--size=64", "--steps=2", "--weights=compact", f"--out_dir={tmp_path}"]
    command = [sys.executable, "-m", "style_transfer.figures", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"content.png", "style.png", "transfer.png"}
    with Image.open(tmp_path / "style.png") as image:
        assert image.width > 600


def test_bad_input_is_one_line(tmp_path):
    flags = ["--content=none.png", f"--out_dir={tmp_path / 'out'}"]
    command = [sys.executable, "-m", "style_transfer.figures", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "none.png" in done.stderr

"""The post's figures: what is in them, and that they are written."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from style_transfer.config import BLOCKS, Config
from style_transfer.figures import drawings, pictures

ROOT = pathlib.Path(__file__).parents[3]


def test_each_figure_has_the_posts_panels():
    found = pictures.reconstructions(Config())
    content = [config.content_layers for config in found["content"].values()]
    assert content == [(f"conv{block}_1",) for block in range(1, 6)]
    style = [config.style_layers for config in found["style"].values()]
    assert [len(layers) for layers in style] == [1, 2, 3, 4, 5]
    assert all(config.init == "noise" for config in found["style"].values())
    assert list(found["style"])[1] == "conv1_1 to conv2_1"
    alone = [config.style_layers for config in found["style_layers"].values()]
    assert alone == content


def test_a_grid_shows_every_panel():
    shown = {f"layer {i}": np.full((30, 40, 3), 60.0 * i) for i in range(4)}
    figure = drawings.grid(shown)
    assert [axis.get_title() for axis in figure.axes][:4] == list(shown)


def test_the_maps_show_the_numbers_of_the_patch():
    image = np.full((40, 50, 3), 90.0)
    image[20:24, 30:38] = 255.0, 0.0, 17.0
    row, column = drawings.colorful_patch(image)
    patch = image[row : row + 8, column : column + 8]
    assert (patch == image[20, 30]).all(axis=-1).sum() == 32
    below = drawings.maps(image).axes[4:]
    found = [[int(text.get_text()) for text in axes.texts] for axes in below]
    assert found[0] == []  # the picture's own patch is in colour
    for k in range(3):
        assert found[1 + k] == patch[..., k].ravel().tolist()


def test_noise_becomes_the_picture(content):
    frames, losses = pictures.descend(content, seed=0)
    assert len(frames) == len(losses) == pictures.NOISE_STEPS + 1
    for step in (0, 10, pictures.NOISE_STEPS):
        loss = np.square(np.float64(frames[step]) - content).sum()
        assert losses[step] == pytest.approx(loss, rel=1e-4)
    assert losses[-1] < 1e-2 * losses[0]
    steps = drawings.shown_steps(pictures.NOISE_STEPS)
    assert steps == [0, 10, 20, 40, 80, 160]
    figure = drawings.noise(frames, losses, content)
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels[1] == f"step 10\nL = {losses[10]:,.0f}"


def run(*arguments):
    command = [sys.executable, "-m", "style_transfer.figures", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_figures_are_written(tmp_path):
    out = f"--out_dir={tmp_path}"
    done = run("--size=64", "--steps=2", "--scales=1", out)
    assert done.returncode == 0, done.stderr
    names = {"maps", "noise", "content", "style", "style_layers", "transfer"}
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {f"{name}.png" for name in names} | {"result.json"}
    with Image.open(tmp_path / "style.png") as image:
        assert image.width > 600
    found = json.loads((tmp_path / "result.json").read_text())
    off = found["content"]["rms_difference"]
    assert off["the picture"] == 0 < off["conv1_1"]
    assert len(found["style"]["wavelength"]) == 6
    alone = found["style_layers"]
    first = alone["wavelength"]["conv1_1 alone"]
    assert first == found["style"]["wavelength"]["conv1_1"]  # one and the same
    assert set(alone["gram_wavelength"]) == set(BLOCKS)
    assert found["noise"]["pixel_loss"]["160"] < found["noise"]["pixel_loss"]["0"]


def test_some_figures_need_no_network(tmp_path):
    out = f"--out_dir={tmp_path}"
    done = run("--figures=noise,maps", "--weights=none.h5", "--size=64", out)
    assert done.returncode == 0, done.stderr
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"maps.png", "noise.png", "result.json"}
    assert "maps.png, noise.png, result.json" in done.stderr


def test_an_unknown_figure_is_one_line(tmp_path):
    done = run("--figures=maps,faces", f"--out_dir={tmp_path / 'out'}")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "--figures=maps,faces: choose from maps, noise" in done.stderr

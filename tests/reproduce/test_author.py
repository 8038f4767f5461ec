"""The author's logs are read in our units, and drawn beside ours."""

import pathlib

import pytest
from PIL import Image

from reproduce import runner, store
from reproduce.config import Config
from reproduce.posts import CURVES, EXPERIMENTS

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("arch1", 801, (0, 4.752), (800_000, 2.603)),
        ("arch2_printed", 51, (0, 4.733), (50_000, 1.03e-4)),
        ("digits_post", 200, (0, 0.214), (19_900, 0.984)),
    ],
)
def test_logs_are_read_in_our_units(name, count, first, last):
    points = CURVES[name].author()
    assert len(points) == count
    for (step, value), (right_step, right_value) in zip(
        (points[0], points[-1]), (first, last), strict=True
    ):
        assert step == right_step
        assert value == pytest.approx(right_value, rel=2e-3)


def test_a_kept_run_has_its_curve_and_is_drawn(tmp_path):
    experiment = next(each for each in EXPERIMENTS if each.name == "arch1")
    config, folder = Config(length="full"), tmp_path / "arch1"
    log = "step,train_bpc,valid_bpc\n100,4.1234567,4\n200,3.5,3.4\n"
    runner.write_json(folder / "result.json", {"corpus": "wiki8.zip"})
    command = config.command(experiment, str(folder))
    record = {"command": command, "done": True, "wall_seconds": 1}
    runner.write_json(folder / "run.json", record)
    (folder / "log.csv").write_text(log)
    kept = store.collect(experiment, config, folder)
    assert kept["curve"] == [(100, 4.1235), (200, 3.5)]
    store.draw({"arch1": kept}, lambda name: tmp_path / f"{name}.png")
    assert Image.open(tmp_path / "arch1.png").size == (800, 450)


def test_runs_without_a_curve_are_not_drawn(tmp_path):
    store.draw(store.load(ROOT / "results"), lambda name: tmp_path / f"{name}.png")
    known = store.load(ROOT / "results")
    drawn = {path.stem for path in tmp_path.iterdir()}
    assert drawn == {name for name, run in known.items() if "curve" in run}

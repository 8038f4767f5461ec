"""The entry point as a user runs it, and its counts against layers of Keras."""

import csv
import json
import os
import pathlib
import subprocess
import sys
from types import SimpleNamespace

import pytest
from PIL import Image

from inception_mnist.operations import counts
from inception_mnist.operations.__main__ import Settings
from inception_mnist.operations.counts import GOOGLENET, MODULES, NAIVE

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = pathlib.Path(__file__).parents[3]


def run_into(out, *arguments):
    command = [sys.executable, "-m", "inception_mnist.operations", f"--out_dir={out}"]
    return subprocess.run(
        [*command, "--nomeasure", *arguments], cwd=ROOT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def defaults(tmp_path_factory):
    """What a run without flags prints and leaves."""
    out = tmp_path_factory.mktemp("operations")
    done = run_into(out)
    assert done.returncode == 0, done.stderr
    with open(out / "operations.csv") as file:
        rows = list(csv.DictReader(file))
    result = json.loads((out / "result.json").read_text())
    return SimpleNamespace(out=out, done=done, rows=rows, result=result)


def test_prints_the_posts_arithmetic(defaults):
    lines = [" ".join(line.split()) for line in defaults.done.stdout.splitlines()]
    start = lines.index("naive 5^2 * 28^2 * 192 * 32 = 120,422,400")
    assert lines[start + 1 : start + 5] == [
        "reduced 1^2 * 28^2 * 192 * 16 = 2,408,448",
        "+ 5^2 * 28^2 * 16 * 32 = 10,035,200",
        "= 12,443,648",
        "Saved: a factor of 9.68; the post says ten.",
    ]


def test_prints_all_tables(defaults):
    lines = [" ".join(line.split()) for line in defaults.done.stdout.splitlines()]
    # Naive, reduced, their quotient, naive stacked, parameters.
    assert "5a 7x7x832 258,306,048 51,079,168 5.1 1,038,191,616 1,043,456" in lines
    assert "5a 1,018.0 K 1072 K +5.3%* 51.1 M 54 M +5.7%*" in lines
    assert "all 197,575,000 329,835,800 57,261,400 171,434,900" in lines
    assert "all 140,573,758 158,829,598 260,158 428,698" in lines
    assert "all 128,049,152 100.0% 163,696" in lines
    assert "naive over reduced: 2.37" in lines
    *printed, last = defaults.done.stdout.splitlines()
    assert max(map(len, printed)) <= 88
    assert last.startswith("Written to ")
    assert defaults.done.stderr == ""


def test_leaves_figures_and_numbers(defaults):
    names = {path.name for path in defaults.out.iterdir()}
    pictures = {"operations.png", "module.png", "computation.png"}
    assert names == {"operations.csv", "result.json"} | pictures
    for name in pictures:
        with Image.open(defaults.out / name) as image:
            assert min(image.size) > 500
    found = defaults.result
    layers = found["own"]["reduced"]["layers"]
    assert (layers["5x5 reduce"], layers["5x5"]) == (2_408_448, 10_035_200)
    assert found["own"]["naive"]["layers"]["5x5"] == 120_422_400
    assert found["post"] == {
        "naive": 120_422_400,
        "reduced_1x1": 2_408_448,
        "reduced_5x5": 10_035_200,
        "reduced": 12_443_648,
        "factor": pytest.approx(9.677, abs=1e-3),
    }
    assert found["googlenet"]["all"]["reduced"] == 1_103_972_352
    assert found["model"]["reduced dense"]["parameters"] == 140_573_758
    assert found["model"]["naive gap"]["parameters"] == 428_698
    assert found["own"]["naive"]["channels_out"] == 416
    assert found["measured"] == {}
    assert found["config"]["map1"] == 32 and found["config"]["head"] == "dense"


def keras_counts(module, kind):
    """Multiplications and parameters of a module by layer, as Keras builds it."""
    import keras

    def convolution(x, maps, size):
        layer = keras.layers.Conv2D(maps, size, padding="same")
        shape = layer(x)
        *window, channels_in, channels_out = layer.kernel.shape
        each = window[0] * window[1] * channels_in * channels_out
        pixels = shape.shape[1] * shape.shape[2]
        counts.append((each * pixels, layer.count_params()))
        return shape

    counts = []
    x = keras.Input((module.height, module.width, module.channels_in))
    pooled = keras.layers.MaxPooling2D(3, 1, padding="same")(x)
    ones = convolution(x, module.ones, 1)
    if kind == NAIVE:
        threes = convolution(x, module.threes, 3)
        fives = convolution(x, module.fives, 5)
    else:
        threes = convolution(convolution(x, module.reduce3, 1), module.threes, 3)
        fives = convolution(convolution(x, module.reduce5, 1), module.fives, 5)
        pooled = convolution(pooled, module.pool, 1)
    joined = keras.layers.Concatenate()([ones, threes, fives, pooled])
    return counts, joined.shape


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize("name", GOOGLENET)
def test_counts_are_those_of_keras(defaults, name, kind):
    module = GOOGLENET[name]
    counts, shape = keras_counts(module, kind)
    written = [
        (int(row["multiplications"]), int(row["parameters"]))
        for row in defaults.rows
        if row["network"] == f"googlenet {name}" and row["kind"] == kind
    ]
    assert written == counts
    assert shape == (None, module.height, module.width, module.channels_out(kind))


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize("head", counts.HEADS)
@pytest.mark.parametrize("pool", [1, 2])
def test_counts_are_those_of_the_model_that_is_trained(kind, head, pool):
    from inception_mnist.config import Config
    from inception_mnist.model import build_model

    # A hidden layer of the post's width would take a GB with the dense head.
    settings = {"module": kind, "head": head, "pool": pool, "hidden": 7}
    model = build_model(Config(**settings, precision="float32"))
    layers = counts.model_layers(**settings)
    of_modules = [counts.parameters(x for x in layers if x.module == n) for n in (1, 2)]
    names = "inception1", "inception2"
    assert [model.get_layer(name).count_params() for name in names] == of_modules
    assert model.count_params() == counts.parameters(layers)
    side = {x.module: x.height for x in layers}[2]
    assert model.get_layer("inception2").output.shape[1:3] == (side, side)


def test_flags_describe_a_model_and_a_module_and_measure(tmp_path):
    model = ("--map1=4", "--map2=6", "--reduce1x1=2", "--hidden=30", "--pool=2")
    kind = ("--head=gap", "--module=naive")
    own = ("--size=14", "--channels=480", "--module_widths=192, 96,208,16,48,64")
    timed = ("--measure", "--batch_size=2", "--repeats=1")
    done = run_into(tmp_path, *model, *kind, *own, *timed)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Its layers with --module=naive --head=gap:" in done.stdout
    settings = {"map1": 4, "map2": 6, "reduce1x1": 2, "hidden": 30, "pool": 2}
    layers = counts.model_layers(**settings, head="gap", module="naive")
    found = json.loads((tmp_path / "result.json").read_text())
    assert found["model"]["naive gap"] == {
        "multiplications": counts.multiplications(layers),
        "parameters": counts.parameters(layers),
    }
    assert found["own"]["reduced"]["multiplications"] == 73_608_192  # 4a
    assert found["own"]["reduced"]["channels_out"] == 512
    for kind, measured in found["measured"].items():
        layers = counts.model_layers(**settings, module=kind)
        count = counts.training_multiplications(x for x in layers if x.module)
        assert measured["multiplications"] == 2 * count
        speed = 2 * 2 * count / measured["seconds"] / 1e9
        assert measured["gflops"] == pytest.approx(speed)
        assert f"\n{kind} " in done.stdout[done.stdout.index("GFLOP/s") :]
    assert set(found["measured"]) == set(MODULES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": -3}, "--size=-3"),
        ({"channels": 0}, "--channels=0"),
        ({"pool": 29}, "--pool=29"),
        ({"map1": 99999999999}, "--map1=99999999999"),
        ({"head": "tail"}, "--head=tail"),
        ({"batch_size": 0}, "--batch_size=0"),
        ({"module_widths": (1, 2, 3)}, "--module_widths=1,2,3"),
        ({"module_widths": (1, 2, 3, 4, 5, 6, 7)}, "--module_widths"),
        ({"module_widths": (1, 2, 3, 4, 5, -6)}, "--module_widths=-6"),
        ({"module_widths": ()}, "--module_widths"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError) as error:
        Settings(**settings)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "flag", ["--module=wide", "--module_widths=1,2,3,4,5,six", "--channels=0"]
)
def test_a_mistake_is_one_line(tmp_path, flag):
    done = run_into(tmp_path / "out", flag)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert flag[2:].partition("=")[0] in done.stderr
    assert not (tmp_path / "out").exists()

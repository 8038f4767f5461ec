"""The entry point: what it prints and leaves, what it refuses, how it goes on."""

import csv
import json
import signal
import subprocess
import time

import pytest
from PIL import Image


def result(main):
    return json.loads((main.out / "result.json").read_text())


def test_solves_the_airline_and_leaves_everything(main):
    done = main("--exact", "--generations=300")
    assert done.returncode == 0, done.stderr
    assert "fuel t" in done.stdout and "gap 0.0000%" in done.stdout
    found = result(main)
    assert found["feasible"] and found["gap"] == 0
    assert found["best_objective"] == pytest.approx(found["optimum"])
    assert len(found["best_solution"]) == 36
    assert found["generations"] == 300
    assert found["evaluations"] == 301 * found["config"]["population"]
    assert {path.name for path in main.out.iterdir()} == {
        "checkpoint.npz",
        "convergence.png",
        "log.csv",
        "population.png",
        "result.json",
    }
    rows = list(csv.DictReader((main.out / "log.csv").open()))
    assert len(rows) == 301
    assert float(rows[-1]["best"]) == pytest.approx(found["optimum"])
    for name in ("convergence.png", "population.png"):
        with Image.open(main.out / name) as image:
            assert min(image.size) > 300


def test_the_or_library_and_the_post_scheme(main):
    done = main("--problem=genetic/data/mknap1.txt", "--number=3", "--target=4015")
    assert done.returncode == 0, done.stderr
    assert result(main)["best_objective"] == 4015
    done = main("--scheme=post", "--generations=200", "--seed=1")
    assert done.returncode == 0, done.stderr
    assert result(main)["feasible"]


def test_many_runs(main):
    done = main("--runs=3", "--workers=2", "--migrants=2", "--generations=100")
    assert done.returncode == 0, done.stderr
    found = result(main)
    assert len(found["runs"]) == 3 and max(found["runs"]) == found["best_objective"]
    assert len(list(main.out.glob("log_*.csv"))) == 3


def test_a_killed_run_resumes_exactly(main, tmp_path):
    flags = ["--population=400", "--generations=9000"]
    whole = main(*flags)
    assert whole.returncode == 0, whole.stderr
    log = (main.out / "log.csv").read_bytes()
    solution = result(main)["best_solution"]
    for path in main.out.iterdir():
        path.unlink()
    with subprocess.Popen(main.command(*flags)) as process:
        deadline = time.monotonic() + 60
        while not (main.out / "checkpoint.npz").exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert not (main.out / "log.csv").exists()
    resumed = main(*flags, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert (main.out / "log.csv").read_bytes() == log
    assert result(main)["best_solution"] == solution


def test_ctrl_c_saves_what_there_is_and_resumes_exactly(main):
    command = main.command("--generations=10000000")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    found = result(main)
    assert found["feasible"]
    flags = [f"--generations={found['generations'] + 500}"]
    assert main(*flags, "--resume").returncode == 0
    resumed = (main.out / "log.csv").read_bytes()
    assert main(*flags).returncode == 0
    assert (main.out / "log.csv").read_bytes() == resumed


def test_proves_that_nothing_is_feasible(main, tmp_path):
    path = tmp_path / "none.csv"
    # Even numbers cannot sum to an odd one.
    path.write_text("n,o,w\na,1,2\nb,1,4\nc,1,6\ncapacity,,=7\n")
    done = main(f"--problem={path}", "--generations=5")
    assert done.returncode == 0, done.stderr
    assert "--exact can decide" in done.stdout
    assert result(main)["best_objective"] is None
    done = main(f"--problem={path}", "--generations=5", "--exact")
    assert "HiGHS proves it" in done.stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--problem=none.csv"], "none.csv: no such file"),
        (["--problem=genetic/data/mknap1.txt", "--number=8"], "has 7"),
        (["--capacity=fuel t"], "write RESOURCE=NUMBER"),
        (["--capacity=water=3"], "no resource 'water'"),
        (["--population=1"], "--population=1"),
        (["--mutation=2"], "--mutation=2"),
        (["--runs=0"], "--runs=0"),
        (["--migrants=100"], "--migrants=100"),
        (["--resume"], "run without --resume first"),
        (["--resume", "--runs=2"], "--resume"),
        (["--out_dir=setup.cfg/x"], "setup.cfg"),
        (["--selection=luck"], "selection"),
        (["flights.csv"], "unexpected 'flights.csv'"),
    ],
)
def test_bad_input_is_one_line(main, flags, message):
    done = main(*flags)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr


def test_resume_refuses_other_settings_and_damage(main):
    assert main("--generations=20").returncode == 0
    done = main("--generations=30", "--resume", "--seed=5")
    assert done.returncode == 2 and "other settings" in done.stderr
    (main.out / "checkpoint.npz").write_bytes(b"PK\x03\x04 and then nothing")
    done = main("--generations=30", "--resume")
    assert done.returncode == 2 and "damaged" in done.stderr

"""The entry point: what it prints and leaves, what it refuses, how it goes on."""

import csv
import json
import re
import signal
import time

import numpy as np
import pytest
from PIL import Image

from genetic import outputs, problem

WRITTEN = {
    "checkpoint.npz",
    "convergence.png",
    "log.csv",
    "population.png",
    "result.json",
    "solution.csv",
}


def result(main):
    return json.loads((main.out / "result.json").read_text())


def written(main):
    names = {path.name for path in main.out.iterdir()}
    return names - {".lock", "checkpoint_previous.npz"}


def wait_for(condition, process):
    """Waits until something is true of a process that is still running."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)


def test_solves_the_airline_and_leaves_everything(main):
    done = main("--exact", "--generations=300")
    assert done.returncode == 0, done.stderr
    assert re.search(r"fuel t +148.9  <= 149 +0.1\n", done.stdout)
    assert "Optimum: 2303.8 (proven by HiGHS), gap 0.0000%" in done.stdout
    found = result(main)
    assert found["feasible"] and found["gap"] == 0
    assert found["best_objective"] == found["optimum"] == 2303.8
    assert len(found["best_solution"]) == 36
    assert found["best_by_name"]["ORD 08:10"] == 1 and len(found["best_by_name"]) == 19
    assert found["exact"]["proven"] and found["exact"]["by_name"]
    assert found["slack"]["fuel t"] == {
        "used": 148.9,
        "allowed": "<= 149",
        "slack": 0.1,
    }
    assert found["generations"] == 300
    assert found["evaluations"] == 301 * found["config"]["population"]
    assert written(main) == WRITTEN
    rows = list(csv.DictReader((main.out / "log.csv").open()))
    assert len(rows) == 301
    assert float(rows[-1]["best"]) == found["optimum"]
    plan = list(csv.DictReader((main.out / "solution.csv").open()))
    assert sum(int(row["count"]) for row in plan) == 19
    assert sum(float(row["use of fuel t"]) for row in plan) == pytest.approx(148.9)
    for name in ("convergence.png", "population.png"):
        with Image.open(main.out / name) as image:
            assert min(image.size) > 300


def test_the_exact_plan_where_the_algorithm_finds_nothing(main, file):
    # Two equalities that a random start never meets.
    path = file(
        "n,cost,r,s,upper\na,3,17,5,300\nb,2,11,9,300\nc,4,13,31,300\n"
        "capacity,,=2250,=2910,\n"
    )
    flags = (f"--problem={path}", "--minimize", "--generations=3", "--population=5")
    done = main(*flags, "--exact")
    assert done.returncode == 0, done.stderr
    assert "The genetic algorithm found no feasible solution." in done.stdout
    assert "HiGHS's plan:" in done.stdout and "(proven by HiGHS)" in done.stdout
    found = result(main)
    assert not found["feasible"] and found["best_solution"] is None
    a, b, c = found["exact"]["solution"]
    assert 17 * a + 11 * b + 13 * c == 2250 and 5 * a + 9 * b + 31 * c == 2910
    assert found["optimum"] == 3 * a + 2 * b + 4 * c
    assert "solution.csv" in written(main)
    done = main(*flags)
    assert "--exact can decide" in done.stdout


def test_proves_that_nothing_is_feasible(main, file):
    # Even numbers cannot sum to an odd one.
    path = file("n,o,w\na,1,2\nb,1,4\nc,1,6\ncapacity,,=7\n")
    done = main(f"--problem={path}", "--generations=5", "--exact")
    assert done.returncode == 0, done.stderr
    assert "There is no feasible solution: HiGHS proves it." in done.stdout
    assert result(main)["best_objective"] is None


def test_an_answer_better_than_the_stated_one(main, file):
    path = file("1\n4 1 5\n1 2 3 4\n1 2 3 4\n7\n")
    done = main(f"--problem={path}", "--generations=20")
    assert "Optimum: 5 (stated in the file), gap -40.0000%" in done.stdout
    assert "better than that" in done.stdout
    assert result(main)["gap"] == pytest.approx(-0.4)
    done = main(f"--problem={path}", "--generations=20", "--exact")
    assert "Optimum: 7 (proven by HiGHS), gap 0.0000%" in done.stdout


def test_a_stop_by_time_and_the_post(main):
    done = main("--seconds=1.5", "--scheme=post")
    assert done.returncode == 0, done.stderr
    found = result(main)
    assert found["seconds"] >= 1.5 and found["feasible"] and found["gap"] is None
    assert found["generations"] > 0 and written(main) == WRITTEN


def test_many_runs(main):
    done = main("--runs=3", "--workers=2", "--migrants=2", "--generations=100")
    assert done.returncode == 0, done.stderr
    found = result(main)
    assert len(found["runs"]) == 3 and max(found["runs"]) == found["best_objective"]
    assert len(list(main.out.glob("log_*.csv"))) == 3
    assert "population.png" in written(main)


@pytest.mark.posix
@pytest.mark.slow
def test_a_killed_run_resumes_exactly(main):
    flags = ["--population=300", "--generations=4000"]
    whole = main(*flags)
    assert whole.returncode == 0, whole.stderr
    log = (main.out / "log.csv").read_bytes()
    solution = result(main)["best_solution"]
    for path in main.out.iterdir():
        path.unlink()
    with main.start(*flags) as process:
        wait_for((main.out / "checkpoint.npz").exists, process)
        process.send_signal(signal.SIGKILL)
    assert not (main.out / "log.csv").exists()
    resumed = main(*flags, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert (main.out / "log.csv").read_bytes() == log
    assert result(main)["best_solution"] == solution
    done = main(*flags, "--resume", "--seed=5")
    assert done.returncode == 2 and "--seed=0" in done.stderr
    done = main(*flags, "--resume", "--capacity=fuel t=9")
    assert done.returncode == 2 and "of another problem" in done.stderr
    for name in ("checkpoint.npz", "checkpoint_previous.npz"):
        (main.out / name).write_bytes(b"PK\x03\x04 and then nothing")
    done = main(*flags, "--resume")
    assert done.returncode == 2 and "damaged" in done.stderr


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_what_there_is_and_it_resumes_exactly(main, number):
    with main.start("--generations=100000000", stderr=-1, text=True) as process:
        wait_for((main.out / "checkpoint.npz").exists, process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    found = result(main)
    assert found["feasible"] and written(main) >= WRITTEN
    if number == signal.SIGTERM:
        return
    flags = [f"--generations={found['generations'] + 200}"]
    assert main(*flags, "--resume").returncode == 0
    resumed = (main.out / "log.csv").read_bytes()
    assert main(*flags).returncode == 0
    assert (main.out / "log.csv").read_bytes() == resumed


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--problem=none.csv"], "none.csv: no such file"),
        (["--problem=genetic/data/mknap1.txt", "--number=8"], "has 7"),
        (["--capacity=fuel t"], "write RESOURCE=NUMBER"),
        (["--population=1"], "--population=1"),
        (["--migrants=100"], "--migrants=100"),
        (["--resume"], "run without --resume first"),
        (["--resume", "--runs=2"], "--resume"),
        (["--out_dir=setup.cfg/x"], "setup.cfg"),
        (["flights.csv"], "unexpected 'flights.csv'"),
    ],
)
def test_bad_input_is_one_line(main, flags, message):
    done = main(*flags)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000000000, "1000000000"), (2303.8, "2303.8"), (1e-7, "1e-07"), (-3.0, "-3")],
)
def test_numbers_in_full(value, text):
    assert outputs.number(value) == text


def test_report_and_slack_of_every_sense():
    case = problem.LinearProblem(
        names=("a", "b"),
        objective=np.array([1.0, 2.0]),
        resources=("at most", "at least", "equal"),
        weights=np.array([[123456789.0, 1.0], [1.0, 2.0], [0.1, 0.2]]),
        low=np.array([-np.inf, 3.0, 0.5]),
        high=np.array([987654321.0, np.inf, 0.5]),
        lower=np.zeros(2, np.int64),
        upper=np.full(2, 9),
    )
    solution = np.array([1, 2])
    slacks = outputs.slacks(case, solution)
    assert [entry["slack"] for entry in slacks.values()] == [864197530, 2, 0]
    text = outputs.report(case, solution)
    assert "1 x a, 2 x b" in text and "<= 987654321" in text and "= 0.5" in text

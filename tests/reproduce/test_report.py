"""Verdicts follow from results, and tables from"""

import pathlib

import pytest

from reproduce import gallery, report
from reproduce.post import CONFIRMED, REFUTED, UNCHECKED
from reproduce.posts import EXPERIMENTS, POSTS, text

NAMES = {experiment.name for experiment in EXPERIMENTS}
CLAIMS = [claim for post in POSTS for claim in post.claims]


def kept(name, **result):
    return {
        name: {
            "name": name,
            "length": "short",
            "command": f"python -m some.main --{name} --corpus=text8.zip",
            "data": "some data",
            "wall_seconds": 1.5,
            "machine": "a machine",
            "result": result,
        }
    }


def verdict_of(says, known):
    claim = next(claim for claim in CLAIMS if claim.says.startswith(says))
    return report.judged(claim, known)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.says[:40])
def test_claims_need_runs_that_there_are(claim):
    assert set(claim.needs) <= NAMES


def test_figures_are_of_runs_that_there_are():
    for post in POSTS:
        assert {figure.split("/")[0] for figure in post.figures} <= NAMES


def test_a_number_is_confirmed_by_itself_alone():
    post = {"naive": 120_422_400, "reduced": 12_443_649, "factor": 9.68}
    known = kept("operations", post=post)
    right = verdict_of("The 5x5 convolution of GoogLeNet", known)
    assert right == ("120,422,400", CONFIRMED)
    assert verdict_of("Both together", known) == ("12,443,649", REFUTED)
    assert verdict_of("The computation shrinks", known)[1] == CONFIRMED


def test_without_its_run_a_claim_is_open():
    found, verdict = verdict_of("Both together", {})
    assert found == "" and verdict.startswith(UNCHECKED)


def test_sum_against_concatenation():
    run = {"steps": 10, "config": {"optimizer": "sgd"}}
    known = kept("concat", valid_bpc=2.5, **run) | kept("sum", valid_bpc=2.4)
    assert verdict_of("Concatenating", known)[1] == REFUTED
    known = kept("concat", valid_bpc=2.3, **run) | kept("sum", valid_bpc=2.4)
    assert verdict_of("Concatenating", known)[1] == CONFIRMED


@pytest.mark.parametrize(
    ("dataset", "steps", "rate", "accuracy", "verdict"),
    [
        ("mnist (csv)", 20_000, 1e-4, 0.9851, CONFIRMED),
        ("mnist (csv)", 20_000, 1e-4, 0.97, REFUTED),
        ("mnist (csv)", 20_000, 1e-5, 0.97, f"{UNCHECKED} the author's"),
        ("mnist (csv)", 200, 1e-4, 0.99, f"{UNCHECKED} 20,000 steps"),
        ("digits", 20_000, 1e-4, 0.99, f"{UNCHECKED} MNIST"),
    ],
)
def test_accuracy_counts_on_mnist_to_the_end(dataset, steps, rate, accuracy, verdict):
    result = {"dataset": dataset, "steps": steps, "test_accuracy": accuracy}
    known = kept("digits_post", config={"learning_rate": rate}, **result)
    assert verdict_of("20,000 steps reach", known)[1].startswith(verdict)


@pytest.mark.parametrize(
    ("optimizer", "verdict"),
    [("adadelta", CONFIRMED), ("sgd", f"{UNCHECKED} the author's")],
)
def test_arch_1_counts_with_the_authors_optimizer(optimizer, verdict):
    pairs = (each.split("=") for each in text.POST_1.split())
    config = dict(pairs, optimizer=optimizer)
    result = {"steps": 800_001, "valid_bpc": 2.5, "ngram_valid_bpc": [4.1, 3.4]}
    known = kept("arch1", config=config, **result)
    assert verdict_of("Arch 1: batch 32", known)[1].startswith(verdict)


def test_a_row_has_data_seed_seconds_and_runs():
    run = {"steps": 10, "config": {"optimizer": "sgd"}, "seconds": 3.0}
    known = kept("concat", valid_bpc=2.5, seed=0, **run)
    known |= kept("sum", valid_bpc=2.4, seed=0)
    claim = next(c for c in CLAIMS if c.says.startswith("Concatenating"))
    row = report.claim_row(claim, known)
    assert row[3:] == ["some data", "0", "4", "**not confirmed**", "`concat`, `sum`"]


def test_a_marked_table_is_replaced_and_nothing_else():
    readme = "before\n<!-- results: flights -->\nold\n<!-- end -->\nafter\n"
    config = {"seed": 0}
    known = kept(
        "flights", config=config, generations=5, seconds=1, best_objective=9, gap=0.5
    )
    new = report.updated(readme, known)
    assert new.startswith("before\n<!-- results: flights -->\n| flags")
    assert new.endswith("50.0 % |\n<!-- end -->\nafter\n")
    assert report.updated(new, known) == new


def test_the_page_stands_alone(tmp_path):
    folder = tmp_path / "short" / "flights_post"
    folder.mkdir(parents=True)
    source = pathlib.Path(report.__file__).parents[1] / "genetic" / "convergence.png"
    (folder / "convergence.png").write_bytes(source.read_bytes())
    known = kept("flights_post", gap=0.05, feasible=True, config={})
    known["flights_post"]["result"]["config"] = {
        "initial_probability": 0.5,
        "mutation": 0.01,
    }
    page = gallery.render(known, tmp_path)
    assert page.count("data:image/png;base64,") == 1
    assert "http" not in page and 'src="/' not in page
    assert "95.0 % of the optimum" in page

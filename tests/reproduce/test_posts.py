"""Verdicts follow from results."""

import pytest

from reproduce import report
from reproduce.post import CONFIRMED, REFUTED, UNCHECKED
from reproduce.posts import EXPERIMENTS, POSTS, text

NAMES = [experiment.name for experiment in EXPERIMENTS]
CLAIMS = [claim for post in POSTS for claim in post.claims]


def test_names_are_unique_and_have_a_time():
    assert len(set(NAMES)) == len(NAMES)
    assert all(any(experiment.seconds) for experiment in EXPERIMENTS)


def verdict_of(says, known):
    claim = next(claim for claim in CLAIMS if claim.says.startswith(says))
    return report.judged(claim, known)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.says[:40])
def test_claims_need_runs_that_there_are(claim):
    assert set(claim.needs) <= set(NAMES)


def test_figures_are_of_runs_that_there_are():
    for post in POSTS:
        assert {figure.split("/")[0] for figure in post.figures} <= set(NAMES)


def test_a_number_is_confirmed_by_itself_alone(kept):
    post = {"naive": 120_422_400, "reduced": 12_443_649, "factor": 9.68}
    known = kept("operations", post=post)
    right = verdict_of("The 5x5 convolution of GoogLeNet", known)
    assert right == ("120,422,400", CONFIRMED)
    assert verdict_of("Both together", known) == ("12,443,649", REFUTED)
    assert verdict_of("The computation shrinks", known)[1] == CONFIRMED


def test_without_its_run_a_claim_is_open():
    found, verdict = verdict_of("Both together", {})
    assert found == "" and verdict.startswith(UNCHECKED)


def test_sum_against_concatenation(kept):
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
def test_accuracy_counts_on_mnist_to_the_end(
    kept, dataset, steps, rate, accuracy, verdict
):
    result = {"dataset": dataset, "steps": steps, "test_accuracy": accuracy}
    known = kept("digits_post", config={"learning_rate": rate}, **result)
    assert verdict_of("20,000 steps reach", known)[1].startswith(verdict)


@pytest.mark.parametrize(
    ("optimizer", "training", "verdict"),
    [
        ("adadelta", 2.59, CONFIRMED),
        ("adadelta", 2.48, REFUTED),
        ("sgd", 2.59, REFUTED),
    ],
)
def test_arch_1_ends_where_the_author_ended(kept, optimizer, training, verdict):
    pairs = (each.split("=") for each in text.POST_1.split())
    config = dict(pairs, epsilon=1e-6) | {"optimizer": optimizer}
    result = {"valid_bpc": 2.5, "train_bpc": training, "ngram_valid_bpc": [4.1, 3.4]}
    known = kept("arch1", config=config, steps=800_001, **result)
    assert verdict_of("Arch 1: batch 32", known)[1].startswith(verdict)

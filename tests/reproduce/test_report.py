"""Tables follow from verdicts."""

from reproduce import report
from reproduce.posts import POSTS


def test_a_row_has_data_seed_seconds_and_runs(kept):
    run = {"steps": 10, "config": {"optimizer": "sgd"}, "seconds": 3.0}
    known = kept("concat", valid_bpc=2.5, seed=0, **run)
    known |= kept("sum", valid_bpc=2.4, seed=0)
    claim = next(
        claim
        for post in POSTS
        for claim in post.claims
        if claim.says.startswith("Concatenating")
    )
    row = report.claim_row(claim, known)
    assert row[3:] == ["some data", "0", "4", "**not confirmed**", "`concat`, `sum`"]


def test_a_marked_table_is_replaced_and_nothing_else(kept):
    readme = "before\n<!-- results: flights -->\nold\n<!-- end -->\nafter\n"
    config = {"seed": 0}
    known = kept(
        "flights", config=config, generations=5, seconds=1, best_objective=9, gap=0.5
    )
    new = report.updated(readme, known)
    assert new.startswith("before\n<!-- results: flights -->\n| flags")
    assert new.endswith("50.0 % |\n<!-- end -->\nafter\n")
    assert report.updated(new, known) == new

"""Tables follow from verdicts."""

import pathlib
import re

from reproduce import posts, report
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


def test_pictures_of_the_repository_are_there_and_shown_on_request():
    root = pathlib.Path(report.__file__).parents[1]
    with_them, without = report.render({}), report.render({}, pictures=False)
    shown = re.findall(r"!\[.+\]\((.+)\)", with_them)
    assert shown and all((root / path).exists() for path in shown)
    assert "![" not in without


def test_a_package_s_table_has_the_last_cells_of_the_front_page(kept):
    known = kept("flights", best_objective=9, optimum=10)
    page = "<!-- results: genetic -->\n<!-- end -->\n"
    *_, author, here = report.front_row(posts.genetic.POST, known)
    assert report.updated(page, known) == (
        f"<!-- results: genetic -->\n| the author | here |\n| --- | --- |\n"
        f"| {author} | {here} |\n<!-- end -->\n"
    )
    assert here == "a profit of 9.0 k$; the most possible is 10.0 k$"


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

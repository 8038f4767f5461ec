"""What READMEs, `docs/` and RESULTS.md say is what the kept results say.

Tables between marks and RESULTS.md are compared whole; figures in running text sentence
by sentence. Tables of `tests/benchmarks` are printed by those and are not results.
"""

import pathlib
import re
import statistics

import pytest

from reproduce import report, store
from reproduce.config import LENGTHS
from reproduce.posts import CURVES, EXPERIMENTS

ROOT = pathlib.Path(__file__).parents[1]
KEPT = store.load(ROOT / "results")


def result(name):
    return KEPT[name]["result"]


def bits(name):
    return result(name)["valid_bpc"]


def _mean(points, first, last):
    return statistics.mean(v for step, v in points.items() if first < step <= last)


def curves(name):
    """The author's points and ours, by step."""
    return dict(CURVES[name].author()), dict(map(tuple, KEPT[name]["curve"]))


def char_rnn():
    bigram = result("arch2")["ngram_valid_bpc"][1]
    worse = bits("concat") - bits("sum")
    yield f"the sum is better by {worse:.2f} bits after a twentieth of the steps"
    author, ours = curves("arch1")
    his, end = (_mean(points, 780_000, 801_000) for points in (author, ours))
    yield f"| 780,000 to 800,000 | {his:.3f} | {end:.3f} |"
    found = result("concat")["train_bpc"]
    yield f"{found:.2f} bits in training instead of {ours[40_000]:.2f}"
    squared = bits("squared") - bits("concat")
    yield f"is {squared:.2f} bits behind after 40,000 steps"
    yield f"the bigram to {abs(bits('arch2') - bigram):.3f} bits"
    norms = result("gradients")["norms"]
    tanh, relu = (
        statistics.geometric_mean(
            (curve[0] / curve[70]) ** (1 / 7)
            for curve in norms[f"{name} after training"].values()
        )
        for name in ("tanh", "relu")
    )
    yield f"a factor of {tanh:.0f} (tanh) and {relu:.0f} (ReLU) each ten steps"
    yield f"teach it to use them: {bigram - bits('arch2_modern'):.1f} bits below"


def genetic():
    run = result("flights_post")
    short = f"{100 * run['gap']:.1f} % short of the optimum"
    yield f"{short} after {run['generations']} generations"


def inception_mnist():
    found = result("operations")
    post, nine = found["post"], found["googlenet"]["all"]
    yield (
        f"{post['naive']:,} and {post['reduced_1x1']:,} + {post['reduced_5x5']:,} = "
        f"{post['reduced']:,}"
    )
    yield (
        f"save {nine['naive'] / nine['reduced']:.1f} times ({nine['naive']:,} against "
        f"{nine['reduced']:,} multiplications a picture)"
    )
    author, ours = curves("digits_post")
    for steps, first, last in [
        ("100 to 500", 0, 500),
        ("to 1,000", 500, 1_000),
        ("to 2,000", 1_000, 2_000),
        ("to 10,000", 2_000, 10_000),
        ("to 20,000", 10_000, 20_000),
    ]:
        his, here = (100 * _mean(points, first, last) for points in (author, ours))
        yield f"| {steps} | {his:.1f} % | {here:.1f} % |"
    test = result("digits_post")["test_accuracy"]
    yield f"| all 10,000 test images at the end | 98.6 % | {100 * test:.2f} % |"
    best = result("digits_modern")
    yield f"({best['parameters']:,} parameters)"
    yield (
        f"{100 * best['test_accuracy']:.2f} % with them and "
        f"{100 * best['one_view_test_accuracy']:.2f} % without"
    )


def style_transfer():
    reached = list(result("style_figures")["style"]["wavelength"].values())[1:]
    yield f"({', '.join(f'{value:.1f}' for value in reached)})"


SENTENCES = [
    (package.__name__, sentence)
    for package in (char_rnn, genetic, inception_mnist, style_transfer)
    for sentence in package()
]


def test_every_experiment_has_a_result():
    assert set(KEPT) == {experiment.name for experiment in EXPERIMENTS}


def test_the_results_are_where_their_length_says():
    for path in (ROOT / "results").rglob("*"):
        assert path.is_dir() or path.parent.name in LENGTHS
    for kept in KEPT.values():
        assert (ROOT / "results" / kept["length"] / f"{kept['name']}.json").exists()


def test_the_results_name_no_path_of_a_machine():
    for path in (ROOT / "results").rglob("*.json"):
        assert not re.search(r'["=]/\w', path.read_text()), path


def test_results_md_is_written_from_the_results():
    assert (ROOT / "RESULTS.md").read_text() == report.render(KEPT)


@pytest.mark.parametrize("path", report.FILES)
def test_tables_are_written_from_the_results(path):
    text = (ROOT / path).read_text()
    assert report.BLOCK.search(text)
    assert report.updated(text, KEPT) == text


@pytest.mark.parametrize(("package", "sentence"), SENTENCES)
def test_a_sentence_says_what_its_result_says(package, sentence):
    pages = f"{package}/README.md", f"docs/{package}.md"
    text = " ".join((ROOT / page).read_text() for page in pages)
    assert sentence in " ".join(text.split())

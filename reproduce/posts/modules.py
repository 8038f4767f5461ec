"""Post "Inception modules: explained and implemented", statement by statement."""

import functools
from typing import Any

from reproduce import post
from reproduce.author import Curve

SETTINGS = (
    "batch_size=50 map1=32 map2=64 reduce1x1=16 hidden=700 dropout=0.5 valid_size=500 "
    "test_batch_size=100"
)
STEPS, ACCURACY, RATE = 20_000, 0.985, 1e-4
AUTHOR = 0.986  # test accuracy in his notebook
# Weights and checkpoints of a dense head take gigabytes: written rarely, not kept.
RARELY, DISCARD = "--checkpoint_seconds=600", "*.npz"


def _digits(name: str, flags: str, *rest: Any, **more: Any) -> post.Experiment:
    return post.Experiment(name, f"inception_mnist.main {flags}", *rest, **more)


POST = post.Post(
    "Inception modules: explained and implemented",
    "inception_mnist/README.md",
    front=[
        "[Inception modules](inception_mnist/README.md)",
        "a reader of handwritten digits, and a count of what 1x1 convolutions save",
        "`make demo-inception`",
        "98.5 % of MNIST's test digits right",
        "{digits_post[test_accuracy]:.1%} in the same run; "
        "{digits_modern[test_accuracy]:.1%} with {digits_modern[parameters]:,} of its "
        "{digits_post[parameters]:,} weights",
    ],
    pictures={
        "module.png": "GoogLeNet's first module without and with 1x1 reductions.",
        "operations.png": "What the reductions save in all nine modules.",
        "learning.png": "Learning MNIST, by the modern recipe.",
    },
    experiments=[
        post.Experiment("operations", "inception_mnist.operations", (8, 8)),
        _digits("digits_few", f"{RARELY} --steps=200", (80, 80), discard=DISCARD),
        _digits("digits_post", RARELY, (None, 6500), discard=DISCARD),
        _digits(
            "digits_dense",
            f"--recipe=modern --head=dense {RARELY}",
            (None, 5000),
            discard=DISCARD,
        ),
        post.Experiment("convnet", "reproduce.convnet", (None, 700)),
        _digits("digits_fast", "--recipe=modern --steps=2400", (140, 140)),
        _digits("digits_modern", "--recipe=modern", (None, 1000)),
    ],
    figures={
        "operations/module.png": "The module with and without 1x1 reductions.",
        "operations/computation.png": "The 5x5 branch with and without the reduction.",
        "operations/operations.png": "All nine modules of GoogLeNet.",
        "digits_post/author.png": "The author's network and ours, on validation.",
        "digits_fast/learning.png": "Learning digits.",
        "digits_fast/feature_maps.png": "What each branch makes of a digit.",
        "digits_fast/confusion.png": "Which digit is taken for which.",
        "digits_fast/mistakes.png": "The mistakes that were made with most confidence.",
    },
    curves={
        "digits_post": Curve(
            "author_inception.csv",
            100.0,
            "valid_accuracy",
            "validation accuracy",
            "the author's",
            first=100,  # before any step he has 21 %
        )
    },
)


for says, key, printed in [
    (
        "The 5x5 convolution of GoogLeNet's first module, 192 maps of 28x28 to 32",
        "naive",
        120_422_400,
    ),
    ("Its 1x1 reduction to 16 maps", "reduced_1x1", 2_408_448),
    ("The 5x5 convolution after it", "reduced_5x5", 10_035_200),
    ("Both together", "reduced", 12_443_648),
]:

    @POST.claim(f"{says}: {printed:,} operations", "operations")
    def number(result: post.Result, key=key, printed=printed) -> post.Judgement:
        """Judges a number that must come out exactly."""
        ours = result["post"][key]
        return post.verdict(f"{ours:,}", ours == printed)


@POST.claim("The computation shrinks by a factor of ten", "operations")
def fewer(result: post.Result) -> post.Judgement:
    """Judges what the 1x1 reduction saves in the 5x5 branch."""
    factor = result["post"]["factor"]
    return post.verdict(f"{factor:.2f} times", 9 < factor < 11)


@POST.claim(
    "batch 50, map1 32, map2 64, reduce1x1 16, 700 hidden nodes, dropout 0.5, 500 "
    "validation images, test batches of 100",
    "digits_few",
)
def hyperparameters(result: post.Result) -> post.Judgement:
    """Compares the settings, and asks that something was learned with them."""
    outcome = f"{post.percent(result['valid_accuracy'])} of validation images are right"
    works = result["valid_accuracy"] > 0.5
    return post.settings(post.used(result["config"], SETTINGS), outcome, works)


@POST.claim(
    "20,000 steps reach a test accuracy of 98.5 % (as the post has it)",
    "digits_post",
    author="98.6 %, with Adam at a rate of 1e-4",
)
def accuracy(result: post.Result) -> post.Judgement:
    """Judges the post's settings on MNIST, at the end of the post's steps."""
    found = _reached(result, "test_accuracy")
    if not result.get("is_mnist", "mnist" in result["dataset"]):
        return post.without("MNIST", found)
    if result["steps"] < STEPS:
        return post.without(f"{STEPS:,} steps (`make reproduce-full`)", found)
    if (rate := result["config"]["learning_rate"]) != RATE:
        return post.without(
            f"the author's rate, {RATE:g}", f"{found} at a rate of {rate:g}"
        )
    return post.verdict(found, result["test_accuracy"] >= ACCURACY - 0.0005)


@POST.claim(
    "The same network, 20,000 steps, with the package's repairs", "digits_dense"
)
def repaired(result: post.Result) -> post.Judgement:
    """Judges the same network after as many steps; the rest is ours."""
    found = _reached(result, "test_accuracy")
    if not result.get("is_mnist", "mnist" in result["dataset"]):
        return post.without("MNIST", found)
    return post.verdict(found, result["test_accuracy"] >= ACCURACY)


def _reached(result: post.Result, name: str) -> str:
    return f"{post.percent(result[name])} after {result['steps']:,} steps"


@POST.claim(
    "Without a GPU, a couple hundred training steps show whether it works", "digits_few"
)
def a_few_steps(result: post.Result) -> post.Judgement:
    """Asks whether most images are right after 200 steps."""
    return post.verdict(
        _reached(result, "valid_accuracy"), result["valid_accuracy"] > 0.5
    )


@POST.claim("Without a GPU it takes hours to days", "digits_post")
def hours(result: post.Result) -> post.Judgement:
    """Works out how long two cores take for the post's steps."""
    seconds = STEPS * result["config"]["batch_size"] / result["images_per_second"]
    pace = f"{result['images_per_second']:.0f} images/s"
    found = f"two cores need {seconds / 3600:.1f} hours at {pace}"
    return post.verdict(found, seconds > 2 * 3600)


POST.open("It takes around one hour on a 1060 GPU", "a GTX 1060")


@POST.claim(
    "Simpler convnets, as TensorFlow's tutorial has one, do just as well and take much "
    "less time",
    "digits_post",
    "convnet",
    author=f"{AUTHOR:.1%} by the modules".replace("%", " %"),
)
def simpler(result: post.Result, convnet: post.Result) -> post.Judgement:
    """Compares with the best of the modules, to 0.25 %, and the time of an image."""
    modules = max(AUTHOR, result["test_accuracy"])
    theirs = convnet["test_accuracy"]
    times = convnet["images_per_second"] / result["images_per_second"]
    found = f"{_reached(convnet, 'test_accuracy')}, {times:.1f} times as fast"
    if not convnet["is_mnist"]:
        return post.without("MNIST", found)
    return post.verdict(found, theirs >= modules - 0.0025 and times > 2)


POST.tables["digits"] = functools.partial(
    post.run_table,
    names="digits_few digits_post convnet digits_dense digits_fast digits_modern",
    columns={
        "settings": "{flags}",
        "data": "{dataset}",
        "steps": "{steps:,}",
        "seconds": "{seconds:,.0f}",
        "validation": "{valid_accuracy:.2%}",
        "test": "{test_accuracy:.2%}",
    },
)

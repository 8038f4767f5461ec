"""Post "Inception modules: explained and implemented", statement by statement."""

from reproduce.verdicts import (
    Claim,
    Judgement,
    Result,
    number,
    settings,
    verdict,
    without,
)

POST = {
    "batch_size": 50,
    "map1": 32,
    "map2": 64,
    "reduce1x1": 16,
    "hidden": 700,
    "dropout": 0.5,
    "valid_size": 500,
    "test_batch_size": 100,
}
STEPS, ACCURACY = 20_000, 0.985


def percent(share: float) -> str:
    """A share of 1 to two places."""
    return f"{100 * share:.2f} %"


def reached(result: Result, name: str) -> str:
    """An accuracy, and after how many steps."""
    return f"{percent(result[name])} after {result['steps']:,} steps"


def accuracy(result: Result) -> Judgement:
    """The post's settings unchanged, to the end of the post's steps, on MNIST."""
    found = reached(result, "test_accuracy")
    if "mnist" not in result["dataset"]:
        return without("MNIST", found)
    if result["steps"] < STEPS:
        return without(f"{STEPS:,} steps (`make reproduce-full`)", found)
    return verdict(found, result["test_accuracy"] >= ACCURACY - 0.0005)


def repaired(result: Result) -> Judgement:
    """The same network and steps; what the data and the optimizer got is ours."""
    found = reached(result, "test_accuracy")
    if "mnist" not in result["dataset"]:
        return without("MNIST", found)
    return verdict(found, result["test_accuracy"] >= ACCURACY)


def hyperparameters(result: Result) -> Judgement:
    """The settings, and that something was learned with them."""
    outcome = f"{percent(result['valid_accuracy'])} of the validation images"
    works = result["valid_accuracy"] > 0.5
    return settings(result["config"], POST, outcome, works)


def a_few_steps(result: Result) -> Judgement:
    """A couple of hundred steps tell whether the model works."""
    found = reached(result, "valid_accuracy")
    return verdict(found, result["valid_accuracy"] > 0.5)


def hours(result: Result) -> Judgement:
    """The pace of two cores, to the end of the post's steps."""
    seconds = STEPS * result["config"]["batch_size"] / result["images_per_second"]
    pace = f"{result['images_per_second']:.0f} images/s"
    found = f"{seconds / 3600:.1f} hours on two cores at {pace}"
    return verdict(found, seconds > 2 * 3600)


def fewer(result: Result) -> Judgement:
    """What the 1x1 reduction saves of the 5x5 branch."""
    factor = result["post"]["factor"]
    return verdict(f"{factor:.2f} times", 9 < factor < 11)


CLAIMS = [
    Claim(
        "The 5x5 convolution of GoogLeNet's first module, 192 maps of 28x28 to 32: "
        "120,422,400 operations",
        ("operations",),
        lambda result: number(result["post"]["naive"], 120_422_400),
    ),
    Claim(
        "Its 1x1 reduction to 16 maps: 2,408,448 operations",
        ("operations",),
        lambda result: number(result["post"]["reduced_1x1"], 2_408_448),
    ),
    Claim(
        "The 5x5 convolution after it: 10,035,200 operations",
        ("operations",),
        lambda result: number(result["post"]["reduced_5x5"], 10_035_200),
    ),
    Claim(
        "Both together: 12,443,648 operations",
        ("operations",),
        lambda result: number(result["post"]["reduced"], 12_443_648),
    ),
    Claim("The computation shrinks by a factor of ten", ("operations",), fewer),
    Claim(
        "batch 50, map1 32, map2 64, reduce1x1 16, 700 hidden nodes, dropout 0.5, "
        "500 validation images, test batches of 100",
        ("digits_few",),
        hyperparameters,
    ),
    Claim(
        "20,000 steps reach a test accuracy of 98.5 % (as the post has it)",
        ("digits_post",),
        accuracy,
    ),
    Claim(
        "The same network, 20,000 steps, with the package's repairs",
        ("digits_dense",),
        repaired,
    ),
    Claim(
        "Without a GPU, a couple hundred training steps show whether it works",
        ("digits_few",),
        a_few_steps,
    ),
    Claim(
        "Without a GPU it takes hours to days",
        ("digits_post",),
        hours,
    ),
    Claim(
        "It takes around one hour on a 1060 GPU",
        (),
        lambda: without("a GTX 1060"),
    ),
    Claim(
        "Simpler convnets do just as well and take much less time",
        (),
        lambda: without("the convnet of TensorFlow's tutorial, which the post links"),
    ),
]

"""Settings: a recipe's defaults, and every wrong one."""

import dataclasses

import pytest

from inception_mnist.config import CLASS_NAMES, RECIPES, Config


def test_the_post_is_the_default():
    post = Config.of_recipe(precision="float32")
    assert post == Config(precision="float32")
    assert (post.head, post.learning_rate, post.steps) == ("dense", 1e-4, 20_000)
    modern = Config.of_recipe("modern")
    assert modern.head == "gap" and modern.normalization == "batch"
    assert modern.precision in ("float32", "bfloat16")
    dense = Config.of_recipe("modern", head="dense", steps=7)
    assert dense.normalization == "none" and dense.shuffle and dense.steps == 7
    for name, shown in RECIPES.items():
        recipe, _, head = name.partition(" with --head=")
        config = Config.of_recipe(recipe, **{"head": head} if head else {})
        assert shown.items() <= dataclasses.asdict(config).items() | {("classes", 10)}


def test_class_names():
    fashion = Config.of_recipe(class_names=("fashion",))
    assert fashion.classes == 10 and fashion.class_name(9) == "Ankle boot"
    emnist = Config.of_recipe(class_names=("emnist",))
    assert emnist.classes == 47 and emnist.class_name(46) == "t"
    own = Config.of_recipe(class_names=("cat", "dog"))
    assert own.classes == 2 and own.class_name(1) == "dog"
    assert Config().class_name(7) == "7"
    assert set(CLASS_NAMES) == {"fashion", "emnist"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recipe": "past"}, "--recipe=past: choose one of post, modern"),
        ({"head": "tail"}, "--head=tail: choose"),
        ({"map1": 0}, "--map1=0: must be at least 1"),
        ({"pool": 29}, "--pool=29: must be at most 28"),
        ({"dropout": 1.0}, "--dropout=1.0: must be below 1"),
        ({"average": 1.5}, "--average=1.5: must be below 1"),
        ({"learning_rate": float("nan")}, "--learning_rate=nan: a finite number"),
        ({"learning_rate": 0.0}, "--learning_rate=0.0: must be above 0"),
        ({"weight_decay": -1.0}, "--weight_decay=-1.0"),
        ({"classes": 1}, "--classes=1: must be at least 2"),
        ({"classes": 257}, "--classes=257: must be at most 256"),
        ({"classes": 3, "class_names": ("a", "b")}, "--class_names=a,b: 2 names"),
        ({"class_names": ("a", "a")}, "different"),
    ],
)
def test_a_wrong_setting_is_named(given, message):
    with pytest.raises(ValueError) as error:
        Config.of_recipe(**given)
    assert message in str(error.value)

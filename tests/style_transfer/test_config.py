"""Settings: the post's defaults, and one line for each wrong value."""

import dataclasses
import math

import pytest

from style_transfer.config import BLOCKS, Config


def test_defaults_are_the_posts():
    config = Config()
    assert config.style_layers == tuple(f"conv{block}_1" for block in range(1, 6))
    assert config.style_layers == BLOCKS
    assert config.content_layers == ("conv4_2",)
    assert config.style_layer_weights == (0.2,) * 5


def test_start_follows_mode():
    assert Config().init == "content"
    assert Config(mode="style").init == "noise"
    assert Config(mode="style", init="content").init == "content"


def test_the_posts_recipe_is_the_authors_runs():
    transfer = Config.of_recipe("post")
    assert (transfer.size, transfer.aspect, transfer.steps) == (350, 1.0, 2000)
    assert (transfer.content_weight, transfer.style_weight) == (0.01, 30_000)
    assert (transfer.optimizer, transfer.learning_rate) == ("adam", 5.0)
    content, style = (Config.of_recipe("post", mode=m) for m in ("content", "style"))
    assert content.content_layers == ("conv5_1",)
    assert style.style_layers == BLOCKS[:3]
    assert style.style_layer_weights == (1 / 3,) * 3
    for config in (transfer, content, style):
        assert (config.pooling, config.init, config.scales) == ("stride1", "noise", 1)
    assert Config.of_recipe("post", steps=7, pooling="max") == dataclasses.replace(
        transfer, steps=7, pooling="max"
    )
    assert Config.of_recipe() == Config()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "copy"}, "--mode=copy: choose one of transfer"),
        ({"optimizer": "sgd"}, "--optimizer=sgd"),
        ({"pooling": "min"}, "--pooling=min"),
        ({"style_layers": ()}, "--style_layers"),
        ({"style_layers": ("conv1_1", "conv1_1")}, "each layer once"),
        ({"style_layer_weights": (1.0,)}, "1 values for 5 layers"),
        ({"style_layer_weights": (1.0, 1.0, 1.0, 1.0, -1.0)}, "at least 0"),
        ({"style_weight": -1.0}, "--style_weight=-1.0: must be at least 0"),
        ({"content_weight": math.nan}, "finite"),
        ({"learning_rate": 0.0}, "must be above 0"),
        ({"steps": 0}, "--steps=0: must be at least 1"),
        ({"size": 31}, "--size=31: must be at least 32"),
        ({"save_every": -1}, "--save_every"),
        ({"seed": -1}, "--seed"),
        ({"network": "compact"}, "--network=compact: choose one of auto, vgg16, vgg19"),
        ({"precision": "half"}, "--precision=half"),
        ({"preserve_colors": "yes"}, "--preserve_colors=yes"),
        ({"recipe": "mine"}, "--recipe=mine: choose one of post, modern"),
        ({"aspect": -1.0}, "--aspect=-1.0: must be at least 0"),
        ({"scales": 0}, "--scales=0: must be at least 1"),
        ({"style_scale": 0.0}, "--style_scale=0.0: must be above 0"),
        ({"style_blend": (1.0, -1.0)}, "--style_blend=-1.0: must be at least 0"),
        ({"style_blend": (0.0, 0.0)}, "--style_blend: one share"),
    ],
)
def test_wrong_values_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings)

"""A setting is declared once: its range, its flag and its help agree."""

import dataclasses
import math

import pytest
from absl import flags

from runkit import settings


@dataclasses.dataclass(frozen=True)
class Config:
    recipe: str = settings.setting("post", "The recipe.", choices=("post", "modern"))
    nodes: int = settings.setting(5, "The number of nodes.", low=1, high=9)
    rate: float = settings.setting(0.1, "The learning rate.", above=0.0)
    layers: tuple[str, ...] = settings.setting(("a",), "Layers.", choices=("a", "b"))
    blend: tuple[float, ...] = settings.setting((), "Shares.", low=0.0)
    target: float | None = settings.setting(None, "Where to stop.")
    shuffle: bool = settings.setting(True, "Whether to shuffle.")

    def __post_init__(self):
        settings.check(self)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"recipe": "old"}, "--recipe=old: choose one of post, modern"),
        ({"nodes": 0}, "--nodes=0: must be at least 1"),
        ({"nodes": 10}, "--nodes=10: must be at most 9"),
        ({"rate": 0.0}, "--rate=0.0: must be above 0"),
        ({"nodes": 2.5}, "--nodes=2.5: must be a whole number"),
        ({"nodes": "many"}, "--nodes=many: must be a whole number"),
        ({"nodes": True}, "--nodes=True: must be a whole number"),
        ({"shuffle": "no"}, "--shuffle=no: must be true or false"),
        ({"recipe": 1}, "--recipe=1: must be text"),
        ({"rate": math.nan}, "--rate=nan: a finite number"),
        ({"target": math.inf}, "--target=inf: a finite number"),
        ({"layers": ("a", "c")}, "--layers=c: choose one of a, b"),
        ({"blend": (0.5, -1.0)}, "--blend=-1.0: must be at least 0"),
    ],
)
def test_a_wrong_setting_is_named(wrong, message):
    with pytest.raises(ValueError) as error:
        Config(**wrong)
    assert str(error.value).startswith(message)


@pytest.fixture
def values(monkeypatch):
    """Flags of their own for one test."""
    found = flags.FlagValues()
    for name in ("DEFINE_string", "DEFINE_bool", "DEFINE_integer", "DEFINE_float"):
        monkeypatch.setattr(flags, name, _into(found, getattr(flags, name)))
    for name in ("DEFINE_list", "DEFINE_enum"):
        monkeypatch.setattr(flags, name, _into(found, getattr(flags, name)))
    monkeypatch.setattr(flags, "FLAGS", found)
    return found


def _into(found, define):
    return lambda *args: define(*args, flag_values=found)


RECIPES = {"post": {"nodes": 5, "rate": 0.1}, "modern": {"nodes": 7, "rate": 0.1}}


def test_flags_are_read_back_as_settings(values):
    settings.define_flags(Config, RECIPES)
    values(["program", "--nodes=3", "--blend=1,2", "--target=4", "--noshuffle"])
    assert settings.given(Config) == {
        "recipe": "post",
        "nodes": 3,
        "layers": ("a",),
        "blend": (1.0, 2.0),
        "target": 4.0,
        "shuffle": False,
    }
    assert (
        values["nodes"].help == "The number of nodes. Defaults: 5 (post), 7 (modern)."
    )
    assert values["rate"].help == "The learning rate. The default is 0.1."


def test_a_list_of_numbers_holds_numbers(values):
    settings.define_flags(Config)
    values(["program", "--blend=one"])
    with pytest.raises(ValueError, match="--blend: could not convert"):
        settings.given(Config)

"""One declaration for a setting: its default, what it means, and what it may be.

A field of a `Config` dataclass is a `setting`; `check` validates it, `define_flags`
makes a flag of it, and `given` reads the flags back.
"""

import dataclasses
import math
import numbers
import typing
from collections.abc import Mapping, Sequence
from typing import Any

KINDS: dict[Any, tuple[Any, str]] = {  # what a value may be, and how to say so
    bool: (bool, "true or false"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "text"),
}


def setting(
    default: Any,
    help: str,
    choices: Sequence | None = None,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
) -> Any:
    """A field of a `Config`.

    Args:
        default: Its default; a tuple becomes a flag with commas.
        help: What it means, as a sentence; the flag shows it.
        choices: What it may be.
        low: The least that it may be.
        above: A number that it must exceed.
        high: The most that it may be.
    """
    facts = {"help": help, "choices": choices, "low": low, "above": above, "high": high}
    return dataclasses.field(default=default, metadata=facts)


def recipe() -> Any:
    """The field of a `Config` that names the recipe."""
    return setting(
        "post",
        "Source of the settings that are not given: the post, or the best found since.",
        choices=("post", "modern"),
    )


def check(config: Any) -> None:
    """Checks every setting of a dataclass against its type, choices and range.

    Raises:
        ValueError: A setting is wrong; the message has the form of its flag.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is not None:
            _, kind = _kind(field.type)
            _check(field.name, value, kind, field.metadata)


def _check(name: str, value: Any, kind: type, facts: Mapping[str, Any]) -> None:
    choices = facts.get("choices")
    for each in value if isinstance(value, tuple) else (value,):
        accepted, description = KINDS.get(kind, (object, ""))
        if not isinstance(each, accepted) or isinstance(each, bool) != (kind is bool):
            raise ValueError(f"--{name}={each}: must be {description}")
        if choices and each not in choices:
            listed = ", ".join(map(str, choices))
            raise ValueError(f"--{name}={each}: choose one of {listed}")
        if isinstance(each, str | bool):
            continue
        low, above, high = (facts.get(bound) for bound in ("low", "above", "high"))
        if not math.isfinite(each):
            raise ValueError(f"--{name}={each}: a finite number is needed")
        if low is not None and each < low:
            raise ValueError(f"--{name}={each}: must be at least {low:g}")
        if above is not None and each <= above:
            raise ValueError(f"--{name}={each}: must be above {above:g}")
        if high is not None and each > high:
            raise ValueError(f"--{name}={each}: must be at most {high:g}")


def define_flags(
    config: type, recipes: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Declares a flag for each setting of a `Config`; without absl-py, none.

    Args:
        config: The dataclass.
        recipes: What the settings are that depend on a recipe, by the recipe's name.
            Such a flag has no default of its own, and its help lists them.
    """
    try:
        from absl import flags
    except ImportError:  # `cli.run` refuses every flag.
        return
    recipes = recipes or {}
    decided = {name for values in recipes.values() for name in values}
    for field in dataclasses.fields(config):
        name, facts = field.name, field.metadata
        default: Any = None if name in decided else field.default
        help = facts["help"] + _by_recipe(name, recipes)
        several, kind = _kind(field.type)
        if several:
            listed = None if default is None else [str(each) for each in default]
            flags.DEFINE_list(name, listed, help)
        elif kind is str and facts["choices"]:
            flags.DEFINE_enum(name, default, facts["choices"], help)
        else:
            define: Any = {
                bool: flags.DEFINE_bool,
                int: flags.DEFINE_integer,
                float: flags.DEFINE_float,
            }.get(kind, flags.DEFINE_string)
            define(name, default, help)


def _kind(annotation: Any) -> tuple[bool, Any]:
    """Whether a field holds a tuple; and the type of its value, or of its values."""
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    return typing.get_origin(annotation) is tuple, kinds[0] if kinds else annotation


def _by_recipe(name: str, recipes: Mapping[str, Mapping[str, Any]]) -> str:
    """The defaults of a setting that the recipes decide, for its help."""
    values = {recipe: given[name] for recipe, given in recipes.items() if name in given}
    if not values:
        return ""
    if len(set(values.values())) == 1:
        return f" The default is {next(iter(values.values()))}."
    listed = ", ".join(f"{value} ({recipe})" for recipe, value in values.items())
    return f" Defaults: {listed}."


def given(config: type) -> dict[str, Any]:
    """The settings that the command line gives, or whose flags have a default.

    Without absl-py there are none.

    Args:
        config: The dataclass of `define_flags`.

    Raises:
        ValueError: A list of numbers holds something else.
    """
    try:
        from absl import flags
    except ImportError:
        return {}
    values = {}
    for field in dataclasses.fields(config):
        value = flags.FLAGS[field.name].value
        if value is None:
            continue
        several, kind = _kind(field.type)
        if several:
            try:
                value = tuple(kind(each) for each in value)
            except ValueError as error:
                raise ValueError(f"--{field.name}: {error}") from None
        values[field.name] = value
    return values

"""What a claim is, and the few ways in which one is judged."""

import dataclasses
from collections.abc import Callable
from typing import Any

CONFIRMED, REFUTED = "confirmed", "not confirmed"
UNCHECKED = "cannot be checked without"

Result = dict[str, Any]
Judgement = tuple[str, str]  # what was found here; the verdict


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement of a post.

    Attributes:
        says: the statement.
        needs: names of the experiments that it is judged by.
        judge: takes their results, in that order.
    """

    says: str
    needs: tuple[str, ...]
    judge: Callable[..., Judgement]


def without(what: str, found: str = "") -> Judgement:
    """What nobody here can check."""
    return found, f"{UNCHECKED} {what}"


def verdict(found: str, holds: bool) -> Judgement:
    """What was found, and whether the claim holds."""
    return found, CONFIRMED if holds else REFUTED


def number(ours: float, post: float) -> Judgement:
    """A number that must come out just so."""
    return verdict(f"{ours:,}", ours == post)


def settings(config: Result, post: Result, outcome: str, works: bool) -> Judgement:
    """Hyperparameters: those of the post were used, and the run came to something."""
    same = all(config[name] == value for name, value in post.items())
    return verdict(f"{'the same' if same else 'others'}: {outcome}", same and works)

"""Artistic style transfer after Gatys, Ecker and Bethge (2015).

`transfer` paints a photograph in the style of a painting, step by step.
"""

from typing import TYPE_CHECKING

from runkit import lazy

if TYPE_CHECKING:
    from style_transfer.config import Config
    from style_transfer.library import Step, transfer

__all__ = ["transfer", "Step", "Config"]
HOMES = {"Config": "config", "Step": "library", "transfer": "library"}
__getattr__, __dir__ = lazy.exports(__name__, HOMES)

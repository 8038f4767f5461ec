"""Vanilla recurrent networks that write text, one character at a time (post 2).

`train` teaches a `Writer` on a text; `Writer.sample` writes.
"""

from typing import TYPE_CHECKING

from runkit import lazy

if TYPE_CHECKING:
    from char_rnn.config import Config
    from char_rnn.library import Writer, load, train

__all__ = ["train", "load", "Writer", "Config"]
HOMES = {"Config": "config", "Writer": "library", "load": "library", "train": "library"}
__getattr__, __dir__ = lazy.exports(__name__, HOMES)

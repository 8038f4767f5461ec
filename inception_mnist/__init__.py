"""Inception modules, explained and implemented: on MNIST.

`train` teaches a `Network` on pictures and labels; `Network.predict` answers.
"""

from typing import TYPE_CHECKING

from runkit import lazy

if TYPE_CHECKING:
    from inception_mnist.config import Config
    from inception_mnist.library import Network, load, train

__all__ = ["train", "load", "Network", "Config"]
HOMES = {"Config": "config", "Network": "library"}
HOMES |= {"load": "library", "train": "library"}
__getattr__, __dir__ = lazy.exports(__name__, HOMES)

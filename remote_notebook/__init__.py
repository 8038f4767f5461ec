"""A Jupyter notebook on a remote machine, opened through ssh in one command.

`commands` gives the post's two commands for a `destination`.
"""

from typing import TYPE_CHECKING

from runkit import lazy

if TYPE_CHECKING:
    from remote_notebook.config import Config, Destination, destination
    from remote_notebook.main import commands

__all__ = ["commands", "destination", "Destination", "Config"]
HOMES = {name: "config" for name in ("Config", "Destination", "destination")}
HOMES |= {"commands": "main"}
__getattr__, __dir__ = lazy.exports(__name__, HOMES)

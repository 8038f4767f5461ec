"""The settings of the programs, each default with its origin."""

import dataclasses
import re
from pathlib import Path

FORMATS = ("text", "markdown", "json", "html")
# What ssh itself allows in a destination; a leading dash would be an option.
_DESTINATION = re.compile(r"(ssh://)?[A-Za-z0-9_\[][A-Za-z0-9_.@:%+~\[\]-]*")


def _require(ok: bool, name: str, value: object, need: str) -> None:
    if not ok:
        raise ValueError(f"{name} is {value!r}; it must be {need}")


@dataclasses.dataclass(frozen=True)
class Config:
    """What `check` and `snapshot` read, and how long they wait.

    Raises:
      ValueError: a value is outside its range.
    """

    root: str = "/"  # this machine
    run_commands: bool | None = None  # None: only where root is this machine
    tensorflow: bool = True
    command_seconds: float = 8.0  # 2 s is too short for an nvidia-smi on 8 cards
    tensorflow_seconds: float = 120.0  # a first import from a slow disk

    def __post_init__(self) -> None:
        _require(Path(self.root).is_dir(), "root", self.root, "a directory")
        for name in ("command_seconds", "tensorflow_seconds"):
            value = getattr(self, name)
            _require(0 < value <= 3600, name, value, "in (0, 3600] seconds")


@dataclasses.dataclass(frozen=True)
class NotebookConfig:
    """Where the notebook runs and how it is reached (post, sections 1 and 2).

    Raises:
      ValueError: a value is outside its range, or could be read as an ssh option.
    """

    destination: str
    key: str = ""  # "": what ssh would use by itself
    ssh_config: str = ""  # "": the user's own
    remote_port: int = 8886  # post, section 1
    local_port: int = 8888  # post, section 2
    conda_env: str = ""
    directory: str = ""  # "": the remote home directory
    keep: bool = False
    connect_seconds: float = 15.0
    start_seconds: float = 120.0  # a first start of Jupyter on a small instance
    poll_seconds: float = 5.0

    def __post_init__(self) -> None:
        _require(
            bool(_DESTINATION.fullmatch(self.destination)),
            "destination",
            self.destination,
            "user@host or a host of your ssh config",
        )
        for name in ("remote_port", "local_port"):
            value = getattr(self, name)
            _require(1 <= value <= 65535, name, value, "in [1, 65535]")
        for name in ("key", "ssh_config"):
            value = getattr(self, name)
            found = not value or Path(value).expanduser().is_file()
            # ssh takes % in a key's name for a token, and has no way to quote it.
            _require(found and "%" not in value, name, value, "a file, with no % in it")
        for name in ("conda_env", "directory"):
            value = getattr(self, name)
            plain = not re.search(r"[\0\n\r]", value) and not value.startswith("-")
            _require(plain, name, value, "one line that does not start with a dash")
        for name in ("connect_seconds", "start_seconds", "poll_seconds"):
            value = getattr(self, name)
            _require(0 < value <= 3600, name, value, "in (0, 3600] seconds")

"""Where the notebook runs, and the settings of the program."""

import dataclasses
import functools
import re
from pathlib import Path
from typing import NamedTuple

from runkit.settings import check, setting

# user@host:22, user@[::1]:22, ::1, ssh://host. A leading dash would be an option.
_DESTINATION = re.compile(
    r"(?:ssh://)?(?!-)(?P<user>[\w.@%+~-]+@)?(?!-)"
    r"(?:\[(?P<bracketed>[\w.:%]+)\]|(?P<host>[\w.%+~-]+|[\w.%]*:[\w.%]*:[\w.:%]*))"
    r"(?::(?P<port>\d+))?/?",
    re.ASCII,
)
_text = functools.partial(setting, "")
_seconds = functools.partial(setting, above=0, high=3600)
_port = functools.partial(setting, low=1, high=65535)


class Destination(NamedTuple):
    """The remote machine: what the user typed, user@host, and the port (0: ssh's)."""

    text: str
    login: str
    port: int


def destination(text: str) -> Destination:
    """Reads user@host, with or without a port or brackets around an IPv6 address.

    Raises:
        ValueError: The text names no machine, or ssh could read it as an option.
    """
    match = _DESTINATION.fullmatch(text)
    if not match or not 0 < int(match["port"] or 22) <= 65535:
        raise ValueError(
            f"{text!r} is not a machine: write user@host, user@host:port or a host of "
            "your ssh configuration"
        )
    login = (match["user"] or "") + (match["bracketed"] or match["host"])
    return Destination(text, login, int(match["port"] or 0))


@dataclasses.dataclass(frozen=True)
class Config:
    """How the notebook is started and how it is reached (post, sections 1 and 2).

    Raises:
        ValueError: A setting is out of its range, or a shell could misread it.
    """

    key: str = _text("Private key file (ssh -i); the default is the choice of ssh.")
    ssh_config: str = _text("Configuration file for ssh (ssh -F), not your own.")
    venv: str = _text("Remote virtual environment whose Jupyter is started.")
    conda_env: str = _text("Remote conda environment whose Jupyter is started.")
    jupyter: str = _text("Remote program of Jupyter, if a login finds another one.")
    lab: bool = setting(False, "Whether to start JupyterLab, not Jupyter Notebook.")
    directory: str = _text("Remote folder to start in; the default is the home folder.")
    keep: bool = setting(False, "Whether the remote server keeps running at the end.")
    # Post, sections 1 and 2.
    remote_port: int = _port(8886, "First port to try on the remote machine.")
    local_port: int = _port(8888, "First port to try on this machine.")
    connect_seconds: float = _seconds(15.0, "Time limit for reaching the machine.")
    # A first start on a small instance is slow.
    start_seconds: float = _seconds(120.0, "Time limit for the start of Jupyter.")
    poll_seconds: float = _seconds(5.0, "Time between two checks of the tunnel.")

    def __post_init__(self) -> None:
        check(self)
        for name in ("key", "ssh_config"):
            value = getattr(self, name)
            # ssh takes % in a key's name for a token, and has no way to quote it.
            if value and ("%" in value or not Path(value).expanduser().is_file()):
                raise ValueError(f"--{name}={value}: must be a file, with no % in it")
        for name in ("venv", "conda_env", "jupyter", "directory"):
            value = getattr(self, name)
            if re.search(r"^-|[\0\n\r]", value):
                raise ValueError(f"--{name}={value!r}: begins with - or has two lines")
        if sum(map(bool, (self.venv, self.conda_env, self.jupyter))) > 1:
            raise ValueError("give only one of --venv, --conda_env and --jupyter")

    @property
    def program(self) -> str:
        """Jupyter's program on the remote machine; "" if it must be found there."""
        return f"{self.venv.rstrip('/')}/bin/jupyter" if self.venv else self.jupyter

    @property
    def interface(self) -> str:
        """Which of Jupyter's interfaces is asked for: "notebook" or "lab"."""
        return "lab" if self.lab or self.jupyter.endswith("jupyter-lab") else "notebook"

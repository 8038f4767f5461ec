"""Where the notebook runs, and the settings of the program."""

import dataclasses
import re
from pathlib import Path

from runkit.settings import check, setting

# user@host:22, user@[::1]:22, ::1, ssh://host. A leading dash would be an option.
_DESTINATION = re.compile(
    r"(?:ssh://)?(?!-)(?P<user>[\w.@%+~-]+@)?(?!-)"
    r"(?:\[(?P<bracketed>[\w.:%]+)\]|(?P<host>[\w.%+~-]+|[\w.%]*:[\w.%]*:[\w.:%]*))"
    r"(?::(?P<port>\d{1,5}))?/?",
    re.ASCII,
)


@dataclasses.dataclass(frozen=True)
class Destination:
    """The remote machine.

    Attributes:
        text: What the user typed.
        login: The user and the host, as ssh takes them.
        port: The port of its sshd; 0 leaves the choice to ssh's configuration.
    """

    text: str
    login: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Destination":
        """Reads user@host, with or without a port or brackets around an IPv6 address.

        Raises:
            ValueError: The text is no destination, or ssh could read it as an option.
        """
        match = _DESTINATION.fullmatch(text)
        port = int(match["port"] or 0) if match else 0
        if not match or port > 65535 or match["port"] == "0":
            raise ValueError(
                f"{text!r} is not a machine: write user@host, user@host:port or a host "
                "of your ssh configuration"
            )
        return cls(
            text, (match["user"] or "") + (match["bracketed"] or match["host"]), port
        )

    @property
    def host(self) -> str:
        """The name of the machine, without the user."""
        return self.login.rpartition("@")[2]


@dataclasses.dataclass(frozen=True)
class Config:
    """How the notebook is started and how it is reached (post, sections 1 and 2).

    Raises:
        ValueError: A setting is out of its range, or a shell could misread it.
    """

    key: str = setting(
        "", "Private key file (ssh -i). Without it, ssh chooses one as it always does."
    )
    ssh_config: str = setting(
        "", "Configuration file for ssh (ssh -F). Without it, ssh reads your own."
    )
    venv: str = setting(
        "", "Virtual environment on the remote machine whose Jupyter is to be started."
    )
    conda_env: str = setting(
        "", "Conda environment on the remote machine that is to be activated."
    )
    jupyter: str = setting(
        "",
        "Jupyter's program on the remote machine. Without it, the one that your login "
        "shell finds there is started.",
    )
    lab: bool = setting(
        False,
        "Whether to start JupyterLab. It is also started where Jupyter Notebook is not "
        "installed.",
    )
    directory: str = setting(
        "", "Folder on the remote machine to start in; the default is the home folder."
    )
    keep: bool = setting(
        False, "Whether the server keeps running on the remote machine at the end."
    )
    remote_port: int = setting(  # Post, section 1.
        8886,
        "Port of Jupyter on the remote machine. If it is taken, the next free one is "
        "used.",
        low=1,
        high=65535,
    )
    local_port: int = setting(  # Post, section 2.
        8888,
        "Port on this machine. If it is taken, the next free one is used.",
        low=1,
        high=65535,
    )
    connect_seconds: float = setting(
        15.0, "Time limit for reaching the remote machine.", above=0, high=3600
    )
    start_seconds: float = setting(  # A first start on a small instance is slow.
        120.0, "Time limit for the start of Jupyter.", above=0, high=3600
    )
    poll_seconds: float = setting(
        5.0, "Time between two checks that Jupyter still answers.", above=0, high=3600
    )

    def __post_init__(self) -> None:
        check(self)
        for name in ("key", "ssh_config"):
            value = getattr(self, name)
            # ssh takes % in a key's name for a token, and has no way to quote it.
            if value and not ("%" not in value and Path(value).expanduser().is_file()):
                raise ValueError(f"--{name}={value}: must be a file with no % in it")
        for name in ("venv", "conda_env", "jupyter", "directory"):
            value = getattr(self, name)
            if re.search(r"^-|[\0\n\r]", value):
                raise ValueError(
                    f"--{name}={value!r}: must be one line that starts with no dash"
                )
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

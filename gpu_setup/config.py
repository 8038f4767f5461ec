"""The settings of `check` and `snapshot`, each default with its origin."""

import dataclasses
from pathlib import Path

from runkit import settings
from runkit.settings import setting

FORMATS = ("text", "markdown", "json", "html")


@dataclasses.dataclass(frozen=True)
class Probing:
    """How a machine is asked.

    Raises:
        ValueError: A setting is outside its range.
    """

    tensorflow: bool = setting(True, "Whether a child process asks TensorFlow too.")
    # 2 s is too short for an nvidia-smi on 8 cards.
    command_seconds: float = setting(
        8.0, "Time limit of each command, in seconds.", above=0, high=3600
    )
    # A first import from a slow disk.
    tensorflow_seconds: float = setting(
        120.0, "Time limit of TensorFlow, in seconds.", above=0, high=3600
    )

    def __post_init__(self) -> None:
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class Config(Probing):
    """What `check` looks at, and what it writes.

    Raises:
        ValueError: A setting is outside its range, or a saved machine is not there.
    """

    root: str = setting("/", "A saved machine: its folder, or a snapshot's .tar.gz.")
    run_commands: bool | None = setting(
        None, "Whether nvidia-smi and others run here; by default not with --root."
    )
    before: str = setting(
        "", "A saved machine from when it worked; what has changed since is printed."
    )
    log: str = setting("", "A log to explain instead of a machine; - is stdin.")
    expect: str = setting("gpu", "What this machine should have.", ["gpu", "cpu"])
    format: tuple[str, ...] = setting(
        ("text",), "The reports to write, comma-separated.", FORMATS
    )
    out_dir: str = setting("", "The folder for report files and result.json.")
    redact: bool | None = setting(
        None, "Whether names and serial numbers are hidden; by default in files alone."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.format:
            raise ValueError(f"--format: choose of {', '.join(FORMATS)}")
        for name in ("root", "before"):
            value = getattr(self, name)
            if value and not Path(value).exists():
                raise ValueError(f"--{name}={value}: no such machine")

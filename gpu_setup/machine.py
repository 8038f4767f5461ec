"""One machine, here or saved: its files, its commands, its Python."""

import fnmatch
import json
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from gpu_setup.commands import Output, run_command

SAVED = "machine.json"  # what a saved machine holds beside its files
ENVIRONMENT = {"LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "container"}
ENVIRONMENT |= {"CONDA_PREFIX", "VIRTUAL_ENV", "NVIDIA_VISIBLE_DEVICES"}
ENVIRONMENT |= {"KUBERNETES_SERVICE_HOST"}
MAX_BYTES = 1 << 20


class Machine:
    """Reads a machine below `root`; remembers what it was asked, for a snapshot.

    Args:
        root: "/" for this machine, else the folder of a saved one.
        run_commands: Whether commands run here; by default only where root is "/".
        search_path: PATH for commands; this process's own by default.
    """

    def __init__(
        self,
        root: str = "/",
        run_commands: bool | None = None,
        search_path: str | None = None,
    ) -> None:
        self.root = Path(root).resolve()
        self.is_here = self.root == Path("/")
        self.runs = self.is_here if run_commands is None else run_commands
        self.search_path = search_path or os.environ.get("PATH", os.defpath)
        if self.is_here:  # where dkms, modinfo and ldconfig are, and not every PATH
            self.search_path += ":/usr/sbin:/sbin"
        self.files: dict[str, str] = {}
        self.commands: dict[str, Output] = {}
        self.saved: dict[str, Any] = {} if self.is_here else self._load()
        self.environment = self.saved.get("environment", {})
        self.python = self.saved.get("python", {})
        self.uname = self.saved.get("uname", {})
        if self.is_here:
            self._look_here()

    def _load(self) -> dict[str, Any]:
        try:
            saved = json.loads((self.root / SAVED).read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ValueError(f"{self.root / SAVED}: {error}") from error
        if not isinstance(saved, dict):
            raise ValueError(f"{self.root / SAVED} must hold one JSON object")
        return saved

    def _look_here(self) -> None:
        self.environment = {k: os.environ[k] for k in ENVIRONMENT if k in os.environ}
        self.uname = {"machine": platform.machine(), "release": platform.release()}
        packages = {}
        for found in metadata.distributions():
            name = (found.metadata["Name"] or "").lower().replace("_", "-")
            wanted = re.match(r"tensorflow|tf-nightly|nvidia-|numpy$|keras$", name)
            if wanted and name not in packages:
                packages[name] = found.version
        self.python = {
            "version": platform.python_version(),
            "executable": sys.executable,
            "prefix": sys.prefix,
            "site_packages": [p for p in sys.path if p.endswith("-packages")],
            "packages": packages,
        }

    def path(self, path: str) -> Path:
        """Where an absolute path of the machine lies here; never outside `root`."""
        if self.is_here:
            return Path(path or "/")
        return self.root / self.resolve(path).lstrip("/")

    def read(self, path: str, keep: str = "") -> str | None:
        """Reads a text file of at most 1 MiB.

        Args:
            path: Absolute on the machine.
            keep: A pattern; only lines that hold it are returned and remembered.

        Returns:
            The text; None if it is not there or may not be read.
        """
        try:
            with open(self.path(path), "rb") as file:
                text = file.read(MAX_BYTES).decode(errors="replace")
        except OSError:
            return None
        if keep:
            text = "\n".join(x for x in text.splitlines() if re.search(keep, x))
        self.files[path] = text
        return text

    def glob(self, pattern: str) -> list[str]:
        """Lists the machine's paths that match an absolute pattern, in order."""
        found = [""]
        for part in pattern.strip("/").split("/"):
            found = [f"{p}/{name}" for p in found for name in self._names(p, part)]
        for path in found:
            self.files.setdefault(path, "")
        return sorted(found)

    def _names(self, folder: str, part: str) -> list[str]:
        here = self.path(folder)
        if not any(c in part for c in "*?["):
            there = (here / part).exists() or (here / part).is_symlink()
            return [part] if there else []
        try:
            return fnmatch.filter(os.listdir(here), part)
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        """Whether a path is there, symbolic links followed."""
        there = self.path(path).exists()
        if there:
            self.files.setdefault(path, "")
        return there

    def resolve(self, path: str, links: dict[str, str] | None = None) -> str:
        """Follows every link on the way to a path.

        Args:
            path: Absolute on the machine.
            links: If given, gets each link that was followed, and its target.
        """
        done, parts = "", path.strip("/").split("/")
        for _ in range(100):
            if not parts:
                break
            done = f"{done}/{parts.pop(0)}"
            target = self.link(done)
            if target:
                if links is not None:
                    links[done] = target
                done, parts = "", target.strip("/").split("/") + parts
        return done

    def link(self, path: str) -> str:
        """The target of a symbolic link as the machine knows it; "" if it is none."""
        try:
            target = os.readlink(self.root / path.lstrip("/"))
        except OSError:
            return ""
        return os.path.normpath(os.path.join(os.path.dirname(path), target))

    def run(self, *argv: str, seconds: float = 8.0) -> Output:
        """Asks the machine a command; each is run once and remembered."""
        line = " ".join(argv)
        if line not in self.commands:
            self.commands[line] = self._ask(list(argv), line, seconds)
        return self.commands[line]

    def _ask(self, argv: list[str], line: str, seconds: float) -> Output:
        if not self.runs:
            answer = self.saved.get("commands", {}).get(line)
            return Output(**answer) if answer else Output("unrecorded")
        for folder in self.search_path.split(os.pathsep):
            program = os.path.join(folder, argv[0])
            if os.path.isfile(program):
                environment = {**os.environ, "PATH": self.search_path, "LC_ALL": "C"}
                return run_command([program, *argv[1:]], seconds, environment)
        return Output("missing")

"""Saved machines for the tests: a sound one, and what the others have otherwise."""

import dataclasses
import json
import pathlib
import shlex
from typing import Any

LIB = "/usr/lib/x86_64-linux-gnu"
PCI = "/sys/bus/pci/devices/0000:01:00.0"
SITE = "/home/eve/venv/lib/python3.12/site-packages"
LINK = "-> "  # a file's text that makes it a symbolic link


def proc_driver(version: str) -> str:
    """The text of /proc/driver/nvidia/version."""
    return f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Thu Feb 22\n"


def say(text: str) -> str:
    """A shell script that prints a text; no other command is on its PATH."""
    return f"printf '%s\\n' {shlex.quote(text)}"


def smi(*cards: str, listed: str = "") -> str:
    """A shell script that answers as nvidia-smi; a card is "name, driver, cc, mig"."""
    rows = "\n".join(f"{i}, {card}" for i, card in enumerate(cards))
    return f'if [ "$1" = -L ]; then {say(listed)}; else {say(rows)}; fi'


def old_smi(*cards: str) -> str:
    """The same before 510: no capability, no MIG; a card is "name, driver"."""
    refuse = say('Field "compute_cap" is not a valid field to query.')
    return f'case "$1" in *compute_cap*) {refuse}; exit 2;; esac; {smi(*cards)}'


def driver_files(version: str, folder: str = LIB) -> dict[str, str]:
    """The driver's libraries, and the module that is loaded."""
    return {
        f"{folder}/libcuda.so.1": f"{LINK}libcuda.so.{version}",
        f"{folder}/libcuda.so.{version}": "",
        f"{folder}/libnvidia-ml.so.1": f"{LINK}libnvidia-ml.so.{version}",
        f"{folder}/libnvidia-ml.so.{version}": "",
        "/proc/driver/nvidia/version": proc_driver(version),
    }


def gone(*paths: str) -> dict[str, None]:
    """Files that a machine lacks."""
    return dict.fromkeys(paths)


def tensorflow(version: str, cuda: str = "12.5.1", **more: Any) -> dict[str, Any]:
    """What the TensorFlow probe recorded."""
    build = {"is_cuda_build": True, "cuda_version": cuda, "cudnn_version": "9"}
    told = {"state": "ok", "version": version, "build": build, "cpu_product": True}
    return told | {"gpus": [], "log": ""} | more


def seen(name: str, capability: str, product: Any = True) -> dict[str, Any]:
    """A GPU as TensorFlow sees it."""
    return {"name": name, "capability": capability, "product": product}


PIP = {"nvidia-cuda-runtime-cu12": "12.5.82", "nvidia-cudnn-cu12": "9.3.0.75"}


@dataclasses.dataclass
class Saved:
    """One machine; a test changes what differs from the sound one."""

    files: dict[str, str | None]
    commands: dict[str, str | None]
    environment: dict[str, str]
    python: dict[str, Any]
    tensorflow: dict[str, Any]
    kernel: str = "6.8.0-50-generic"
    processor: str = "x86_64"

    def but(self, **changes: Any) -> "Saved":
        """The same machine with some files, commands and so on changed."""
        new = {
            key: value
            if key in ("tensorflow", "kernel", "processor")
            else getattr(self, key) | value
            for key, value in changes.items()
        }
        return dataclasses.replace(self, **new)

    def write(self, root: pathlib.Path) -> pathlib.Path:
        """Lays it out under `root`; returns the folder of its commands."""
        for name, text in self.files.items():
            if text is None:
                continue
            path = root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith(LINK):
                path.symlink_to(text.removeprefix(LINK))
            elif name.endswith("/"):
                path.mkdir(exist_ok=True)
            else:
                path.write_text(text)
        commands = root / "commands"
        commands.mkdir()
        for name, script in self.commands.items():
            if script is not None:
                (commands / name).write_text(f"#!/bin/sh\n{script}\n")
                (commands / name).chmod(0o755)
        told = {
            "environment": self.environment,
            "python": self.python,
            "tensorflow": self.tensorflow,
            "uname": {"machine": self.processor, "release": self.kernel},
        }
        (root / "machine.json").write_text(json.dumps(told))
        return commands


SOUND = Saved(
    files={
        f"{PCI}/vendor": "0x10de\n",
        f"{PCI}/class": "0x030000\n",
        f"{PCI}/device": "0x2204\n",
        f"{PCI}/max_link_speed": "16.0 GT/s PCIe\n",
        f"{PCI}/max_link_width": "16\n",
        "/proc/modules": "nvidia 56823808 2 - Live 0x0\n",
        "/proc/cmdline": "root=/dev/sda1 quiet splash\n",
        "/proc/version": "Linux version 6.8.0-50-generic\n",
        "/etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
        f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9": "",
    }
    | driver_files("555.42.06"),
    commands={
        "nvidia-smi": smi("NVIDIA GeForce RTX 3090, 555.42.06, 8.6, [N/A]"),
        "dpkg-query": "echo 'ii  nvidia-driver-555 555.42.06-0ubuntu1'",
        "dkms": "echo 'nvidia/555.42.06, 6.8.0-50-generic, x86_64: installed'",
        "modinfo": "echo 555.42.06",
        "mokutil": "echo 'SecureBoot disabled'",
        "ldconfig": f"echo '\tlibcuda.so.1 (libc6,x86-64) => {LIB}/libcuda.so.1'",
    },
    environment={"VIRTUAL_ENV": "/home/eve/venv"},
    python={
        "version": "3.12.3",
        "prefix": "/home/eve/venv",
        "site_packages": [SITE],
        "packages": {"tensorflow": "2.21.0"} | PIP,
    },
    tensorflow=tensorflow("2.21.0", gpus=[seen("NVIDIA GeForce RTX 3090", "8.6")]),
)
BLIND = SOUND.but(tensorflow=tensorflow("2.21.0"))  # TensorFlow sees no card
NO_TENSORFLOW = SOUND.but(
    python={"packages": {}}, tensorflow={"state": "missing", "error": "No module"}
)
NO_CARD = SOUND.but(
    files=gone(
        *driver_files("555.42.06"),
        *(f for f in SOUND.files if f.startswith((PCI, SITE))),
    )
    | {"/proc/modules": "", "/sys/bus/pci/devices/0000:00:00.0/vendor": "0x8086\n"},
    commands=dict.fromkeys(["nvidia-smi", "dkms", "modinfo", "ldconfig"])
    | {"dpkg-query": "exit 1"},
    python={"packages": {"tensorflow": "2.21.0"}},
    tensorflow=tensorflow("2.21.0"),
)

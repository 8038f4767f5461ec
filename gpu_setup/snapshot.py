"""Saves what `check` reads of this machine, redacted, to judge it elsewhere.

python -m gpu_setup.snapshot machine.tar.gz
python -m gpu_setup.check --root=machine.tar.gz
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import io
import json
import os
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from gpu_setup import probes
from gpu_setup.config import Probing
from gpu_setup.facts import Facts
from gpu_setup.machine import SAVED, Machine
from gpu_setup.redaction import redact
from runkit import files, settings

# Of the boot line only these words; the rest can hold names and passwords.
BOOT_WORDS = r"nomodeset|nouveau\S*|modprobe\.blacklist=\S*|nvidia\S*"
KEPT_LIBRARIES = r"\blib(cuda|cudnn|nvidia-ml)\.so"
MAX_MEMBER = 1 << 20


def entries(machine: Machine) -> tuple[dict[str, str], dict[str, str]]:
    """The files that a machine was asked for, redacted, and the links on the way.

    Returns:
        Text by path without links, and the target by the path of each link.
    """
    texts: dict[str, str] = {}
    links: dict[str, str] = {}
    for path, text in machine.files.items():
        if path == "/proc/cmdline":
            text = " ".join(re.findall(BOOT_WORDS, text))
        place = machine.resolve(path, links)
        if text or not machine.path(place).is_dir():
            texts[place] = redact(text) or texts.get(place, "")
    return texts, links


def answers(machine: Machine, facts: Facts) -> str:
    """What machine.json holds: commands, environment, Python and TensorFlow."""
    commands = {k: v._asdict() for k, v in machine.commands.items()}
    if cache := commands.get(" ".join(probes.LDCONFIG)):
        rows = cache["text"].splitlines()
        cache["text"] = "\n".join(r for r in rows if re.search(KEPT_LIBRARIES, r))
    saved = {
        "commands": commands,
        "environment": machine.environment,
        "python": machine.python,
        "uname": machine.uname,
        "tensorflow": facts.tensorflow,
    }
    return redact(json.dumps(saved, indent=1, sort_keys=True))


def write(path: Path, machine: Machine, facts: Facts) -> int:
    """Writes what `probes.collect` asked and found as a .tar.gz file, whole or not.

    Returns:
        How many files and links are inside.
    """
    texts, links = entries(machine)
    texts[f"/{SAVED}"] = answers(machine, facts)

    def fill(file: BinaryIO) -> None:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, text in sorted(texts.items()):
                info = tarfile.TarInfo(redact(name).lstrip("/"))
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
            for name, target in sorted(links.items()):
                info = tarfile.TarInfo(redact(name).lstrip("/"))
                info.type = tarfile.SYMTYPE
                relative = os.path.relpath(target, os.path.dirname(name))
                info.linkname = redact(relative)
                archive.addfile(info)

    files.write_whole(path, fill)
    return len(texts) + len(links)


def unpack(path: Path, folder: Path) -> None:
    """Unpacks a snapshot: small files, and links that stay inside.

    tarfile's own filter for this is missing in Pythons that are still in use (3.11.2).

    Raises:
        OSError: It cannot be read.
        tarfile.TarError: It is no archive, or not a harmless one.
    """
    inside = os.path.realpath(folder)
    with tarfile.open(path) as archive:
        for member in archive:
            place = os.path.join(inside, member.name.lstrip("/"))
            parent = os.path.dirname(place)
            leads_to = (
                os.path.join(parent, member.linkname) if member.issym() else place
            )
            for there in (parent, leads_to):
                if os.path.commonpath([inside, os.path.realpath(there)]) != inside:
                    raise tarfile.TarError(f"{member.name} leads outside")
            if member.size > MAX_MEMBER or not (member.isfile() or member.issym()):
                raise tarfile.TarError(f"{member.name} is not a small file or a link")
            os.makedirs(parent, exist_ok=True)
            if member.issym():
                os.symlink(member.linkname, place)
            else:
                content = archive.extractfile(member)
                Path(place).write_bytes(content.read() if content else b"")


def main(argv: Sequence[str]) -> int:
    """Asks this machine and saves the answers."""
    if len(argv) != 2:
        raise ValueError("name one file to write, such as machine.tar.gz")
    path = Path(argv[1])
    if not path.name.endswith((".tar.gz", ".tgz")):
        raise ValueError(f"{path} must end in .tar.gz")
    machine = Machine()
    facts = probes.collect(machine, Probing(**settings.given(Probing)))
    count = write(path, machine, facts)
    print(f"{path}: {count} files, redacted; look inside before you send it")
    return cli.DONE


def command() -> None:
    """Runs the command."""
    settings.define_flags(Probing)
    cli.run(main, "gpu_setup.snapshot", arguments=True)


if __name__ == "__main__":
    command()

"""Files of arrays under a header that says who wrote them, and in which format.

A file of another package or another format is refused in one line, whatever is in it.
"""

import dataclasses
import json
import os
import zipfile
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from runkit.files import write_whole

CHECKPOINT, PREVIOUS = "checkpoint.npz", "checkpoint_previous.npz"
ANEW = "start anew with --noresume or another --out_dir"

Arrays = Mapping[str, np.ndarray]
Header = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Format:
    """What a kind of file holds.

    Attributes:
        package: Who writes it.
        version: A number that grows whenever the content changes its meaning.
    """

    package: str
    version: int


def write(
    path: str | os.PathLike, form: Format, header: Mapping[str, Any], arrays: Arrays
) -> None:
    """Writes a file of arrays, whole or not at all.

    Args:
        path: The file.
        form: Who writes, and in which format.
        header: What else belongs to it, as JSON has it.
        arrays: The arrays by name.
    """
    text = np.array(json.dumps({**header, **dataclasses.asdict(form)}))
    named: dict[str, Any] = {"header": text, **arrays}
    write_whole(path, lambda file: np.savez(file, **named))


def read(path: str | os.PathLike, form: Format) -> tuple[Header, Arrays]:
    """Reads what `write` wrote.

    Returns:
        The header, and the arrays by name, each of which is read when it is asked for.

    Raises:
        OSError: The file is missing or damaged, or is no such file.
        ValueError: Another package, or a program with another format, wrote it.
    """
    try:
        with zipfile.ZipFile(path) as file:
            if damaged := file.testzip():
                raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")
        arrays = np.load(path)
        header = json.loads(str(arrays["header"]))
        package, version = header.get("package"), header.get("version")
    except FileNotFoundError:
        raise
    except (
        zipfile.BadZipFile,
        AttributeError,
        EOFError,
        KeyError,
        NotImplementedError,
        OSError,
        ValueError,
    ) as error:
        raise OSError(f"{path}: the file is damaged ({error})") from error
    if package != form.package and package is not None:
        raise ValueError(f"{path}: {package} wrote this file, not {form.package}")
    if version != form.version:
        raise ValueError(
            f"{path}: the file has format {version or 0}, and this program reads "
            f"format {form.version}: {ANEW}, or use the program that wrote it"
        )
    names = [name for name in arrays.files if name != "header"]
    return header, _Lazy(arrays, names)


class _Lazy(Mapping[str, np.ndarray]):
    """The arrays of a file; each is read when it is asked for."""

    def __init__(self, file: Any, names: list[str]):
        self._file, self._names = file, names

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        return self._file[name]

    def __iter__(self):
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def save(
    folder: str | os.PathLike, form: Format, header: Mapping[str, Any], arrays: Arrays
) -> None:
    """Writes a run's checkpoint into its folder; the one before it stays there too."""
    path = os.path.join(folder, CHECKPOINT)
    if os.path.exists(path):
        os.replace(path, os.path.join(folder, PREVIOUS))
    write(path, form, header, arrays)


def load(
    folder: str | os.PathLike, form: Format
) -> tuple[str, Header | None, Arrays, str]:
    """Reads the newest whole checkpoint of a folder.

    Returns:
        Its path, header and arrays, and a warning if a damaged one was passed over;
        the header is None where there is no checkpoint.

    Raises:
        OSError: There are checkpoints, and all are damaged.
        ValueError: Another package, or a program with another format, wrote it.
    """
    damage = ""
    for name in (CHECKPOINT, PREVIOUS):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        try:
            header, arrays = read(path, form)
        except OSError as error:
            damage = damage or str(error)
            continue
        note = f"{damage}: the run goes on from {path}" if damage else ""
        return path, header, arrays, note
    if damage:
        raise OSError(f"{damage}: {ANEW}")
    return "", None, {}, ""


def compare(
    path: str, theirs: Mapping[str, Any], ours: Any, free: Collection[str] = ()
) -> None:
    """Checks that a checkpoint's settings are those of the run that goes on from it.

    Args:
        path: The checkpoint, for the message.
        theirs: Its settings.
        ours: The run's settings, a dataclass.
        free: The settings that may differ.

    Raises:
        ValueError: A setting differs.
    """
    mine = json.loads(json.dumps(dataclasses.asdict(ours)))
    for name in _differing(theirs, mine):
        if name not in free:
            raise ValueError(
                f"{path}: trained with --{name}={theirs.get(name)}, not "
                f"{mine.get(name)}: repeat its flags, or {ANEW}"
            )


def _differing(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterable[str]:
    for name in {**theirs, **ours}:
        if name not in theirs or name not in ours or theirs[name] != ours[name]:
            yield name

"""Files that are written whole or not at all, in a folder that one run owns."""

import contextlib
import csv
import dataclasses
import importlib.metadata
import io
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

RESULT, LOCK = "result.json", ".lock"


def write_whole(path: str | os.PathLike, write: Callable[[BinaryIO], Any]) -> None:
    """Writes a file whole or not at all: under a temporary name, then moved.

    Args:
        path: The file, in a folder that exists.
        write: What fills the file, which is open for bytes.

    Raises:
        OSError: The file cannot be written; what stood there before is unchanged.
    """
    temporary = f"{os.fspath(path)}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file as UTF-8, whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_csv(path: str | os.PathLike, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows as CSV; the keys of the first row are the header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_result(
    folder: str | os.PathLike,
    config: Any,
    metrics: Mapping[str, Any],
    packages: Sequence[str] = ("numpy",),
) -> None:
    """Writes <folder>/result.json: figures, settings and versions of one run.

    Args:
        folder: The run's folder, which exists.
        config: The settings, a dataclass or a dictionary.
        metrics: The figures, as JSON has them.
        packages: The distributions whose versions matter to the figures.
    """
    versions = {name: importlib.metadata.version(name) for name in packages}
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        config = dataclasses.asdict(config)
    versions["python"] = platform.python_version()
    result = {**metrics, "config": config, "versions": versions}
    write_text(os.path.join(folder, RESULT), json.dumps(result, indent=2) + "\n")


def save_figure(path: str | os.PathLike, figure: Any, dpi: int = 100) -> None:
    """Writes a Matplotlib figure as a PNG, whole or not at all."""
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=dpi))


def make_folder(path: str, flag: str = "out_dir") -> None:
    """Makes a folder for output.

    Raises:
        OSError: It cannot be made, or nothing can be written into it.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OSError(f"--{flag}={path}: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise PermissionError(f"--{flag}={path}: no permission to write")


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Keeps a folder for one run, for as long as the context lasts.

    The operating system frees the lock of a process that is gone.

    Raises:
        OSError: Another run is using the folder.
    """
    import filelock

    lock = filelock.FileLock(os.path.join(folder, LOCK))
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise OSError(
            f"{folder}: another run is using this folder: wait for its end, or give "
            "another --out_dir"
        ) from None
    try:
        yield
    finally:
        lock.release()


def peak_memory_gib() -> float | None:
    """The most memory that this process has held, in GiB; None if nobody can tell."""
    try:  # On Linux, `getrusage` counts what the parent held when it forked, too.
        with open("/proc/self/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM:"))
            return round(int(peak.split()[1]) / 2**20, 2)
    except (OSError, StopIteration):
        pass
    try:
        import resource  # Windows has none.
    except ImportError:
        return None
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # on macOS
    return round(peak_bytes / 2**30, 2)

"""What a log tells of the TensorFlow and of the system that wrote it."""

import dataclasses
import re
from collections.abc import Iterator

from gpu_setup import compatibility as fit
from gpu_setup.remedies import Platform

_RELEASE = re.compile(
    r"(?i)\btensorflow(?:[-_](?:gpu|cpu|intel))?(?:\[[\w,-]+\])?"
    r"(?:==|-| v?| version:? *(?:\([^)]*\))?:? *v?)(\d+\.\d+)"
    r"|\btf[ _-]?(?:version:? ?)?v?([12]\.\d+)\b|__version__\W+([12]\.\d+)\."
)
# What TensorFlow itself asks for; what stands behind "dlerror" may be another's need.
_ASKED = re.compile(
    r"(?:dynamic library|dlopen library|CUDA library|not load library|Could not find|"
    r"shared libraries:|(?:ImportError|OSError):(?! Could))\s+'?\"?"
    r"(?:lib)?(cudnn|cu[a-zA-Z]+)\w*?(?:\.so\.|(64)_)(\d+(?:\.\d+)?)"
)
_COMPILED = re.compile(r"source was compiled with:? (\d+(?:\.\d+)*)")
_PYTHON = re.compile(r"[Pp]ython(?: |-)?(\d)\.(\d+)|\bcp(\d)(\d+)\b")
_CAPABILITY = re.compile(
    r"(?i)compute ?capability[: ]+(?:major )?'?(\d+)\.(\d)"
    r"|\bmajor: (\d+) minor: (\d)|\bsm_(\d+)(\d)\b"
)
_SYSTEMS = {  # by words of the log; the first that fits counts
    "jetson": r"[Tt]egra|Jetson|\bL4T\b",
    "wsl": r"(?i)\bwsl2?\b|microsoft-standard|/mnt/[cd]/|/usr/lib/wsl",
    "windows": r"\.dll\b|\b[A-Z]:\\|DLL load failed|win_amd64",
    "macos": r"macosx|\bdarwin\b|\.dylib\b",
    "linux": "",
}


@dataclasses.dataclass(frozen=True)
class Origin:
    """Which releases can have written a log, and where.

    Attributes:
        builds: The releases, newest first; all of them where nothing speaks of one.
        platform: The system and the processor.
        capability: The compute capability of the card; "" if the log does not name it.
        is_conda: Whether the log has a folder of conda.
        is_known: Whether anything in the log speaks of the release.
    """

    builds: tuple[fit.Build, ...]
    platform: Platform
    capability: str
    is_conda: bool
    is_known: bool

    @property
    def build(self) -> fit.Build:
        """The newest release that can have written the log.

        Where some of them have no extra for pip yet, it is the newest of these.
        """
        older = [b for b in self.builds if fit.parse_version(b.tensorflow) < (2, 14)]
        return older[0] if self.is_known and older else self.builds[0]

    @property
    def card_is_newer(self) -> bool:
        """Whether the card is newer than the CUDA of the release."""
        state = fit.cuda_knows(self.capability, self.build.cuda)
        return self.is_known and state == "too old"

    @property
    def releases(self) -> str:
        """The releases that ask for what the newest one asks for: "2.5 to 2.10"."""
        same = [
            ".".join(build.tensorflow.split(".")[:2])
            for build in self.builds
            if (build.cuda, build.cudnn) == (self.build.cuda, self.build.cudnn)
        ]
        return same[0] if len(same) == 1 else f"{same[-1]} to {same[0]}"


def origin_of(log: str) -> Origin:
    """Narrows down the release by names, library numbers, source paths and Python.

    What contradicts everything before it is left out: logs are pasted from several
    programs.
    """
    builds = fit.builds()
    for fitting in _evidence(log):
        builds = [build for build in builds if build in fitting] or builds
    known = len(builds) < len(fit.builds())
    python = ".".join(_groups(_PYTHON.search(log)))
    if known and python:  # many releases take one Python: alone it says too little
        builds = [build for build in builds if build.takes_python(python)] or builds
    machine = (
        "aarch64" if re.search(r"aarch64|arm64|[Tt]egra|Jetson", log) else "x86_64"
    )
    system = next(name for name, words in _SYSTEMS.items() if re.search(words, log))
    name = re.search(r"(?i)\b(ubuntu|debian|fedora|arch)\b", log)
    platform = Platform(system, machine, name[1] if name else "")
    capability = ".".join(_groups(_CAPABILITY.search(log))) or fit.capability_of(log)
    conda = bool(re.search(r"conda|mambaforge|/envs/", log))
    return Origin(tuple(builds), platform, capability, conda, known)


def _groups(match: re.Match | None) -> list[str]:
    return [group for group in match.groups() if group] if match else []


def _evidence(log: str) -> Iterator[list[fit.Build]]:
    """Yields the releases that fit, for everything in the log that speaks of one."""
    every = fit.builds()
    for match in _RELEASE.finditer(log):
        named = fit.build_of(_groups(match)[0])
        yield [named] if named else []
    for row in fit.table("source_paths"):
        if re.search(row["pattern"], log, re.M):
            first, last = (fit.parse_version(row[end]) for end in ("first", "last"))
            version = {b.tensorflow: fit.parse_version(b.tensorflow)[:2] for b in every}
            yield [
                b for b in every if first <= version[b.tensorflow] <= (last or (99,))
            ]
    for name, windows, number in _ASKED.findall(log):
        number = _dotted(name, number) if windows else number
        if name == "cudnn":
            yield [b for b in every if b.cudnn.partition(".")[0] == number]
        else:
            library = f"lib{name}"
            yield [
                b for b in every if fit.library_numbers(b.cuda).get(library) == number
            ]
    for match in _COMPILED.finditer(log):
        wanted = fit.parse_version(cudnn_version(match[1]))
        for parts in (2, 1):  # the minor version, or else the major one alone
            built = {b.cudnn: (*fit.parse_version(b.cudnn), 0)[:parts] for b in every}
            yield [b for b in every if built[b.cudnn] == wanted[:parts]]


def cudnn_version(text: str) -> str:
    """Reads cuDNN's version, also as one number: "8.6.0", "5110" (5.1.10), "90300"."""
    if "." in text or not text.isdigit() or len(text) < 4:
        return text.rstrip(".")
    number = int(text)
    if number >= 90000:  # since cuDNN 9: major * 10000 + minor * 100 + patch
        return f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    return f"{number // 1000}.{number // 100 % 10}.{number % 100}"


def _dotted(name: str, digits: str) -> str:
    """The number on Linux: "101" is 10.1, "90" is 9.0, but "10" and "11" stay."""
    whole = len(digits) == 3 or (len(digits) == 2 and digits[0] in "6789")
    return f"{digits[:-1]}.{digits[-1]}" if whole and name != "cudnn" else digits

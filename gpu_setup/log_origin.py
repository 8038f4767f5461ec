"""What a log tells of the TensorFlow and of the system that wrote it."""

import dataclasses
import re

from gpu_setup import compatibility as fit
from gpu_setup.remedies import Platform

_RELEASE = re.compile(
    r"(?i)\btensorflow(?:[-_](?:gpu|cpu|intel))?(?:\[[\w,-]+\])?"
    r"(?:==|-| v?| version:? *(?:\([^)]*\))?:? *v?)(\d+\.\d+)"
    r"|\btf[ _-]?(?:version:? ?)?v?([12]\.\d+)\b"
    r"|__version__\W+([12]\.\d+)\."
)
_LINUX_NAME = re.compile(r"lib(cudnn|cu[a-zA-Z]+)\w*\.so\.(\d+(?:\.\d+)?)")
_WINDOWS_NAME = re.compile(r"(cudnn|cu[a-zA-Z]+)[a-z_]*64_(\d+)\.dll")
_PYTHON = re.compile(r"[Pp]ython(?: |-)?(\d\.\d+)|\bcp(\d)(\d+)\b")
_COMPILED = re.compile(r"source was compiled with:? (\d+(?:\.\d+)*)")
# What TensorFlow itself asks for; what stands behind "dlerror" may be another's need.
_ASKED = re.compile(
    r"(?:dynamic library|dlopen library|CUDA library|not load library|Could not find|"
    r"shared libraries:|(?:ImportError|OSError):(?! Could))\s+'?\"?([\w.]*\w)"
)


@dataclasses.dataclass(frozen=True)
class Origin:
    """Which releases can have written a log, and where.

    Attributes:
        builds: The releases, newest first; all of them where nothing speaks of one.
        platform: The system and the processor.
        python: The version of Python; "" if the log does not name it.
        capability: The compute capability of the card; "" if the log does not name it.
        is_conda: Whether the log has a folder of conda.
        is_known: Whether anything in the log speaks of the release.
    """

    builds: list[fit.Build]
    platform: Platform
    python: str
    capability: str
    is_conda: bool
    is_known: bool

    @property
    def build(self) -> fit.Build:
        """The newest release that can have written the log."""
        return self.builds[0]

    @property
    def card_is_newer(self) -> bool:
        """Whether the card is newer than the CUDA of the release."""
        return (
            self.is_known
            and fit.cuda_knows(self.capability, self.build.cuda) == "too old"
        )

    @property
    def releases(self) -> str:
        """The releases that ask for what the newest one asks for: "2.5 to 2.10"."""
        same = [
            ".".join(build.tensorflow.split(".")[:2])
            for build in self.builds
            if (build.cuda, build.cudnn) == (self.build.cuda, self.build.cudnn)
        ]
        return same[0] if len(same) == 1 else f"{same[-1]} to {same[0]}"

    @property
    def is_one(self) -> bool:
        """Whether only one release can have written the log."""
        return len(self.builds) == 1


def origin_of(log: str) -> Origin:
    """Narrows down the release by names, library numbers, source paths and Python.

    What contradicts everything before it is left out: logs are pasted from several
    programs.
    """
    builds = fit.builds()
    for keep in _evidence(log):
        builds = [build for build in builds if keep(build)] or builds
    known = len(builds) < len(fit.builds())
    python = _python(log)
    if known and python:  # many releases take one Python: alone it says too little
        builds = [build for build in builds if build.takes_python(python)] or builds
    conda = bool(re.search(r"conda|mambaforge|/envs/", log))
    return Origin(builds, _platform(log), python, _capability(log), conda, known)


def _evidence(log: str):
    """Yields a test of a build for everything in the log that speaks of one."""
    for match in _RELEASE.finditer(log):
        named = fit.build_of(match[1] or match[2] or match[3])
        if named:
            yield lambda build, named=named: build == named
    for row in fit.table("source_paths"):
        if re.search(row["pattern"], log, re.M):
            first, last = (fit.parse_version(row[end]) for end in ("first", "last"))
            yield (
                lambda build, first=first, last=last: (
                    first <= fit.parse_version(build.tensorflow)[:2] <= (last or (99,))
                )
            )
    for name, number in _libraries(log):
        if name == "libcudnn":
            yield lambda build, n=number: build.cudnn.partition(".")[0] == n
        else:
            yield (
                lambda build, name=name, number=number: (
                    fit.library_numbers(build.cuda).get(name) == number
                )
            )
    for match in _COMPILED.finditer(log):
        wanted = fit.parse_version(cudnn_version(match[1]))
        yield (
            lambda build, wanted=wanted: (
                (*fit.parse_version(build.cudnn), 0)[:2] == wanted[:2]
            )
        )
        yield (
            lambda build, wanted=wanted: (
                fit.parse_version(build.cudnn)[:1] == wanted[:1]
            )
        )


def cudnn_version(text: str) -> str:
    """Reads cuDNN's version, also as one number: "8.6.0", "5110" (5.1.10), "90300"."""
    if "." in text or not text.isdigit() or len(text) < 4:
        return text.rstrip(".")
    number = int(text)
    if number >= 90000:  # since cuDNN 9: major * 10000 + minor * 100 + patch
        return f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    return f"{number // 1000}.{number // 100 % 10}.{number % 100}"


def _capability(log: str) -> str:
    """The compute capability of the card, by its number or by the card's name."""
    number = re.search(r"(?i)compute ?capability[: ]+(?:major )?'?(\d+\.\d)", log)
    number = number or re.search(r"\bmajor: (\d+) minor: (\d)|\bsm_(\d+)(\d)\b", log)
    if number:
        return ".".join(part for part in number.groups() if part)
    return fit.capability_of(log)


def _python(log: str) -> str:
    match = _PYTHON.search(log)
    if not match:
        return ""
    return match[1] or f"{match[2]}.{match[3]}"


def _libraries(log: str) -> list[tuple[str, str]]:
    """The CUDA libraries that TensorFlow asked for: (name, number in the file name).

    On Windows the number has no dots, as in cudart64_101.dll for CUDA 10.1.
    """
    found = []
    for asked in _ASKED.findall(log):
        if match := _LINUX_NAME.fullmatch(asked):
            found.append((f"lib{match[1]}", match[2]))
        elif match := _WINDOWS_NAME.fullmatch(asked):
            found.append((f"lib{match[1]}", _dotted(match[1], match[2])))
    known = {"libcudnn", *fit.library_numbers("12.0")}
    return [(name, number) for name, number in found if name in known]


def _dotted(name: str, digits: str) -> str:
    """The number on Linux: "101" is 10.1, "90" is 9.0, but "10" and "11" stay."""
    whole = len(digits) == 3 or (len(digits) == 2 and digits[0] in "6789")
    return f"{digits[:-1]}.{digits[-1]}" if whole and name != "cudnn" else digits


def _platform(log: str) -> Platform:
    machine = (
        "aarch64" if re.search(r"aarch64|arm64|[Tt]egra|Jetson", log) else "x86_64"
    )
    system = "linux"
    if re.search(r"[Tt]egra|Jetson|\bL4T\b", log):
        system = "jetson"
    elif re.search(r"(?i)\bwsl2?\b|microsoft-standard|/mnt/[cd]/|/usr/lib/wsl", log):
        system = "wsl"
    elif re.search(r"\.dll\b|\b[A-Z]:\\|DLL load failed|win_amd64", log):
        system = "windows"
    elif re.search(r"macosx|\bdarwin\b|\.dylib\b", log):
        system = "macos"
    name = re.search(r"(?i)\b(ubuntu|debian|fedora|arch|centos|rocky|suse)\b", log)
    return Platform(system, machine, name[1] if name else "")

"""Reads a pasted log: which line is the cause, and what to type next.

data/log_lines.json knows the lines: who prints each, what that code tested, and in
which releases. Its fields `means`, `hint` and `fix` have words in braces, which come
from the line and from what the whole log tells of its release and system (`_words`).
"""

import dataclasses
import functools
import json
import re
from importlib import resources
from typing import Any

from gpu_setup import compatibility as fit
from gpu_setup import remedies
from gpu_setup.log_origin import Origin, cudnn_version, origin_of

CAUSE_FOUND, NOTHING_WRONG, NOT_KNOWN = 1, 0, 3  # exit codes of --log
WEAK = 70  # causes from this rank on only follow from a stronger one, if there is one
CHECK = "python -m gpu_setup.check"
MISSING = {"cuda_library", "cudnn_library"}  # one remedy brings both
_ERROR = re.compile(
    r"^[EF]\d{4} \d\d:|^(?:[\d-]+ [\d:.]+: )?[EF] \w|\b\w*(?:Error|Exception)\b: "
    r"|(?i:^\s*(?:fatal )?error:)"
)


@dataclasses.dataclass(frozen=True)
class Known:
    """A line that is known, and its entry in log_lines.json with the words filled in.

    Attributes:
        number: Its number in the log, from 1.
        kind: "cause", "follows" (from a cause) or "harmless".
        rank: Of causes: the least is the first to mend.
        name: The library that the line names; "" if none.
    """

    number: int
    line: str
    id: str
    kind: str
    rank: int
    name: str
    means: str
    hint: str
    fix: str


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What a log comes to: the known lines, and the numbers of unknown errors."""

    lines: list[Known]
    total: int
    unknown_errors: list[int]

    @property
    def cause(self) -> Known | None:
        """The cause to mend first; the libraries that its lines name are listed."""
        causes = [known for known in self.lines if known.kind == "cause"]
        if not causes:
            return None
        first = min(causes, key=lambda known: known.rank)
        alike = MISSING if first.id in MISSING else {first.id}
        names = dict.fromkeys(k.name for k in causes if k.id in alike and k.name)
        means = first.means.replace(first.name or "\0", ", ".join(names), 1)
        return dataclasses.replace(first, means=means)

    @property
    def exit_code(self) -> int:
        """1 for a cause, 0 where all that is known is harmless, 3 for "cannot tell"."""
        if self.cause:
            return CAUSE_FOUND
        kinds = {known.kind for known in self.lines}
        sound = kinds == {"harmless"} and not self.unknown_errors
        return NOTHING_WRONG if sound else NOT_KNOWN

    @property
    def headline(self) -> str:
        """The verdict and the next command, in one line."""
        if cause := self.cause:
            next_step = f" Next: {cause.fix}" if cause.fix else ""
            return f"Cause, in line {cause.number}: {cause.means}{next_step}"
        if self.exit_code == NOTHING_WRONG:
            means = {known.means for known in self.lines}
            rest = means.pop() if len(means) == 1 else "All known lines are harmless."
            return f"Nothing is wrong. {rest}"
        reason = "the cause is not in the lines that are known"
        reason = reason if self.lines else "no line of this log is known"
        return f"Cannot tell: {reason}. Next: {CHECK}"


@functools.cache
def knowledge() -> list[dict[str, Any]]:
    """The table of known lines; of two that fit a line, the first counts."""
    file = resources.files("gpu_setup") / "data" / "log_lines.json"
    return json.loads(file.read_text())


@functools.cache
def _patterns() -> list[tuple[re.Pattern, dict[str, Any]]]:
    return [(re.compile(entry["pattern"]), entry) for entry in knowledge()]


def explain(log: str) -> Explanation:
    """Says of each known line of a log what it means.

    >>> import gpu_setup
    >>> line = "Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8"
    >>> gpu_setup.explain(f"W dso_loader.cc:64] {line}").cause.means
    'The loader does not find libcudnn.so.8, which TensorFlow needs for the card.'

    Args:
        log: What TensorFlow, pip, docker or the driver wrote, as pasted.
    """
    log = re.sub(r"\x1b\[[\d;]*m", "", log)  # colours
    origin = origin_of(log)
    found, unknown = [], []
    for number, line in enumerate(log.splitlines(), 1):
        for pattern, entry in _patterns():
            if match := pattern.search(line):
                found.append(_known(number, line, entry, match, origin))
                break
        else:
            if _ERROR.search(line):
                unknown.append(number)
    first = min((k.rank for k in found if k.kind == "cause"), default=0)
    found = [
        dataclasses.replace(known, kind="follows")
        if known.rank >= WEAK and known.rank > first
        else known
        for known in found
    ]
    return Explanation(found, len(log.splitlines()), unknown)


def _known(
    number: int, line: str, entry: dict[str, Any], match: re.Match, origin: Origin
) -> Known:
    groups = tuple((k, v) for k, v in match.groupdict().items() if v)
    words = _words(groups, origin)
    means, hint, fix = (
        " ".join(entry.get(field, "").format_map(words).split())
        for field in ("means", "hint", "fix")
    )
    if entry.get("newer_card") and origin.card_is_newer:
        means = f"The card, of compute capability {origin.capability}, is newer than "
        means += f"the CUDA {origin.build.cuda} of TensorFlow {origin.releases}."
        fix = remedies.install_tensorflow(origin.platform)
    name = words["name"] if "{name}" in entry["means"] else ""
    kind, rank = entry["kind"], entry.get("rank", 0)
    return Known(number, line.strip(), entry["id"], kind, rank, name, means, hint, fix)


@functools.lru_cache(1000)  # a log repeats itself
def _words(named: tuple[tuple[str, str], ...], origin: Origin) -> dict[str, str]:
    """What the braces in an entry stand for, from its line and from the whole log."""
    groups = {name: text.rstrip(".,;'\"") for name, text in named}
    name, other = groups.get("name", ""), groups.get("other", "")
    build, platform, newest = origin.build, origin.platform, fit.builds()[0]
    # The newest release of the extra may replace another, unless the log names one.
    pinned = len(origin.builds) == 1 or fit.parse_version(build.tensorflow) < (2, 14)
    release = build.tensorflow if origin.is_known and pinned else ""
    wants = f"CUDA {build.cuda} and cuDNN {build.cudnn}"
    sentence = f"TensorFlow {origin.releases} asks for {wants}." if release else ""
    install = remedies.install_tensorflow(platform, release)
    asked, container = fit.build_of(other), remedies.COMMANDS["container"]
    needed = cudnn_version(other) if re.fullmatch(r"[\d.]+", other) else ""
    return {
        "name": name or "the library",
        "other": other,
        "library": name or "libcuda.so.1",
        "symbol": name or other,
        "mixed": name or groups.get("third", "a library"),
        "reason": name or "no reason given",
        "need": name or f"driver {other}",
        "uses": f", CUDA {build.cuda}" if release else "",
        "capability": f", of capability {name or other}," if name or other else "",
        "wants": wants,
        "wants_sentence": sentence,
        "foreign": _foreign(name, other, origin) if release else "",
        "cudnn_mismatch": _cudnn_mismatch(cudnn_version(name), needed),
        "cuda": remedies.install_cuda(platform, build, bool(release)),
        "cudnn": remedies.install_cudnn(platform, build, needed),
        "tensorflow": install,
        "reinstall": f"{install} --force-reinstall" if "pip" in install else install,
        "driver": remedies.install_driver(platform) or "nvidia-smi",
        "container": container,
        "check": CHECK,
        "growth": ("set" if platform.system == "windows" else "export")
        + " TF_FORCE_GPU_ALLOW_GROWTH=true",
        "create": remedies.run_on(asked.python.rpartition("-")[2] if asked else "3.12"),
        "older": _card_command(origin, name or other, CHECK),
        "newest": newest.tensorflow,
        "newest_python": newest.python,
        "libdevice": _libdevice(origin),
        "card_code": _card_code(origin),
        "new_card": _card_command(origin, origin.capability, container),
        "card_fix": _card_command(origin, origin.capability, CHECK),
    }


def _cudnn_mismatch(here: str, there: str) -> str:
    same = fit.parse_version(here)[:1] == fit.parse_version(there)[:1]
    how = "older than" if same else "of another major version than"
    return f"cuDNN {here} is {how} the {there} that TensorFlow was built with."


def _foreign(name: str, missing: str, origin: Origin) -> str:
    """Says so where a library of CUDA 12 was found by a build for CUDA 11."""
    cuda, _, theirs = origin.build.cuda, *missing.rpartition(".")[1:]
    if "nvJitLink" not in missing or theirs == cuda.partition(".")[0]:
        return ""
    asks = f"TensorFlow {origin.releases} asks for CUDA {cuda}"
    return f" That {name} is of CUDA {theirs}, and {asks}."


def _card_command(origin: Origin, capability: str, unknown: str) -> str:
    """The command that brings code for a card; `unknown` where the log names none."""
    newest = fit.wheel_architectures(fit.builds()[0].tensorflow)
    way, best = fit.runs_on(capability, newest), fit.newest_fit("", [capability])
    if way == "unknown":
        return unknown
    if way == "ptx":
        return remedies.COMMANDS["container"]
    if best is None:
        return remedies.pip_install("tensorflow-cpu")
    return remedies.install_tensorflow(origin.platform, best.tensorflow)


def _card_code(origin: Origin) -> str:
    """What is wrong where the driver refuses the build's PTX."""
    capability, newest = origin.capability, fit.builds()[0].tensorflow
    card = f"compute capability {capability}" if capability else "this card"
    if fit.runs_on(capability, fit.wheel_architectures(newest)) == "native":
        return f"This build has no machine code for {card}; a newer TensorFlow has."
    return (
        f"No TensorFlow wheel up to {newest} has machine code for {card}, and the "
        "driver refused the PTX that they carry instead."
    )


def _libdevice(origin: Origin) -> str:
    if origin.platform.system == "windows":
        return 'set "XLA_FLAGS=--xla_gpu_cuda_data_dir=%CUDA_PATH%"'
    flags = "export XLA_FLAGS=--xla_gpu_cuda_data_dir"
    if fit.parse_version(origin.builds[-1].tensorflow) >= (2, 14):
        package = "import nvidia.cuda_nvcc as n; print(n.__path__[0])"
        return f"{flags}=$(python -c '{package}')"
    if origin.is_conda:
        return f"conda install -c nvidia cuda-nvcc && {flags}=$CONDA_PREFIX"
    return f"{flags}=/usr/local/cuda"


def as_text(explanation: Explanation) -> str:
    """A page for the terminal: the verdict and the command, then each known line."""
    lines, cause = [explanation.headline], explanation.cause
    if cause and cause.hint:
        lines.append(f"Hint: {cause.hint}")
    shown: dict[str, Known] = {}  # each meaning once, at its first line
    for known in explanation.lines:
        shown.setdefault(known.means, known)
    for known in shown.values():
        lines.append(f"\nline {known.number}, {known.kind}: {known.means}")
        lines.append(f"    {known.line[:80]}")
        if known.hint and known.kind != "follows":
            lines.append(f"    {known.hint}")
        same = cause and {cause.id, known.id} <= MISSING  # the headline mends it too
        if known.fix and known.kind == "cause" and not same:
            lines.append(f"    $ {known.fix}")
    lines.append("")
    lines.append(f"{len(explanation.lines)} of {explanation.total} lines are known.")
    if explanation.unknown_errors:
        numbers = ", ".join(map(str, explanation.unknown_errors[:10]))
        lines.append(f"These look like errors and are not known: line {numbers}.")
    return "\n".join(lines) + "\n"

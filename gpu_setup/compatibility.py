"""TensorFlow, Python, CUDA, cuDNN, driver and card: what fits what (data/*.csv)."""

import csv
import dataclasses
import functools
import re
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """Reads the leading numbers: "12.5.1" and "2.16.1rc0" give (12, 5, 1), (2, 16, 1).

    Returns:
        The numbers; empty where the text starts with none.
    """
    match = re.match(r"\d+(\.\d+)*", text.strip())
    return tuple(int(n) for n in match[0].split(".")) if match else ()


@functools.cache
def table(name: str) -> list[dict[str, str]]:
    """The rows of data/<name>.csv."""
    file = resources.files("gpu_setup") / "data" / f"{name}.csv"
    return list(csv.DictReader(file.read_text().splitlines()))


@dataclasses.dataclass(frozen=True)
class Build:
    """One of TensorFlow's tested build configurations."""

    tensorflow: str
    python: str
    bazel: str
    cudnn: str
    cuda: str
    source: str

    def takes_python(self, version: str) -> bool:
        """Whether wheels were built for this Python ("2.7,3.3-3.6" are ranges)."""
        asked = parse_version(version)[:2]
        for part in self.python.split(","):
            low, _, high = part.partition("-")
            if parse_version(low) <= asked <= parse_version(high or low):
                return True
        return False


@functools.cache
def builds() -> list[Build]:
    """Every tested build, newest first."""
    return [Build(**row) for row in table("tensorflow_builds")]


def build_of(tensorflow: str) -> Build | None:
    """The tested build of a release's major and minor version; None if not listed."""
    asked = parse_version(tensorflow)[:2]
    rows = [b for b in builds() if parse_version(b.tensorflow)[:2] == asked]
    return rows[0] if rows else None


def cudnn_fits(found: str, built_with: str) -> bool:
    """TensorFlow's own rule: the same major version and at least the same minor."""
    here, there = parse_version(found), parse_version(built_with)
    return here[:1] == there[:1] and (here[1:2] or (0,)) >= (there[1:2] or (0,))


class DriverNeed(NamedTuple):
    """The driver a CUDA release ships with, and the oldest one that still runs it."""

    cuda: str
    shipped: str
    floor: str


def driver_need(cuda: str) -> DriverNeed | None:
    """What driver CUDA major.minor[.patch] needs; None for an unlisted release."""
    asked = parse_version(cuda)
    rows = [(parse_version(r["cuda"]), r) for r in table("cuda_drivers")]
    exact = [r for v, r in rows if v == asked]
    same = exact or [r for v, r in rows if v[:2] == asked[:2] and r["cuda"] != "8.0.27"]
    if not same:  # such as 12.7, which never was: the whole series has one floor
        same = [r for v, r in rows if v[:1] == asked[:1] and v <= asked]
    if not same:
        return None
    row = exact[0] if exact else same[-1] if len(asked) > 2 else same[0]
    return DriverNeed(row["cuda"], row["driver"], row["floor"])


def driver_fits(driver: str, cuda: str) -> str:
    """Judges a driver: "ok", "limited" (minor-version compatibility), "old", "unknown".

    Between the floor of a major series and the driver that the release ships with,
    programs run with a limited feature set (CUDA compatibility guide).
    """
    need, have = driver_need(cuda), parse_version(driver)
    if need is None or not have:
        return "unknown"
    if have < parse_version(need.floor):
        return "old"
    return "ok" if have >= parse_version(need.shipped) else "limited"


def capability_of(name: str) -> str:
    """The capability of a card by its name; "" for one that the table does not name.

    For drivers before 510, whose nvidia-smi does not tell it.
    """
    rows = table("card_names")
    return next((r["capability"] for r in rows if re.search(r["names"], name)), "")


def cuda_range(capability: str) -> tuple[str, str] | None:
    """The first and the last CUDA for a card; "" before 7.0, or not dropped yet."""
    for row in table("capabilities"):
        if row["capability"] == capability:
            return row["first_cuda"], row["last_cuda"]
    return None


def cuda_knows(capability: str, cuda: str) -> str:
    """Judges CUDA against a card: "ok", "too old", "too new" or "unknown"."""
    known, asked = cuda_range(capability), parse_version(cuda)[:2]
    if known is None or not asked:
        return "unknown"
    first, last = known
    if first and asked < parse_version(first):
        return "too old"
    return "too new" if last and asked > parse_version(last) else "ok"


def wheel_architectures(tensorflow: str) -> list[str]:
    """The architectures of a release's own wheel by the table; [] if not known."""
    asked = parse_version(tensorflow)[:2]
    for row in table("wheel_architectures"):
        if asked >= parse_version(row["tensorflow"])[:2]:
            return row["architectures"].split()
    return []


def runs_on(capability: str, architectures: Sequence[str]) -> str:
    """How a build's code reaches a card (CUDA programming guide, binary compatibility).

    Machine code sm_XY runs on the same major version with an equal or higher minor;
    compute_XY adds PTX, which the driver compiles for any newer card, and in
    TensorFlow's lists stands for the machine code too.

    Args:
        capability: Of the card, such as "8.6".
        architectures: Of the build, such as ["sm_80", "compute_90"].

    Returns:
        "native", "ptx", "none", or "unknown" where either is not known.
    """
    card = parse_version(capability)[:2]
    found = [re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", a) for a in architectures]
    codes = [(m[1], (int(m[2]), int(m[3]))) for m in found if m]
    if len(card) < 2 or not codes:
        return "unknown"
    if any(v[0] == card[0] and v <= card for _, v in codes):
        return "native"
    if any(kind == "compute" and v <= card for kind, v in codes):
        return "ptx"
    return "none"


def newest_fit(
    python: str, capabilities: Sequence[str] = (), driver: str = ""
) -> Build | None:
    """The newest TensorFlow for a Python, for every card, and for a driver.

    Args:
        python: The version of Python; "" leaves it open, as for the others.
        capabilities: Of the cards; a release whose architectures are not known is left
            out where there are any.
        driver: The version that is loaded.
    """
    for build in builds():
        codes = wheel_architectures(build.tensorflow)
        if python and not build.takes_python(python):
            continue
        if any(runs_on(c, codes) not in ("native", "ptx") for c in capabilities):
            continue
        if not driver or driver_fits(driver, build.cuda) != "old":
            return build
    return None


def library_numbers(cuda: str) -> dict[str, str]:
    """The number behind `.so.` in the name of each library of a CUDA release.

    A program asks for its libraries by these names. Until 10.0 they hold the whole
    version, so that 9.1 is of no use to a build by 9.0; CUDA 10.1 kept the minor
    version for libcudart alone, and CUDA 11 dropped it.

    Args:
        cuda: A version, such as "11.2"; "11" stands for the newest one of its series.

    Returns:
        The numbers by the libraries' names, such as {"libcublas": "11"}; empty for a
        text that is no version.
    """
    version = parse_version(cuda)[:2]
    whole = ".".join(map(str, version))
    for row in table("library_numbers"):  # the newest first
        # A bare major version stands for the newest of its series.
        if version and (*version, 99)[:2] >= parse_version(row["first_cuda"]):
            numbers = {k: v for k, v in row.items() if k.startswith("lib")}
            return {name: number or whole for name, number in numbers.items()}
    return {}


def cuda_fits(found: str, built_with: str) -> bool:
    """Whether the libraries of a CUDA release have the names that a build asks for."""
    return bool(found) and library_numbers(found) == library_numbers(built_with)

"""What a run leaves behind: tables, pictures, result.json, and a way to go on."""

import csv
import dataclasses
import importlib.metadata
import io
import json
import math
import os
import platform
import zipfile
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np

from genetic.config import Config
from genetic.evolution import Record, State
from genetic.problem import Problem

COLUMNS = ("generation", "evaluations", "best", "mean", "worst", "feasible_share")


def write_whole(path: str, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all: beside its name first, then moved onto it."""
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def row(record: Record) -> dict[str, float]:
    """A record's numbers by name."""
    return {name: getattr(record, name) for name in COLUMNS}


def write_log(path: str, rows: Sequence[dict[str, float]]) -> None:
    """A line of CSV a generation."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, lambda file: file.write(text.getvalue().encode()))


def report(problem: Problem, solution: np.ndarray) -> str:
    """A solution as text: what is taken, its objective, and the slack of each resource.

    Args:
        problem: what it solves.
        solution: a feasible x, int64 [n].
    """
    taken = [
        name if amount == 1 and top == 1 else f"{amount} x {name}"
        for name, amount, top in zip(
            problem.names, solution, problem.upper, strict=True
        )
        if amount
    ]
    lines = [f"Take {len(taken)} of {len(solution)}:"]
    lines += [
        "  " + ", ".join(taken[start : start + 5]) for start in range(0, len(taken), 5)
    ]
    lines.append(f"Objective: {float(problem.values(solution)):g}")
    width = max(map(len, problem.resources))
    for resource, entry in slacks(problem, solution).items():
        lines.append(
            f"  {resource:{width}s}  used {entry['used']:10g}  "
            f"allowed {entry['allowed']:>18s}  slack {entry['slack']:10g}"
        )
    return "\n".join(lines)


def slacks(problem: Problem, solution: np.ndarray) -> dict[str, dict[str, Any]]:
    """Use, allowance and slack of each resource by a solution [n]."""
    found = {}
    for name, used, low, high in zip(
        problem.resources,
        problem.weights @ solution,
        problem.low,
        problem.high,
        strict=True,
    ):
        if math.isinf(low):
            allowed = f"<= {high:g}"
        else:
            allowed = f">= {low:g}" if math.isinf(high) else f"= {(low + high) / 2:g}"
        found[name] = {
            "used": round(float(used), 9),
            "allowed": allowed,
            "slack": round(float(min(high - used, used - low)), 9),
        }
    return found


def plot_convergence(
    path: str, histories: Sequence[Sequence[dict[str, float]]], optimum: float | None
) -> None:
    """Best, mean and worst objective and the feasible share over the generations.

    Args:
        path: of the PNG.
        histories: the rows of each run; of several, only the best are drawn.
        optimum: drawn as a line where known.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for number, rows in enumerate(histories):
        x = [entry["generation"] for entry in rows]
        if len(histories) == 1:
            worst, mean = (
                [entry[name] for entry in rows] for name in ("worst", "mean")
            )
            top.plot(x, worst, color="#c0504d", linewidth=0.8, label="worst feasible")
            top.plot(x, mean, color="#e0a030", linewidth=1.0, label="mean feasible")
        label = "best so far" if number == 0 else None
        best = [entry["best"] for entry in rows]
        top.plot(x, best, color="#1f4e79", linewidth=1.8, label=label)
        share = [entry["feasible_share"] for entry in rows]
        bottom.plot(x, share, color="#548235", linewidth=1.0)
    if optimum is not None:
        top.axhline(
            optimum, color="black", linestyle="--", label=f"optimum {optimum:g}"
        )
    top.set(ylabel="objective")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    bottom.set(xlabel="generation", ylabel="feasible share", ylim=(-0.05, 1.05))
    bottom.set_xscale("symlog", linthresh=10)
    bottom.set_xlim(left=0)
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))


def plot_population(
    path: str, shares: np.ndarray, generations: Sequence[int], names: Sequence[str]
) -> None:
    """How much of the population takes each item, over the generations.

    Args:
        path: of the PNG.
        shares: in [0, 1], [generations, n].
        generations: the number of each row.
        names: of the n items.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, min(9, 2 + 0.16 * len(names))), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(
        shares.T, aspect="auto", cmap="magma", vmin=0, vmax=1, interpolation="nearest"
    )
    ticks = np.unique(np.linspace(0, len(generations) - 1, 8).astype(int))
    axes.set_xticks(ticks, [generations[tick] for tick in ticks])
    if len(names) <= 60:
        axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlabel="generation", ylabel="item", title="Share of the population")
    figure.colorbar(image)
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))


def save_checkpoint(
    path: str, state: State, rows: Sequence[dict[str, float]], fingerprint: str
) -> None:
    """Write all that `load_checkpoint` gives back."""
    table = np.array([list(entry.values()) for entry in rows])
    arrays = state.arrays() | {"rows": table, "fingerprint": fingerprint}
    write_whole(path, lambda file: np.savez(file, **arrays))


def load_checkpoint(
    path: str, fingerprint: str
) -> tuple[State, list[dict[str, float]]]:
    """The state and the rows so far.

    Raises:
        OSError: no such file, or a damaged one.
        ValueError: it is of another problem or other settings.
    """
    try:
        with np.load(path) as file:
            arrays = dict(file)
        found, table = str(arrays["fingerprint"]), arrays["rows"]
        state = State.from_arrays(arrays)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"--resume: {path}: no such file: run without --resume first"
        ) from None
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
        raise OSError(f"--resume: {path}: damaged: {error}") from error
    if found != fingerprint:
        raise ValueError(
            f"--resume: {path} is of another problem or other settings: repeat its "
            "flags, or run without --resume to start anew"
        )
    rows = [dict(zip(COLUMNS, entry.tolist(), strict=True)) for entry in table]
    for entry in rows:
        entry |= {name: int(entry[name]) for name in ("generation", "evaluations")}
    return state, rows


def write_result(path: str, config: Config, metrics: dict[str, Any]) -> None:
    """Settings, versions and figures of one run as JSON."""
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scipy")}
    versions["python"] = platform.python_version()
    result = metrics | {"config": dataclasses.asdict(config), "versions": versions}
    text = json.dumps(result, indent=2) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))

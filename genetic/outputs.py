"""What a run tells and leaves behind: a report, tables and pictures."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from genetic.problem import LinearProblem
from genetic.state import Record
from runkit import files, tables

COLUMNS = ("generation", "evaluations", "best", "mean", "worst", "feasible_share")
MOST_LISTED = 200  # items of a report
LOGARITHMIC = 50  # generations from which pictures have a logarithmic axis
PLAN_COLOR = "#2e9e5b"

Row = dict[str, float]


def row(record: Record) -> Row:
    """Returns a record's numbers by name."""
    return {name: getattr(record, name) for name in COLUMNS}


def number(value: Fraction | float) -> str:
    """Writes a number: in full where it is whole."""
    if value == int(value):
        return str(int(value))
    return f"{float(value):.12g}"


def report(problem: LinearProblem, solution: np.ndarray) -> str:
    """Tells what a feasible solution [n] takes, its objective, and what is left."""
    taken = [
        name if count == 1 and most == 1 else f"{count} x {name}"
        for name, count, most in zip(
            problem.names, solution, problem.upper, strict=True
        )
        if count
    ]
    listed = taken[:MOST_LISTED]
    lines = [f"Take {len(taken)} of {len(solution)}:"]
    lines += ["  " + ", ".join(listed[at : at + 5]) for at in range(0, len(listed), 5)]
    if len(taken) > len(listed):
        lines.append(f"  ... and {len(taken) - len(listed)} more: see solution.csv")
    lines.append(f"Objective: {number(problem.value(solution))}")
    head = ["resource", "used", "allowed", "slack"]
    body = [
        [name, number(entry["used"]), entry["allowed"], number(entry["slack"])]
        for name, entry in slacks(problem, solution).items()
    ]
    return "\n".join([*lines, tables.text(head, body)])


def slacks(problem: LinearProblem, solution: np.ndarray) -> dict[str, dict[str, Any]]:
    """Returns use, allowance and slack of each resource by a solution [n]."""
    found = {}
    for name, row, used, low, high in zip(
        problem.resources,
        problem.rows,
        problem.uses(solution),
        problem.low,
        problem.high,
        strict=True,
    ):
        if math.isinf(low):
            allowed = f"<= {number(high)}"
        elif math.isinf(high):
            allowed = f">= {number(low)}"
        elif low == high:
            allowed = f"= {number(low)}"
        else:
            allowed = f"{number(low)} to {number(high)}"
        sides = [_exact(high) - _exact(used)] if not math.isinf(high) else []
        sides += [_exact(used) - _exact(low)] if not math.isinf(low) else []
        slack = min(sides, default=Fraction(0))
        if not row.whole and abs(slack) <= 1e-9 * row.size:
            slack = Fraction(0)  # The sum is as good as at its limit.
        found[name] = {"used": _plain(used), "allowed": allowed, "slack": _plain(slack)}
    return found


def _exact(value) -> Fraction:
    return Fraction(repr(float(value)) if isinstance(value, float) else value)


def _plain(value: Fraction | float) -> int | float:
    """A number as JSON has it: an integer where it is whole."""
    return int(value) if value == int(value) else float(value)


def by_name(problem: LinearProblem, solution: np.ndarray) -> dict[str, int]:
    """Returns the amount of each variable that is not 0."""
    pairs = zip(problem.names, solution.tolist(), strict=True)
    return {name: count for name, count in pairs if count}


def write_solution(path: str, problem: LinearProblem, solution: np.ndarray) -> None:
    """Writes a line of CSV a variable: its name, amount, objective and use."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    uses = [f"use of {name}" for name in problem.resources]
    writer.writerow(["name", "count", "objective", *uses])
    amounts = solution.tolist()
    for place, (name, count) in enumerate(zip(problem.names, amounts, strict=True)):
        terms = [problem.objective[place], *problem.weights[:, place]]
        cells = [number(_exact(term) * count) for term in terms]
        writer.writerow([name, count, *cells])
    files.write_text(path, text.getvalue())


def plot_convergence(
    path: str, histories: Sequence[Sequence[Mapping[str, float]]], optimum: float | None
) -> None:
    """Draws best, mean and worst objective and the feasible share over generations.

    Args:
        path: The PNG to write.
        histories: The rows of each run; of several, only the best are drawn.
        optimum: The best known objective, drawn as a line.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for index, rows in enumerate(histories):
        x = [entry["generation"] for entry in rows]
        if len(histories) == 1:
            for name, color in (("worst", "#c0504d"), ("mean", "#e0a030")):
                y = [entry[name] for entry in rows]
                top.plot(x, y, color=color, linewidth=0.9, label=f"{name} feasible")
        label = "best so far" if index == 0 else None
        best = [entry["best"] for entry in rows]
        top.plot(x, best, color="#1f4e79", linewidth=1.8, label=label)
        share = [entry["feasible_share"] for entry in rows]
        bottom.plot(x, share, color="#548235", linewidth=1.0)
    if optimum is not None:
        label = f"best known {number(optimum)}"
        top.axhline(optimum, color="black", linestyle="--", linewidth=1, label=label)
    top.set(ylabel="objective")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    bottom.set(xlabel="generation", ylabel="feasible share", ylim=(-0.05, 1.05))
    last = max(rows[-1]["generation"] for rows in histories)
    _generations(bottom, last)
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
    files.save_figure(path, figure, dpi=120)


def _generations(axes, last: float) -> None:
    """An axis of generations, logarithmic where that shows more."""
    if last >= LOGARITHMIC:
        from matplotlib.ticker import FuncFormatter

        axes.set_xscale("symlog", linthresh=10)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.set_xlim(0, max(last, 1))


def plot_population(
    path: str,
    shares: np.ndarray,
    generations: Sequence[int],
    names: Sequence[str],
    plan: np.ndarray | None = None,
) -> None:
    """Draws how much of the population takes each item, over the generations.

    Args:
        path: The PNG to write.
        shares: The shares, in [0, 1], [generations, n].
        generations: The number of each row, rising.
        names: The names of the n items.
        plan: The exact solution, [n]; what it takes is marked on the right.
    """
    from matplotlib.figure import Figure

    count = len(names)
    figure = Figure(figsize=(8, min(9, 2.2 + 0.16 * count)), layout="constrained")
    axes = figure.subplots()
    edges = [*generations, generations[-1] + 1]
    image = axes.pcolormesh(
        edges, np.arange(count + 1) - 0.5, shares.T, cmap="magma", vmin=0, vmax=1
    )
    _generations(axes, edges[-1])
    axes.invert_yaxis()
    if count <= 60:
        axes.set_yticks(range(count), names, fontsize=7)
    title = "Share of the population"
    if plan is not None:
        taken = np.flatnonzero(plan)
        right = np.full(len(taken), 1.012)
        axes.plot(
            right,
            taken,
            linestyle="",
            marker="<",
            markersize=4 if count <= 60 else 1.5,
            color=PLAN_COLOR,
            clip_on=False,
            transform=axes.get_yaxis_transform(),
        )
        title += "; green: what the exact plan takes"
    axes.set(xlabel="generation", ylabel="item", title=title)
    figure.colorbar(image, pad=0.03)
    files.save_figure(path, figure, dpi=120)

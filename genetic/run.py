"""One run of the command: evolve, compare with the exact answer, tell, and save."""

import contextlib
import dataclasses
import hashlib
import math
import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from genetic import evolution, exact, islands, outputs, reading
from genetic.config import Config
from genetic.options import Options
from genetic.problem import LinearProblem
from genetic.state import Record, State
from runkit import checkpoint, files
from runkit.exits import DONE, INTERRUPTED
from runkit.progress import Bar
from runkit.stop import Request, asked

FLIGHTS = os.path.join(os.path.dirname(__file__), "data", "flights.csv")
FORMAT = checkpoint.Format("genetic", 2)
SAVE_SECONDS = 5.0
SPACING = 1.03  # of the generations that the picture of the population shows
MOST_PICTURED = 2000  # items
LIMITS = ("generations", "seconds", "stall", "target")  # a resumed run may change them


def run(options: Options, config: Config, capacities: Sequence[str] = ()) -> int:
    """Runs the command.

    Args:
        options: What to read, where to run and what to leave.
        config: The algorithm.
        capacities: Right-hand sides that replace the table's, "RESOURCE=NUMBER".

    Returns:
        The exit code.
    """
    problem = load(options, capacities)
    evolution.make_scheme(problem, config)  # It refuses what it cannot treat.
    migrants = options.migrants
    if migrants and (config.scheme == "post" or migrants >= config.population):
        raise ValueError(
            f"--migrants={migrants}: needs --scheme=modern, and to be below "
            f"--population={config.population}"
        )
    files.make_folder(options.out_dir)
    with files.locked(options.out_dir), asked() as request:
        follow = Follower(problem, config, options.out_dir)
        state = follow.load() if options.resume else None
        began = time.monotonic()
        if options.runs > 1 or options.scheduler:
            logs, states = _run_many(problem, config, options, follow, request)
        else:
            logs, states = _run_one(problem, config, follow, request, state)
        seconds = time.monotonic() - began
        stopped = request.now
        answer = None
        if options.exact and not stopped:
            answer = exact.solve(problem, options.exact_seconds)
        outcome = Outcome(problem, max(states, key=lambda state: state.best), answer)
        print(outcome.text())
        best = states.index(max(states, key=lambda state: state.best))
        metrics = outcome.metrics() | {
            "generations": logs[best][-1]["generation"],
            "evaluations": sum(log[-1]["evaluations"] for log in logs),
            "seconds": round(seconds, 3),
            "runs": [_or_none(log[-1]["best"]) for log in logs],
            "problem": options.problem or "embedded flights",
        }
        _write(options.out_dir, config, outcome, follow, logs, metrics)
    return INTERRUPTED if stopped else DONE


def load(options: Options, capacities: Sequence[str]) -> LinearProblem:
    """Reads the problem that the options name."""
    sides = {}
    for text in capacities:
        name, equals, side = text.partition("=")
        if not equals:
            raise ValueError(f"--capacity={text}: write RESOURCE=NUMBER")
        sides[name] = side
    return reading.read(
        options.problem or FLIGHTS,
        options.number,
        sides,
        not options.minimize,
        options.tolerance,
    )


class Follower:
    """Keeps the log of one run and what its pictures need, and saves checkpoints."""

    def __init__(self, problem: LinearProblem, config: Config, folder: str):
        self.rows: list[outputs.Row] = []
        self.seen: list[int] = []
        self.shares: list[np.ndarray] = []
        self._problem, self._config, self._folder = problem, config, folder
        self._scheme = evolution.make_scheme(problem, config)
        self._saved = time.monotonic()

    def see(self, record: Record) -> None:
        """Notes a generation, and saves a checkpoint now and then."""
        if not self.rows or record.generation > self.rows[-1]["generation"]:
            self.rows.append(outputs.row(record))
        assert record.state is not None
        if not self.seen or record.generation >= SPACING * self.seen[-1] + 1e-9:
            self.note_share(record.state)
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save(record.state)

    def note_share(self, state: State) -> None:
        """Notes how much of the population takes each item."""
        problem = self._problem
        if problem.count > MOST_PICTURED:
            return
        if self.seen and state.generation <= self.seen[-1]:
            return
        span = (problem.upper - problem.lower).clip(1)
        members = self._scheme.members(state) - problem.lower
        self.shares.append((members / span).mean(axis=0))
        self.seen.append(state.generation)

    def save(self, state: State) -> None:
        """Writes the checkpoint."""
        header = {
            "config": dataclasses.asdict(self._config),
            "problem": _fingerprint(self._problem),
        }
        arrays = {
            **state.arrays(),
            "rows": np.array([list(row.values()) for row in self.rows]),
            "seen": np.array(self.seen, np.int64),
            "shares": np.array(self.shares).reshape(len(self.seen), -1),
        }
        checkpoint.save(self._folder, FORMAT, header, arrays)
        self._saved = time.monotonic()

    def load(self) -> State:
        """Reads the checkpoint, with the log so far.

        Raises:
            OSError: There is none, or it is damaged.
            ValueError: It is of another problem, of other settings or of another
                format.
        """
        path, header, arrays, _ = checkpoint.load(self._folder, FORMAT)
        if header is None:
            raise FileNotFoundError(
                f"--resume: no checkpoint in {self._folder}: run without --resume first"
            )
        checkpoint.compare(path, header["config"], self._config, free=LIMITS)
        if header["problem"] != _fingerprint(self._problem):
            raise ValueError(
                f"--resume: {path} is of another problem: repeat its flags, or run "
                "without --resume to start anew"
            )
        self.rows = [
            dict(zip(outputs.COLUMNS, entry, strict=True))
            for entry in arrays["rows"].tolist()
        ]
        for entry in self.rows:
            entry |= {name: int(entry[name]) for name in outputs.COLUMNS[:2]}
        self.seen = arrays["seen"].tolist()
        self.shares = list(arrays["shares"])
        return State.from_arrays(arrays)


def _fingerprint(problem: LinearProblem) -> str:
    """A text that differs for another problem."""
    digest = hashlib.sha256()
    for field in dataclasses.fields(problem):
        if field.init and field.name != "optimum":
            value = getattr(problem, field.name)
            plain = value.tolist() if isinstance(value, np.ndarray) else value
            digest.update(repr(plain).encode())
    return digest.hexdigest()


def _bar(config: Config, runs: int = 1, initial: int = 0) -> Bar:
    """A bar of generations, or of seconds where nothing else ends the run."""
    most = config.most_generations
    if most:
        return Bar(runs * most, "generation", initial)
    return Bar(max(1, math.ceil(config.seconds)), "second")


def _done(config: Config, record: Record, generations: int) -> int:
    if config.most_generations:
        return generations
    return min(int(record.seconds), math.ceil(config.seconds))


def _run_one(
    problem: LinearProblem,
    config: Config,
    follow: Follower,
    request: Request,
    state: State | None,
) -> tuple[list[list[outputs.Row]], list[State]]:
    """Evolves one population; returns its log and its last state."""
    with _bar(config, initial=state.generation if state else 0) as bar:
        for record in evolution.evolve(problem, config, [follow.see], state):
            note = f"best {record.best:g}"
            bar.update(_done(config, record, record.generation), note)
            if request.now:
                break
    assert record.state is not None
    follow.note_share(record.state)
    follow.save(record.state)
    return [follow.rows], [record.state]


def _run_many(
    problem: LinearProblem,
    config: Config,
    options: Options,
    follow: Follower,
    request: Request,
) -> tuple[list[list[outputs.Row]], list[State]]:
    """Evolves several populations; returns the log and the last state of each."""
    followers = [
        Follower(problem, config, options.out_dir) for _ in range(options.runs)
    ]
    with contextlib.ExitStack() as stack:
        maker = islands.make_executor(options.workers, options.scheduler)
        executor = stack.enter_context(maker)
        bar = stack.enter_context(_bar(config, options.runs))

        def show(histories: list[list[Record]]) -> bool:
            last = [history[-1] for history in histories]
            for each, record in zip(followers, last, strict=True):
                assert record.state is not None
                each.note_share(record.state)
            done = sum(record.generation for record in last)
            note = "best " + " ".join(f"{record.best:g}" for record in last)
            bar.update(_done(config, last[0], done), note)
            return request.now

        histories = islands.run(
            problem, config, options.runs, options.migrants, executor, show
        )
    states = [s for history in histories if (s := history[-1].state) is not None]
    best = max(range(len(states)), key=lambda index: states[index].best)
    follow.seen, follow.shares = followers[best].seen, followers[best].shares
    return [[outputs.row(record) for record in h] for h in histories], states


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


class Outcome:
    """What the genetic algorithm found, beside what HiGHS did and the file states."""

    def __init__(
        self, problem: LinearProblem, state: State, answer: exact.Exact | None
    ):
        self.problem, self.answer = problem, answer
        self.solution = state.best_solution if math.isfinite(state.best) else None
        self.objective = None if self.solution is None else problem.value(self.solution)
        if (
            answer
            and self.objective is not None
            and self._better(self.objective, answer.objective)
        ):  # A solution that exists refutes a proof.
            self.answer = dataclasses.replace(answer, proven=False, feasible=True)
        proven = self.answer is not None and self.answer.proven
        self.optimum = answer.objective if answer and proven else problem.optimum
        self.origin = "proven by HiGHS" if proven else "stated in the file"

    def _better(self, one: float, other: float | None) -> bool:
        return other is None or self.problem.sign * (one - other) > 0

    @property
    def plan(self) -> np.ndarray | None:
        """The best solution of all, [n]."""
        answer = self.answer
        if answer is None or answer.objective is None:
            return self.solution
        if self.objective is None or self._better(answer.objective, self.objective):
            return answer.solution
        return self.solution

    @property
    def gap(self) -> float | None:
        """How far the best is behind the optimum, of it; negative where it is ahead."""
        if self.optimum is None or self.objective is None:
            return None
        short = self.problem.sign * (self.optimum - self.objective)
        return short / (abs(self.optimum) or abs(self.objective) or 1.0)

    def text(self) -> str:
        """Tells everything."""
        lines, answer = [], self.answer
        if self.solution is not None:
            lines.append(outputs.report(self.problem, self.solution))
        elif answer is None or (answer.feasible is None):
            hint = "" if answer else "; --exact can decide if there is one"
            lines.append(f"No feasible solution was found{hint}.")
        elif answer.feasible:
            lines.append("The genetic algorithm found no feasible solution.")
        else:
            lines.append("There is no feasible solution: HiGHS proves it.")
        if self.plan is not None and self.plan is not self.solution:
            lines += ["", "HiGHS's plan:", outputs.report(self.problem, self.plan)]
        if self.optimum is not None:
            line = f"Optimum: {outputs.number(self.optimum)} ({self.origin})"
            if self.gap is not None:
                line += f", gap {self.gap:.4%}"
                if self.gap < 0:
                    line += ": the solution found is better than that"
            lines.append(line)
        if answer and not answer.proven and answer.feasible is not False:
            objective = answer.objective
            best = "nothing" if objective is None else outputs.number(objective)
            bound = "" if answer.bound is None else f", bound {answer.bound:.12g}"
            lines.append(f"HiGHS: best {best}{bound}; not proven in --exact_seconds")
        return "\n".join(lines)

    def metrics(self) -> dict[str, Any]:
        """Returns everything for result.json."""
        problem, solution, answer = self.problem, self.solution, self.answer
        found: dict[str, Any] = {
            "best_objective": self.objective,
            "best_solution": None,
            "feasible": solution is not None,
            "optimum": self.optimum,
            "optimum_origin": None if self.optimum is None else self.origin,
            "gap": self.gap,
        }
        if solution is not None:
            found |= {
                "best_solution": solution.tolist(),
                "best_by_name": outputs.by_name(problem, solution),
                "slack": outputs.slacks(problem, solution),
            }
        if answer:
            names = ("objective", "bound", "proven", "feasible")
            found["exact"] = {name: getattr(answer, name) for name in names}
            if answer.solution is not None:
                found["exact"] |= {
                    "solution": answer.solution.tolist(),
                    "by_name": outputs.by_name(problem, answer.solution),
                    "slack": outputs.slacks(problem, answer.solution),
                }
        return found


def _write(
    folder: str,
    config: Config,
    outcome: Outcome,
    follow: Follower,
    logs: Sequence[Sequence[outputs.Row]],
    metrics: dict[str, Any],
) -> None:
    """Writes the tables, the pictures and result.json."""
    for index, log in enumerate(logs):
        suffix = f"_{index}" if len(logs) > 1 else ""
        files.write_csv(os.path.join(folder, f"log{suffix}.csv"), log)
    problem, plan = outcome.problem, outcome.plan
    if plan is not None:
        path = os.path.join(folder, "solution.csv")
        outputs.write_solution(path, problem, plan)
    path = os.path.join(folder, "convergence.png")
    outputs.plot_convergence(path, logs, outcome.optimum)
    if follow.seen:
        path = os.path.join(folder, "population.png")
        exact_plan = outcome.answer.solution if outcome.answer else None
        outputs.plot_population(
            path, np.array(follow.shares), follow.seen, problem.names, exact_plan
        )
    files.write_result(folder, config, metrics, ("numpy", "scipy"))

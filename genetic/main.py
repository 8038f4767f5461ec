"""Choose what to take for the most profit within the resources, by a genetic algorithm.

python -m genetic.main                          # the post's airline, embedded
python -m genetic.main --problem=mine.csv --exact
"""

import contextlib
import dataclasses
import hashlib
import os
import signal
import sys
import time

from absl import app, flags, logging

from genetic.config import CROSSOVERS, REPAIRS, SCHEMES, SELECTIONS, Config

DEFAULT = Config()
FLIGHTS = os.path.join(os.path.dirname(__file__), "data", "flights.csv")
CHECKPOINT = "checkpoint.npz"
CHECKPOINT_EVERY = 5.0  # seconds
MOST_COLUMNS = 400  # of the picture of the population

flags.DEFINE_string(
    "problem", None, "CSV or OR-Library file. Default: 36 embedded flights."
)
flags.DEFINE_integer("number", 1, "Which problem of an OR-Library file, from 1.")
flags.DEFINE_multi_string(
    "capacity", [], "RESOURCE=NUMBER, or RESOURCE=>=NUMBER, over the CSV's; repeatable."
)
flags.DEFINE_bool("minimize", False, "Less of the objective is better.")
flags.DEFINE_float("tolerance", 1e-6, "By how much an equality may be missed.")
flags.DEFINE_bool("exact", False, "Solve with HiGHS too, and print the gap.")
flags.DEFINE_float("exact_seconds", 60.0, "Time limit of --exact.")
flags.DEFINE_string("out_dir", "out/genetic", "Folder of everything written.")
flags.DEFINE_bool("resume", False, "Go on from <out_dir>/checkpoint.npz.")
flags.DEFINE_integer("runs", 1, "Populations, each with a seed of its own.")
flags.DEFINE_integer("workers", os.cpu_count() or 1, "Processes for --runs.")
flags.DEFINE_integer(
    "migrants", 0, "With --runs: solutions that islands exchange; 0: none."
)
flags.DEFINE_string(
    "scheduler",
    None,
    "Address of a Dask scheduler for --runs, such as tcp://host:8786.",
)
flags.DEFINE_enum("scheme", DEFAULT.scheme, SCHEMES, "post: as the post tells it.")
flags.DEFINE_integer("population", DEFAULT.population, "Solutions a generation.")
flags.DEFINE_float(
    "initial_probability", DEFAULT.initial_probability, "Of a 1 at the start."
)
flags.DEFINE_float(
    "mutation", DEFAULT.mutation, "Chance that a gene changes; modern adapts it."
)
flags.DEFINE_enum("selection", DEFAULT.selection, SELECTIONS, "Of the parents.")
flags.DEFINE_integer("tournament", DEFAULT.tournament, "Members of a tournament.")
flags.DEFINE_enum("crossover", DEFAULT.crossover, CROSSOVERS, "Of two parents.")
flags.DEFINE_float("crossover_rate", DEFAULT.crossover_rate, "Children of two parents.")
flags.DEFINE_enum(
    "repair", DEFAULT.repair, REPAIRS, "Make children feasible: auto where possible."
)
flags.DEFINE_float(
    "elites", DEFAULT.elites, "Share of the parents that compete with their children."
)
flags.DEFINE_integer("generations", DEFAULT.generations, "Stop after so many.")
flags.DEFINE_float("seconds", DEFAULT.seconds, "Stop after so long; 0: never.")
flags.DEFINE_integer(
    "stall", DEFAULT.stall, "Stop after so many generations without gain; 0: never."
)
flags.DEFINE_float("target", DEFAULT.target, "Stop at this objective.")
flags.DEFINE_integer("seed", DEFAULT.seed, "Settles every random choice.")
FLAGS = flags.FLAGS


def load_problem():
    """The problem that the flags name."""
    from genetic import orlib, problem

    path = FLAGS.problem or FLIGHTS
    if orlib.looks_like(path):
        problems = orlib.read(path)
        if not 1 <= FLAGS.number <= len(problems):
            raise ValueError(f"--number={FLAGS.number}: {path} has {len(problems)}")
        found = problems[FLAGS.number - 1]
        if FLAGS.minimize:  # the file's optimum is of the maximum
            return dataclasses.replace(found, maximize=False, optimum=None)
        return found
    capacities = {}
    for text in FLAGS.capacity:
        name, equals, side = text.partition("=")
        if not equals:
            raise ValueError(f"--capacity={text}: write RESOURCE=NUMBER")
        capacities[name] = side
    return problem.read(path, capacities, not FLAGS.minimize, FLAGS.tolerance)


def prepare():
    """Everything that can be a mistake of the user happens here, before any work."""
    config = Config(**{name: FLAGS[name].value for name in Config.__dataclass_fields__})
    for name, least in (("runs", 1), ("workers", 1), ("migrants", 0)):
        if FLAGS[name].value < least:
            raise ValueError(f"--{name}={FLAGS[name].value}: at least {least}")
    if FLAGS.migrants and (
        config.scheme == "post" or FLAGS.migrants >= config.population
    ):
        raise ValueError(
            f"--migrants={FLAGS.migrants}: needs --scheme=modern, and to be below "
            f"--population={config.population}"
        )
    if FLAGS.resume and FLAGS.runs > 1:
        raise ValueError("--resume: goes with one run, not with --runs")
    problem = load_problem()
    from genetic import evolution

    evolution.make_scheme(problem, config)
    os.makedirs(FLAGS.out_dir, exist_ok=True)
    if not os.access(FLAGS.out_dir, os.W_OK):
        raise PermissionError(f"--out_dir={FLAGS.out_dir}: no permission to write")
    state, rows = None, []
    if FLAGS.resume:
        from genetic import outputs

        path = os.path.join(FLAGS.out_dir, CHECKPOINT)
        state, rows = outputs.load_checkpoint(path, fingerprint(config, problem))
    return config, problem, state, rows


def fingerprint(config, problem) -> str:
    """Changes with anything that the course of a run depends on."""
    course = dataclasses.replace(
        config, generations=1, seconds=0.0, stall=0, target=None
    )
    parts = [course, *dataclasses.astuple(problem)[:-1]]
    text = b"".join(
        part.tobytes() if hasattr(part, "tobytes") else repr(part).encode()
        for part in parts
    )
    return hashlib.sha256(text).hexdigest()


class Follower:
    """Keeps the log of one run, shows it, and saves checkpoints."""

    def __init__(self, config, problem, state, rows):
        from tqdm import tqdm

        self.rows = rows
        self.state = state
        self.shares, self.seen = [], []
        self._config = config
        self._path = os.path.join(FLAGS.out_dir, CHECKPOINT)
        self._fingerprint = fingerprint(config, problem)
        self._scheme = None
        self._problem = problem
        self._saved = time.monotonic()
        self._every = max(1, config.generations // MOST_COLUMNS)
        self._bar = tqdm(
            total=config.generations,
            initial=len(rows),
            unit="generation",
            disable=None,
        )

    def __call__(self, record):
        from genetic import evolution, outputs

        self._scheme = self._scheme or evolution.make_scheme(
            self._problem, self._config
        )
        if not self.rows or record.generation > self.rows[-1]["generation"]:
            self.rows.append(outputs.row(record))
            self._bar.update()
        self.state = record.state
        if record.generation % self._every == 0:
            members = self._scheme.members(record.state) - self._problem.lower
            span = (self._problem.upper - self._problem.lower).clip(1)
            self.shares.append((members / span).mean(axis=0))
            self.seen.append(record.generation)
        if time.monotonic() - self._saved > CHECKPOINT_EVERY:
            self.save()
            self._bar.set_postfix_str(f"best {record.best:g}")

    def save(self):
        """Write the checkpoint."""
        from genetic import outputs

        outputs.save_checkpoint(self._path, self.state, self.rows, self._fingerprint)
        self._saved = time.monotonic()

    def close(self):
        """Leave the terminal clean and the checkpoint complete."""
        self._bar.close()
        if self.state is not None:
            self.save()


def run_one(config, problem, state, rows):
    """One population; returns its log, its last state and whether it was stopped."""
    import numpy as np

    from genetic import evolution, outputs

    follower = Follower(config, problem, state, rows)
    stopped = False

    def stop(number, frame):
        """Ends the run after this generation, so that the state is whole."""
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, before)  # a second Ctrl-C does not wait

    before = signal.signal(signal.SIGINT, stop)
    for _ in evolution.evolve(problem, config, [follower], state):
        if stopped:
            break
    signal.signal(signal.SIGINT, before)
    follower.close()
    picture = os.path.join(FLAGS.out_dir, "population.png")
    if follower.seen and len(problem.names) <= 2000:
        outputs.plot_population(
            picture, np.array(follower.shares), follower.seen, problem.names
        )
    return [follower.rows], [follower.state], stopped


def run_many(config, problem):
    """Several populations; returns what `run_one` returns, for each."""
    from tqdm import tqdm

    from genetic import islands, outputs

    latest = []
    stopped = False
    with contextlib.ExitStack() as stack:
        with one_line_errors():
            maker = islands.make_executor(FLAGS.workers, FLAGS.scheduler)
            executor = stack.enter_context(maker)
        total = config.generations * FLAGS.runs
        bar = stack.enter_context(tqdm(total=total, unit="generation", disable=None))

        def show(histories):
            latest[:] = [list(history) for history in histories]
            bar.n = sum(len(history) - 1 for history in histories)
            best = [f"{history[-1].best:g}" for history in histories]
            bar.set_postfix_str("best " + " ".join(best))

        try:
            islands.run(problem, config, FLAGS.runs, FLAGS.migrants, executor, show)
        except KeyboardInterrupt:
            stopped = True
            executor.shutdown(wait=False, cancel_futures=True)
    logs = [[outputs.row(record) for record in history] for history in latest]
    return logs, [history[-1].state for history in latest], stopped


def finish(config, problem, logs, states, answer, seconds) -> None:
    """Print and write what was found."""
    import numpy as np

    from genetic import outputs

    best = int(np.argmax([state.best for state in states]))
    state = states[best]
    feasible = bool(np.isfinite(state.best))
    optimum = problem.optimum
    if answer and answer.proven:
        optimum = answer.objective
    bests = [round(log[-1]["best"], 9) for log in logs]
    metrics = {
        "best_objective": bests[best] if feasible else None,
        "best_solution": state.best_solution.tolist() if feasible else None,
        "feasible": feasible,
        "optimum": optimum,
        "gap": None,
        "generations": logs[best][-1]["generation"],
        "evaluations": sum(log[-1]["evaluations"] for log in logs),
        "seconds": round(seconds, 3),
        "runs": [None if np.isnan(value) else value for value in bests],
        "problem": FLAGS.problem or "embedded flights",
    }
    if feasible:
        print(outputs.report(problem, state.best_solution))
        metrics["slack"] = outputs.slacks(problem, state.best_solution)
        if optimum is not None:
            difference = abs(optimum - metrics["best_objective"])
            metrics["gap"] = difference / max(abs(optimum), 1e-9)
            print(f"Optimum: {optimum:g}, gap {metrics['gap']:.4%}")
        elif answer and answer.bound is not None:
            print(f"HiGHS: best {answer.objective}, bound {answer.bound:g}")
    elif answer and answer.feasible is False:
        print("There is no feasible solution: HiGHS proves it.")
    else:
        print("No feasible solution was found; --exact can decide if there is one.")
    if answer:
        metrics["exact"] = {
            name: getattr(answer, name)
            for name in ("objective", "bound", "proven", "feasible")
        }
    for number, log in enumerate(logs):
        suffix = f"_{number}" if len(logs) > 1 else ""
        outputs.write_log(os.path.join(FLAGS.out_dir, f"log{suffix}.csv"), log)
    picture = os.path.join(FLAGS.out_dir, "convergence.png")
    outputs.plot_convergence(picture, logs, optimum)
    outputs.write_result(os.path.join(FLAGS.out_dir, "result.json"), config, metrics)


@contextlib.contextmanager
def one_line_errors():
    """Turns a user's mistake into one line and exit code 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        print(f"genetic: {error}", file=sys.stderr)
        sys.exit(2)


def main(argv: list[str]) -> int:
    """Returns the exit code: 2 for bad input, 130 for Ctrl-C, which saves first."""
    with one_line_errors():
        if argv[1:]:
            raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
        config, problem, state, rows = prepare()
    began = time.monotonic()
    if FLAGS.runs > 1 or FLAGS.scheduler:
        logs, states, stopped = run_many(config, problem)
    else:
        logs, states, stopped = run_one(config, problem, state, rows)
    seconds = time.monotonic() - began
    answer = None
    if FLAGS.exact and not stopped:
        from genetic import exact

        answer = exact.solve(problem, FLAGS.exact_seconds)
    if states and states[0] is not None:
        finish(config, problem, logs, states, answer, seconds)
    return 130 if stopped else 0


def parse(argv: list[str]) -> list[str]:
    """Flags, with one line and exit code 2 for a wrong one."""
    try:
        return FLAGS(argv)
    except flags.Error as error:
        print(f"genetic: {error}: see --helpshort", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    logging.set_verbosity(logging.INFO)
    try:
        app.run(main, flags_parser=parse)
    except KeyboardInterrupt:
        sys.exit(130)

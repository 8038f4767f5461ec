"""Many runs at once: independent ones, or islands that exchange their best.

An island is a `State`; a task takes one a number of generations further and depends on
nothing else. So a task may run in this process, in another, or on another machine, and
be run again where a worker died: the answer is the same.
"""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import signal
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from genetic import evolution
from genetic.config import Config
from genetic.functions import Problem
from genetic.problem import LinearProblem
from genetic.state import Record, State

MIGRATION = 25  # generations between exchanges
REPORT = 200  # generations between reports of independent runs


def advance(
    problem: LinearProblem | Problem,
    config: Config,
    state: State | None,
    generations: int,
) -> list[Record]:
    """Evolves one population at most `generations` further.

    Args:
        problem: What to solve.
        config: How.
        state: Where to go on from; None begins.
        generations: How far.

    Returns:
        A record a generation; only the last has a state.
    """
    until = (state.generation if state else 0) + generations
    most = min(until, config.most_generations or until)
    bounded = dataclasses.replace(config, generations=most)
    records = list(evolution.evolve(problem, bounded, state=state))
    return [
        *(dataclasses.replace(record, state=None) for record in records[:-1]),
        records[-1],
    ]


def configs(config: Config, runs: int) -> list[Config]:
    """Gives each run a seed of its own, all drawn from the seed of `config`."""
    seeds = np.random.SeedSequence(config.seed).generate_state(runs)
    return [dataclasses.replace(config, seed=int(seed)) for seed in seeds]


def run(
    problem: LinearProblem | Problem,
    config: Config,
    runs: int,
    migrants: int,
    executor: concurrent.futures.Executor,
    report: Callable[[list[list[Record]]], bool | None] = lambda histories: None,
) -> list[list[Record]]:
    """Evolves `runs` populations side by side.

    Args:
        problem: What to solve.
        config: How; the seeds of the runs come from its seed.
        runs: The number of populations.
        migrants: With 0, the runs are independent. Otherwise, every `MIGRATION`
            generations, this many of the best of each island take the places of the
            worst of the next one in a ring; all stop with the first that reaches the
            target.
        executor: Where the tasks run.
        report: A function that is told the histories every so many generations, and
            returns True to stop.

    Returns:
        The records of each run.
    """
    tasks = configs(config, runs)
    histories: list[list[Record]] = [[] for _ in tasks]
    states: list[State | None] = [None] * runs
    span = MIGRATION if migrants else REPORT
    while True:
        futures = [
            executor.submit(advance, problem, task, state, span)
            for task, state in zip(tasks, states, strict=True)
        ]
        for history, future in zip(histories, futures, strict=True):
            found = future.result()
            history.extend(found[1:] if history else found)
        reached = [state for h in histories if (state := h[-1].state) is not None]
        stop = report(histories)
        done = [evolution.finished(problem, config, state) for state in reached]
        best = max(range(runs), key=lambda index: reached[index].best)
        if stop or all(done) or (migrants and done[best]):
            return histories
        states = [*(migrate(reached, migrants) if migrants else reached)]


def migrate(states: Sequence[State], migrants: int) -> list[State]:
    """Sends the best members of each island to the next; members stand best first."""
    moved = []
    for index, state in enumerate(states):
        source = states[index - 1]
        kept = len(state.scores) - migrants
        scores = np.concatenate([state.scores[:kept], source.scores[:migrants]])
        order = np.argsort(-scores, kind="stable")
        pairs = [(state.population, source.population), (state.keys, source.keys)]
        population, keys = (
            np.concatenate([own[:kept], other[:migrants]])[order]
            for own, other in pairs
        )
        moved.append(
            dataclasses.replace(
                state, population=population, scores=scores[order], keys=keys
            )
        )
    return moved


@contextlib.contextmanager
def make_executor(
    workers: int, scheduler: str | None = None, patience: float = 10.0
) -> Iterator[concurrent.futures.Executor]:
    """Starts processes of this machine, or finds the workers of a Dask scheduler.

    Args:
        workers: The number of processes.
        scheduler: An address such as tcp://host:8786, which is used instead.
        patience: How long to wait for the scheduler, in seconds.

    Raises:
        OSError: The scheduler does not answer.
        ValueError: Dask is not installed.
    """
    if scheduler is None:
        import multiprocessing

        with concurrent.futures.ProcessPoolExecutor(
            workers,
            multiprocessing.get_context("spawn"),
            initializer=_leave_signals,
        ) as pool:
            yield pool
        return
    try:
        import distributed
    except ImportError:
        raise ValueError("--scheduler needs Dask: pip install distributed") from None
    try:
        client = distributed.Client(scheduler, timeout=patience)
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        raise OSError(f"--scheduler={scheduler}: no answer: {error}") from error
    with client, client.get_executor(pure=False, retries=5) as executor:
        yield executor


def _leave_signals() -> None:
    """Ctrl-C is for the parent alone, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

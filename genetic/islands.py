"""Many runs at once: independent ones, or islands that exchange their best.

An island is a `State`; a task takes one a number of generations further and depends on
nothing else. So a task may run in this process, in another, or on another machine, and
be run again where a worker died: the answer is the same.
"""

import concurrent.futures
import contextlib
import dataclasses
import signal
from collections.abc import Callable, Iterator

import numpy as np

from genetic import evolution
from genetic.config import Config
from genetic.evolution import Record, State
from genetic.problem import Problem

MIGRATION = 25  # generations between exchanges
REPORT = 200  # generations between reports of independent runs


def advance(
    problem: Problem, config: Config, state: State | None, generations: int
) -> list[Record]:
    """The records of at most `generations` more generations; only the last has a state.

    Args:
        problem: what to solve.
        config: how.
        state: where to go on from; None begins.
        generations: how far.
    """
    until = (state.generation if state else 0) + generations
    bounded = dataclasses.replace(config, generations=min(until, config.generations))
    records = list(evolution.evolve(problem, bounded, state=state))
    return [
        *(dataclasses.replace(record, state=None) for record in records[:-1]),
        records[-1],
    ]


def configs(config: Config, runs: int) -> list[Config]:
    """`config` with a seed for each run, all drawn from its own."""
    seeds = np.random.SeedSequence(config.seed).generate_state(runs)
    return [dataclasses.replace(config, seed=int(seed)) for seed in seeds]


def run(
    problem: Problem,
    config: Config,
    runs: int,
    migrants: int,
    executor: concurrent.futures.Executor,
    report: Callable[[list[list[Record]]], None] = lambda histories: None,
) -> list[list[Record]]:
    """Evolve `runs` populations side by side.

    Args:
        problem: what to solve.
        config: of every run; the seeds come from its seed.
        runs: populations.
        migrants: with 0, the runs are independent. Otherwise, every `MIGRATION`
            generations, this many of the best of each island take the places of the
            worst of the next one in a ring; all stop with the first that reaches the
            target.
        executor: where the tasks run.
        report: is told the histories every so many generations.

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
        states = [history[-1].state for history in histories]
        report(histories)
        done = [evolution.finished(problem, config, state) for state in states]
        best = max(range(runs), key=lambda index: states[index].best)
        if all(done) or (migrants and done[best]):
            return histories
        if migrants:
            migrate(states, migrants)


def migrate(states: list[State], migrants: int) -> None:
    """Send the best members of each island to the next; members stand best first."""
    sent = [
        (
            state.population[:migrants].copy(),
            state.scores[:migrants].copy(),
            state.keys[:migrants].copy(),
        )
        for state in states
    ]
    for index, state in enumerate(states):
        arrived = sent[index - 1]
        names = ("population", "scores", "keys")
        merged = [
            np.concatenate([getattr(state, name)[: len(state.scores) - migrants], more])
            for name, more in zip(names, arrived, strict=True)
        ]
        order = np.argsort(-merged[1], kind="stable")
        for name, values in zip(names, merged, strict=True):
            setattr(state, name, values[order])


@contextlib.contextmanager
def make_executor(
    workers: int, scheduler: str | None
) -> Iterator[concurrent.futures.Executor]:
    """Processes of this machine, or the workers of a Dask scheduler.

    Args:
        workers: processes.
        scheduler: an address such as tcp://host:8786, over `workers`.

    Raises:
        OSError: the scheduler does not answer.
        ValueError: Dask is not installed.
    """
    if scheduler is None:
        import multiprocessing

        with concurrent.futures.ProcessPoolExecutor(
            workers,
            multiprocessing.get_context("spawn"),
            initializer=signal.signal,  # Ctrl-C is for the parent alone
            initargs=(signal.SIGINT, signal.SIG_IGN),
        ) as pool:
            yield pool
        return
    try:
        import distributed
    except ImportError:
        raise ValueError("--scheduler needs Dask: pip install distributed") from None
    try:
        client = distributed.Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise OSError(f"--scheduler={scheduler}: no answer: {error}") from error
    with client, client.get_executor(pure=False, retries=5) as executor:
        yield executor

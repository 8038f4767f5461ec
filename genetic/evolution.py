"""The generation loop.

`evolve` is a generator: one `Record` a generation, and whoever asks for it decides what
to print, plot or save.
"""

import concurrent.futures
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from genetic.config import Config
from genetic.functions import FunctionScheme, Problem
from genetic.knapsack import LinearScheme
from genetic.post import PostScheme
from genetic.problem import LinearProblem
from genetic.state import INFEASIBLE, Record, State

SAME = 1e-12  # relative difference that is no progress, and not short of a target


Scheme = LinearScheme | PostScheme | FunctionScheme


def make_scheme(
    problem: LinearProblem | Problem,
    config: Config,
    executor: concurrent.futures.Executor | None = None,
) -> Scheme:
    """Makes the scheme that `config` names.

    Raises:
        ValueError: It cannot treat the problem.
    """
    if isinstance(problem, Problem):
        return FunctionScheme(problem, config, executor)
    kind = PostScheme if config.scheme == "post" else LinearScheme
    return kind(problem, config)


def evolve(
    problem: LinearProblem | Problem,
    config: Config | None = None,
    callbacks: Sequence[Callable[[Record], None]] = (),
    state: State | None = None,
    executor: concurrent.futures.Executor | None = None,
) -> Iterator[Record]:
    """Evolves until a limit of `config` is reached.

    >>> import genetic
    >>> problem = genetic.Problem(lambda x: x.sum(), genetic.binary(8))
    >>> *_, last = genetic.evolve(problem, genetic.Config(generations=30))
    >>> last.best, last.best_solution.tolist()
    (8.0, [1, 1, 1, 1, 1, 1, 1, 1])

    Args:
        problem: What to solve.
        config: How; its `seed` settles everything where `state` is None.
        callbacks: Functions that are told of every record; what one raises ends the
            run.
        state: Where to go on from; None begins.
        executor: Where the fitness of a `Problem` is computed; None means here.

    Yields:
        A record a generation, the first population included.
    """
    config = config or Config()
    scheme = make_scheme(problem, config, executor)
    began = time.monotonic() - (state.seconds if state else 0.0)
    if state is None:
        generator = np.random.default_rng(config.seed)
        state = _noted(problem, scheme, scheme.start(generator))
    else:
        generator = np.random.default_rng()
        generator.bit_generator.state = state.random
    while True:
        state = dataclasses.replace(
            state,
            seconds=time.monotonic() - began,
            random=dict(generator.bit_generator.state),
        )
        record = _record(problem, state)
        for callback in callbacks:
            callback(record)
        yield record
        if finished(problem, config, state):
            return
        state = scheme.generation(state, generator)
        state = dataclasses.replace(
            state, generation=state.generation + 1, stalled=state.stalled + 1
        )
        state = _noted(problem, scheme, state)


def finished(problem: LinearProblem | Problem, config: Config, state: State) -> bool:
    """Whether a limit of `config` is reached."""
    reached = False
    if config.target is not None and math.isfinite(state.best):
        short = problem.sign * (config.target - problem.from_scores(state.best))
        reached = short <= SAME * abs(config.target)
    most = config.most_generations
    return bool(
        reached
        or (most and state.generation >= most)
        or (config.seconds and state.seconds >= config.seconds)
        or (config.stall and state.stalled >= config.stall)
    )


def _record(problem: LinearProblem | Problem, state: State) -> Record:
    scores = state.scores[state.scores > INFEASIBLE]
    some = len(scores) > 0
    known = math.isfinite(state.best)
    return Record(
        generation=state.generation,
        evaluations=state.evaluations,
        best=float(problem.from_scores(state.best)) if known else math.nan,
        mean=float(problem.from_scores(scores.mean())) if some else math.nan,
        worst=float(problem.from_scores(scores.min())) if some else math.nan,
        feasible_share=len(scores) / len(state.scores),
        seconds=state.seconds,
        best_solution=state.best_solution if known else None,
        state=state,
    )


def _noted(problem: LinearProblem | Problem, scheme: Scheme, state: State) -> State:
    """Keeps the best feasible solution, and when it was found."""
    top = int(state.scores.argmax())
    score = float(state.scores[top])
    slip = 0.0 if problem.whole else SAME * abs(score)
    if not score > INFEASIBLE or not score - state.best > slip:
        return state
    solution = scheme.members(state)[top]
    return dataclasses.replace(state, best=score, best_solution=solution, stalled=0)

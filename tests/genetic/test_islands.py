"""Many runs: alone, exchanging, over processes, over a cluster that loses a worker."""

import asyncio
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from genetic import islands, problem
from genetic.config import Config

CONFIG = Config(population=20, generations=60)


@pytest.fixture
def case():
    return problem.generate(60, 5, 0.5, seed=0)


@pytest.fixture
def threads():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield pool


def outcome(histories):
    """All that a run decides, without its times."""
    return [
        (record.generation, record.evaluations, record.best, record.mean)
        for history in histories
        for record in history
    ]


def test_runs_are_separate_and_repeatable(case, threads):
    one = islands.run(case, CONFIG, 3, 0, threads)
    assert [len(history) for history in one] == [61, 61, 61]
    assert len({history[-1].mean for history in one}) == 3
    assert outcome(one) == outcome(islands.run(case, CONFIG, 3, 0, threads))
    alone = islands.run(case, islands.configs(CONFIG, 3)[1], 1, 0, threads)
    assert alone[0][-1].evaluations == one[1][-1].evaluations


def test_migrants_go_to_the_next_island(case, threads):
    histories = islands.run(case, Config(population=8, generations=5), 3, 0, threads)
    states = [history[-1].state for history in histories]
    moved = islands.migrate(states, 2)
    for index, state in enumerate(moved):
        own, source = states[index], states[index - 1]
        expected = np.sort(np.concatenate([own.scores[:6], source.scores[:2]]))[::-1]
        np.testing.assert_array_equal(state.scores, expected)
        for migrant in source.population[:2]:
            assert (state.population == migrant).all(axis=1).any()
        assert len(own.scores) == 8


def test_islands_differ_from_runs_and_repeat(case, threads):
    alone = islands.run(case, CONFIG, 3, 0, threads)
    exchanging = islands.run(case, CONFIG, 3, 4, threads)
    assert outcome(alone) != outcome(exchanging)
    assert outcome(exchanging) == outcome(islands.run(case, CONFIG, 3, 4, threads))


def test_islands_stop_together_at_the_target(case, threads):
    best = max(history[-1].best for history in islands.run(case, CONFIG, 3, 4, threads))
    config = Config(population=20, generations=10**5, target=best)
    histories = islands.run(case, config, 3, 4, threads)
    assert max(history[-1].best for history in histories) >= best
    assert all(len(history) < 10**5 for history in histories)


def test_processes_give_the_same(case, threads):
    with islands.make_executor(2, None) as executor:
        found = islands.run(case, CONFIG, 2, 3, executor)
    assert outcome(found) == outcome(islands.run(case, CONFIG, 2, 3, threads))


def start_dask(module, *arguments):
    """A Dask process of our own, and what it has said so far."""
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for_workers(address, count):
    import distributed

    with distributed.Client(address) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.fixture
def cluster():
    """The address of a scheduler on loopback, and its two worker processes."""
    pytest.importorskip("distributed")
    scheduler = start_dask(
        "dask_scheduler", "--host=127.0.0.1", "--port=0", "--no-dashboard"
    )
    for line in scheduler.stderr:
        if found := re.search(r"Scheduler at:\s+(tcp://\S+)", line):
            address = found[1]
            break
    workers = [
        start_dask(
            "dask_worker", address, "--no-nanny", "--nthreads=1", "--no-dashboard"
        )
        for _ in range(2)
    ]
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.posix
def test_a_cluster_that_loses_a_worker_loses_nothing(case, threads, cluster):
    address, workers = cluster
    config = Config(population=60, generations=600)
    expected = islands.run(case, config, 4, 3, threads)
    killed = []

    def kill_one(histories):
        if not killed and histories[0][-1].generation >= 100:
            os.kill(workers[0].pid, signal.SIGKILL)
            killed.append(time.monotonic())

    with islands.make_executor(1, address) as executor:
        wait_for_workers(address, 2)
        found = islands.run(case, config, 4, 3, executor, kill_one)
    assert killed and workers[0].wait() == -signal.SIGKILL
    assert outcome(found) == outcome(expected)


def test_a_scheduler_that_answers_too_late_is_named(monkeypatch):
    """Up to Python 3.10, this error is no OSError."""
    distributed = pytest.importorskip("distributed")

    def late(address, timeout):
        raise asyncio.TimeoutError

    monkeypatch.setattr(distributed, "Client", late)
    with (
        pytest.raises(OSError, match="--scheduler=tcp://1.2.3.4:9: no answer"),
        islands.make_executor(1, "tcp://1.2.3.4:9"),
    ):
        pass


def test_a_scheduler_that_does_not_answer_is_named():
    pytest.importorskip("distributed")
    with (
        pytest.raises(OSError, match="--scheduler=tcp://127.0.0.1:9: no answer"),
        islands.make_executor(1, "tcp://127.0.0.1:9", patience=0.5),
    ):
        pass

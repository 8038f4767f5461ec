"""The generation loop: against all solutions, the post, and itself resumed."""

import dataclasses
import pathlib

import numpy as np
import pytest

import genetic
from genetic import evolution, exact, problem, reading
from genetic.config import CROSSOVERS, SELECTIONS, Config
from genetic.state import Archive, State

ROOT = pathlib.Path(__file__).parents[2]

QUICK = Config(population=30, generations=60)


def last(case, config, state=None):
    *_, record = genetic.evolve(case, config, state=state)
    return record


def best_of(case, everything):
    feasible = everything[case.violations(everything) == 0]
    values = case.values(feasible)
    return values.max() if case.maximize else values.min()


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("crossover", CROSSOVERS)
def test_finds_the_best_of_all(small, everything, selection, crossover):
    config = dataclasses.replace(QUICK, selection=selection, crossover=crossover)
    record = last(small, config)
    assert record.best == best_of(small, everything)
    assert small.values(record.best_solution) == record.best
    assert small.violations(record.best_solution[None])[0] == 0


@pytest.mark.parametrize("repair", ["none", "greedy"])
def test_with_and_without_repair(small, everything, repair):
    record = last(small, dataclasses.replace(QUICK, repair=repair, generations=200))
    assert record.best == best_of(small, everything)


def test_minimises_with_at_least_and_equality(small, everything):
    half = small.weights.sum(axis=1) / 2
    target = small.weights[1] @ everything[341]
    case = dataclasses.replace(
        small,
        low=np.array([half[0], target]),
        high=np.array([np.inf, target]),
        maximize=False,
    )
    record = last(case, dataclasses.replace(QUICK, generations=400, population=100))
    assert record.best == best_of(case, everything) == exact.solve(case).objective


def test_integer_bounds(small):
    case = dataclasses.replace(
        small,
        lower=np.full(10, -1),
        upper=np.arange(10) % 4 + 1,
        high=3 * small.high,
    )
    record = last(case, dataclasses.replace(QUICK, generations=300, population=100))
    assert record.best == pytest.approx(exact.solve(case).objective)
    assert (record.best_solution >= case.lower).all()
    assert (record.best_solution <= case.upper).all()


def test_mknap1_is_solved():
    path = str(ROOT / "genetic" / "data" / "mknap1.txt")
    for number in range(1, 8):
        case = reading.read(path, number)
        config = Config(target=case.optimum, generations=20_000)
        for seed in range(3):
            record = last(case, dataclasses.replace(config, seed=seed))
            assert record.best == pytest.approx(case.optimum)
        assert exact.solve(case).objective == pytest.approx(case.optimum)


def test_population_is_different_and_sorted():
    case = problem.generate(40, 3, 0.5, seed=1)
    state = last(case, QUICK).state
    assert len(np.unique(state.population, axis=0)) == QUICK.population
    assert (np.diff(state.scores) <= 0).all()
    members = evolution.make_scheme(case, QUICK).members(state)
    assert (case.violations(members) == 0).all()
    np.testing.assert_array_equal(case.values(members), state.scores)


@pytest.mark.parametrize("scheme", ["modern", "post"])
def test_records_are_values_and_counts_are_right(small, scheme):
    config = dataclasses.replace(QUICK, scheme=scheme)
    seen = []
    for record in genetic.evolve(small, config):
        arrays = {name: value.copy() for name, value in record.state.arrays().items()}
        seen.append((record, record.best, arrays))
    for record, best, arrays in seen:  # as they were when they came
        np.testing.assert_equal(record.best, best)
        for name, value in record.state.arrays().items():
            np.testing.assert_array_equal(value, arrays[name])
        if not np.isnan(best):
            assert small.value(record.best_solution) == best
    bests = [best for _, best, _ in seen]
    assert np.nanmax(bests) == bests[-1] and bests == sorted(bests, key=np.nan_to_num)
    records = [record for record, _, _ in seen]
    assert [record.generation for record in records] == list(range(61))
    assert records[-1].evaluations == 61 * 30
    assert records[-1].worst <= records[-1].mean <= records[-1].best


def test_starts_anew_and_keeps_the_best(small):
    config = dataclasses.replace(QUICK, restart=5, generations=200)
    record = last(small, config)
    state = record.state
    assert state.epoch > 5 and state.best == state.elite_scores.max()
    assert len(np.unique(state.elite_keys)) == len(state.elite)
    assert last(small, dataclasses.replace(config, restart=0)).state.epoch == 0


@pytest.mark.parametrize("scheme", ["modern", "post"])
def test_same_seed_same_run(small, scheme):
    config = dataclasses.replace(QUICK, scheme=scheme)
    one, same = last(small, config), last(small, config)
    other = last(small, dataclasses.replace(config, seed=1))
    np.testing.assert_array_equal(one.state.population, same.state.population)
    assert not np.array_equal(one.state.population, other.state.population)


@pytest.mark.parametrize("scheme", ["modern", "post"])
def test_a_saved_state_goes_on_exactly(small, scheme):
    config = dataclasses.replace(QUICK, scheme=scheme)
    whole = last(small, config)
    half = last(small, dataclasses.replace(config, generations=23))
    state = State.from_arrays(half.state.arrays())
    resumed = last(small, config, state)
    for name, value in whole.state.arrays().items():
        if name != "seconds":
            np.testing.assert_array_equal(resumed.state.arrays()[name], value)


def test_stops_by_stall_target_and_time(small):
    stalled = last(small, Config(stall=15, generations=10**6))
    assert stalled.state.stalled == 15
    target = last(small, Config(target=stalled.best, generations=10**6))
    assert target.best == stalled.best
    timed = last(small, Config(seconds=0.2))
    assert timed.seconds >= 0.2 and Config(seconds=0.2).most_generations == 0
    assert Config().most_generations == 2000


def test_callbacks_see_every_record(small):
    seen = []
    records = list(genetic.evolve(small, QUICK, [seen.append]))
    assert seen == records


def test_post_archive_holds_feasible_solutions_alone(small):
    record = last(small, dataclasses.replace(QUICK, scheme="post"))
    archive = record.state.archive.items()
    rows = np.array([np.frombuffer(key, np.uint8) for key, _ in archive])
    assert (small.violations(rows) == 0).all()
    np.testing.assert_array_equal(small.values(rows), [value for _, value in archive])
    assert max(value for _, value in archive) == record.best


def test_archives_that_go_on_from_one_are_apart():
    first = Archive().add(np.eye(2, dtype=np.uint8)[:1], np.array([1.0]))
    one = first.add(np.eye(2, dtype=np.uint8)[1:], np.array([2.0]))
    other = first.add(np.ones((1, 2), np.uint8), np.array([3.0]))
    values = [[value for _, value in each.items()] for each in (first, one, other)]
    assert values == [[1.0], [1.0, 2.0], [1.0, 3.0]]


def test_post_replaces_infeasible_members_by_children_of_feasible_ones():
    # Only members with the first bit set are feasible, and nothing mutates.
    case = genetic.LinearProblem(
        names=tuple("abcd"),
        objective=np.ones(4),
        resources=("first",),
        weights=np.array([[1.0, 0, 0, 0]]),
        low=np.array([1.0]),
        high=np.array([np.inf]),
        lower=np.zeros(4, np.int64),
        upper=np.ones(4, np.int64),
    )
    config = Config(scheme="post", mutation=0.0, population=40, generations=1)
    first, second = genetic.evolve(case, config)
    assert 0 < first.feasible_share < 1
    assert second.feasible_share == 1


def test_nothing_feasible_is_said_and_not_invented(small):
    case = dataclasses.replace(
        small, low=np.array([1.5, -np.inf]), high=np.array([1.6, np.inf])
    )
    case = dataclasses.replace(case, weights=np.round(case.weights))
    record = last(case, dataclasses.replace(QUICK, generations=5))
    assert np.isnan(record.best) and record.best_solution is None
    assert exact.solve(case).feasible is False


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population": 1}, "--population=1: must be at least 2"),
        ({"mutation": 1.5}, "--mutation=1.5: must be at most 1"),
        ({"crossover_rate": float("nan")}, "--crossover_rate"),
        ({"scheme": "old"}, "--scheme=old: choose one of modern, post"),
        ({"generations": -1}, "--generations"),
        ({"target": float("inf")}, "--target"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings)


def test_repair_refuses_what_it_cannot(small):
    case = dataclasses.replace(small, weights=small.weights - 500)
    with pytest.raises(ValueError, match="--repair=greedy needs weights"):
        last(case, dataclasses.replace(QUICK, repair="greedy"))
    case = dataclasses.replace(small, upper=np.full(10, 2))
    with pytest.raises(ValueError, match="--scheme=post: its solutions are binary"):
        last(case, dataclasses.replace(QUICK, scheme="post"))

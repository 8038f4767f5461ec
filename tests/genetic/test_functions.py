"""Problems as functions: the README's examples, operators of every kind of genes."""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from scipy import optimize, sparse
from scipy.sparse import csgraph

import genetic
from genetic import islands

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = {
    example.split("\n\n")[2].split()[0]: example
    for example in re.findall(
        r"```python\n(import numpy.*?)```",
        (ROOT / "genetic" / "README.md").read_text(),
        re.DOTALL,
    )
}
GENES = {
    "binary": genetic.binary(9),
    "whole": genetic.whole(-3, np.arange(9) + 2, 9),
    "real": genetic.real(-1.5, 2.0, 9),
    "permutation": genetic.permutation(9),
}
OPTIMUM = 6158.842112111832  # of the README's round trip


@pytest.mark.parametrize(
    ("start", "printed"),
    [("cities", f"{OPTIMUM:.2f}"), ("def", "0.000000000"), ("generator", "0")],
)
def test_examples_of_the_readme(start, printed):
    example = EXAMPLES[start]
    assert len(example.split("import genetic\n")[1].strip().splitlines()) <= 20
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == printed, done.stderr


@pytest.mark.slow
def test_the_round_trip_is_proven():
    """Branch and cut over the edges, with a cut for every tour of some cities alone."""
    cities = np.random.default_rng(50).integers(0, 1000, (50, 2))
    one, other = np.triu_indices(50, 1)
    lengths = np.hypot(*(cities[one] - cities[other]).T)
    groups = [np.arange(50) == city for city in range(50)]
    while True:
        rows = np.array([group[one] != group[other] for group in groups], float)
        most = np.where(np.arange(len(groups)) < 50, 2.0, np.inf)
        found = optimize.milp(
            lengths,
            integrality=np.ones(len(one)),
            bounds=optimize.Bounds(0, 1),
            constraints=optimize.LinearConstraint(sparse.csr_matrix(rows), 2.0, most),
        )
        taken = found.x > 0.5
        graph = sparse.coo_matrix((taken[taken], (one[taken], other[taken])), (50, 50))
        count, parts = csgraph.connected_components(graph, directed=False)
        if count == 1:
            assert found.fun == pytest.approx(OPTIMUM, abs=1e-6)
            return
        groups += [parts == part for part in range(count)]


def ones(solution):
    return solution.sum()


def last(problem, **settings):
    settings = {"population": 20, "generations": 30} | settings
    *_, record = genetic.evolve(problem, genetic.Config(**settings))
    return record


@pytest.mark.parametrize("kind", GENES)
def test_operators_keep_the_genes(kind):
    genes, generator = GENES[kind], np.random.default_rng(0)
    first, second = genes.draw(generator, 2 * 300, 0.5).reshape(2, 300, 9)
    config = genetic.Config()
    children = genes.cross(generator, first, second, config)
    changed = genes.mutate(generator, children, 0.2)
    genes.check(children)
    genes.check(changed)
    assert ((children != first).any(axis=1) & (children != second).any(axis=1)).any()
    assert 0.02 < (changed != children).mean() < 0.6
    alone = genetic.Config(crossover_rate=0.0)
    np.testing.assert_array_equal(genes.cross(generator, first, second, alone), first)


def test_order_crossover_has_a_stretch_of_one_and_the_order_of_the_other():
    genes = genetic.permutation(7)
    first, second = np.arange(7)[None], np.array([[3, 5, 1, 0, 6, 4, 2]])
    for seed in range(40):
        generator = np.random.default_rng(seed)
        child = genes.cross(generator, first, second, genetic.Config())[0]
        kept = [city for place, city in enumerate(child) if place == city]
        for size in range(8):  # some cyclic stretch stands where it stood before ...
            for start in range(7):
                stretch = [(start + step) % 7 for step in range(size)]
                rest = [(start + size + step) % 7 for step in range(7 - size)]
                after = [(start + size + step) % 7 for step in range(7)]
                wanted = [c for c in second[0][after] if c not in stretch]
                if set(stretch) <= set(kept) and child[rest].tolist() == wanted:
                    break  # ... and the rest follows in the order of the second
            else:
                continue
            break
        else:
            pytest.fail(f"{child} is no child of both")


@pytest.mark.parametrize("kind", GENES)
def test_every_kind_finds_its_best(kind):
    genes = GENES[kind]
    weights = np.arange(9) - 3.5

    def fitness(solution):
        return float(solution @ weights)

    record = last(genetic.Problem(fitness, genes), generations=400, population=40)
    if kind == "permutation":
        best = np.arange(9) @ np.sort(weights)
    else:
        best = np.where(weights > 0, genes.high, genes.low) @ weights
    assert record.best == pytest.approx(best, rel=1e-4)
    assert fitness(record.best_solution) == record.best


def test_constraints_are_amounts_and_the_feasible_come_first():
    problem = genetic.Problem(
        lambda x: x.sum(axis=1),
        genetic.whole(0, 9, 4),
        constraints=[
            lambda x: x.sum(axis=1) - 12,
            lambda x: np.stack([2 - x[:, 0], x[:, 1] - x[:, 2]], axis=1),
        ],
        vectorized=True,
    )
    record = last(problem, generations=100)
    assert record.best == 12 and record.best_solution[0] >= 2
    assert record.best_solution[1] <= record.best_solution[2]
    never = genetic.Problem(ones, genetic.binary(4), constraints=[lambda x: 1])
    assert np.isnan(last(never).best) and last(never).best_solution is None


def test_a_fitness_that_is_not_finite_is_infeasible():
    def fitness(solution):
        return np.nan if solution[0] else float(solution.sum())

    record = last(genetic.Problem(fitness, genetic.binary(6)), generations=60)
    assert record.best == 5 and record.best_solution[0] == 0


def test_own_operators_and_a_first_population():
    calls = []

    def crossover(generator, first, second):
        calls.append("crossover")
        return np.maximum(first, second)

    def mutation(generator, solutions, rate):
        calls.append("mutation")
        return solutions

    def selection(generator, scores, count):
        calls.append("selection")
        assert (np.diff(scores) <= 0).all()
        return generator.integers(0, len(scores), count)

    def repair(solutions):
        calls.append("repair")
        solutions[:, 0] = 0
        return solutions

    problem = genetic.Problem(
        ones,
        genetic.binary(8),
        crossover=crossover,
        mutation=mutation,
        selection=selection,
        repair=repair,
        first=np.eye(8, dtype=int),
    )
    record = last(problem, initial_probability=0.0, generations=10)
    assert record.best >= 6 and set(calls) == {
        "crossover",
        "mutation",
        "selection",
        "repair",
    }


def test_the_same_seed_the_same_run_wherever_it_is_evaluated():
    problem = genetic.Problem(ones, genetic.real(0, 1, 5))
    config = genetic.Config(population=20, generations=15)

    def final(executor=None):
        *_, record = genetic.evolve(problem, config, executor=executor)
        return record.state.population

    here = final()
    np.testing.assert_array_equal(final(), here)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        np.testing.assert_array_equal(final(pool), here)
    with islands.make_executor(1) as pool:
        with pytest.raises(ValueError, match="functions of a module, not lambdas"):
            last_ = genetic.Problem(lambda x: 0.0, genetic.binary(3))
            next(genetic.evolve(last_, config, executor=pool))
        problem = genetic.Problem(np.sum, genetic.real(0, 1, 5))
        assert final(pool).shape == (20, 5)


def test_islands_of_a_function():
    problem = genetic.Problem(ones, genetic.binary(30))
    config = genetic.Config(population=10, generations=50)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        histories = islands.run(problem, config, 2, 2, pool)
    assert max(history[-1].best for history in histories) >= 27


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fitness": lambda x: x}, r"fitness: gave \(9,\) values a solution"),
        (
            {"fitness": lambda x: 1.0, "vectorized": True},
            r"fitness: gave the shape \(\)",
        ),
        ({"mutation": lambda g, x, rate: x[1:]}, "mutation: gave the shape"),
        ({"crossover": lambda g, x, y: x.T}, "crossover: gave the shape"),
        ({"selection": lambda g, scores, count: [0]}, "selection: gave the shape"),
        ({"repair": lambda x: x[0]}, "repair: gave the shape"),
        ({"first": [[0, 1]]}, r"first: has the shape \(1, 2\)"),
        ({"first": [[2] * 9]}, "first: holds values that the binary genes cannot be"),
    ],
)
def test_wrong_functions_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        last(
            genetic.Problem(**({"fitness": ones, "genes": GENES["binary"]} | settings))
        )


def test_wrong_genes_are_named():
    with pytest.raises(ValueError, match="a lower limit is above"):
        genetic.whole(3, 2, 4)
    with pytest.raises(ValueError, match="must be finite"):
        genetic.real(0, np.inf, 4)
    with pytest.raises(ValueError, match="at least one"):
        genetic.binary(0)
    with pytest.raises(ValueError, match="a row is no permutation"):
        genetic.Problem(ones, genetic.permutation(3), first=[[0, 1, 1]])
    with pytest.raises(ValueError, match="its problems are linear"):
        last(genetic.Problem(ones, genetic.binary(3)), scheme="post")

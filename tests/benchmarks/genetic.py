"""How fast and how good `genetic` is beside PyGAD, DEAP and HiGHS, as tables.

    pip install -e '.[benchmark]'
    python -m tests.benchmarks.genetic [speed] [scaling] [mknap1] [bound]

Each comparison is made in one run on one machine, the competitors in turn. All get the
same problem; PyGAD and DEAP see its constraint as a fitness of 0 where it is broken,
which is how their users write knapsacks.
"""

import statistics
import sys
import time

import numpy as np

from genetic import Config, evolve, exact, orlib, problem

POPULATION = 200
GENERATIONS = 500


def fitness(case, solutions):
    """Objective, or 0 where a constraint is broken."""
    values = solutions @ case.objective
    return np.where((solutions @ case.weights.T <= case.high).all(axis=-1), values, 0.0)


def run_genetic(case, seed):
    """(seconds a generation, best after the same evaluations)."""
    config = Config(population=POPULATION, generations=GENERATIONS, seed=seed)
    began = time.perf_counter()
    *_, record = evolve(case, config)
    return (time.perf_counter() - began) / GENERATIONS, record.best


def run_plain(case, seed):
    """A bare NumPy loop: tournament, uniform crossover, mutation, elitism of one."""
    generator = np.random.default_rng(seed)
    shape = POPULATION, len(case.objective)
    began = time.perf_counter()
    population = generator.integers(0, 2, shape)
    scores = fitness(case, population)
    for _ in range(GENERATIONS):
        pairs = generator.integers(0, POPULATION, (2, 2 * POPULATION))
        parents = pairs[scores[pairs].argmax(axis=0), np.arange(2 * POPULATION)]
        mask = generator.random(shape) < 0.5
        first, second = np.split(population[parents], 2)
        children = np.where(mask, first, second) ^ (generator.random(shape) < 0.01)
        children[0] = population[scores.argmax()]
        population, scores = children, fitness(case, children)
    return (time.perf_counter() - began) / GENERATIONS, scores.max()


def run_pygad(case, seed):
    """PyGAD with tournament selection and uniform crossover."""
    import pygad

    solver = pygad.GA(
        num_generations=GENERATIONS,
        num_parents_mating=POPULATION,
        fitness_func=lambda solver, x, index: float(fitness(case, x)),
        sol_per_pop=POPULATION,
        num_genes=len(case.objective),
        gene_type=int,
        gene_space=[0, 1],
        parent_selection_type="tournament",
        crossover_type="uniform",
        mutation_probability=0.01,
        keep_elitism=1,
        random_seed=seed,
        suppress_warnings=True,
    )
    began = time.perf_counter()
    solver.run()
    return (time.perf_counter() - began) / GENERATIONS, solver.best_solution()[1]


def run_deap(case, seed):
    """DEAP's eaSimple with tournament selection and uniform crossover."""
    import random

    from deap import algorithms, base, creator, tools

    random.seed(seed)
    if not hasattr(creator, "Knapsack"):
        creator.create("Fitness", base.Fitness, weights=(1.0,))
        creator.create("Knapsack", list, fitness=creator.Fitness)
    tools_ = base.Toolbox()
    tools_.register("bit", random.randint, 0, 1)
    length = len(case.objective)
    tools_.register(
        "individual", tools.initRepeat, creator.Knapsack, tools_.bit, length
    )
    tools_.register("population", tools.initRepeat, list, tools_.individual)
    tools_.register("evaluate", lambda x: (float(fitness(case, np.array(x))),))
    tools_.register("mate", tools.cxUniform, indpb=0.5)
    tools_.register("mutate", tools.mutFlipBit, indpb=0.01)
    tools_.register("select", tools.selTournament, tournsize=2)
    best = tools.HallOfFame(1)
    population = tools_.population(n=POPULATION)
    began = time.perf_counter()
    algorithms.eaSimple(
        population, tools_, 1.0, 1.0, GENERATIONS, halloffame=best, verbose=False
    )
    return (time.perf_counter() - began) / GENERATIONS, best[0].fitness.values[0]


def speed():
    """A generation of 200 solutions of 100 bits."""
    case = problem.generate(100, 1, 0.5, seed=0)
    optimum = exact.solve(case).objective
    runs = {"genetic, all on": run_genetic, "plain NumPy loop": run_plain}
    runs |= {"PyGAD": run_pygad, "DEAP": run_deap}
    found = {name: [] for name in runs}
    for seed in range(3):
        for name, run in runs.items():
            found[name].append(run(case, seed))
    ours = statistics.median(seconds for seconds, _ in found["genetic, all on"])
    print(f"\n{POPULATION} solutions, 100 bits, {GENERATIONS} generations, 3 seeds")
    print(f"{'':18s} {'ms/generation':>14s} {'ratio':>7s} {'gap to optimum':>15s}")
    for name, results in found.items():
        seconds = statistics.median(seconds for seconds, _ in results)
        gap = 1 - statistics.mean(best for _, best in results) / optimum
        print(f"{name:18s} {1e3 * seconds:14.2f} {seconds / ours:7.1f} {gap:15.3%}")


def scaling():
    """Cost against the number of items."""
    print("\n100 solutions, one constraint, 30 generations")
    print(f"{'items':>8s} {'ms/generation':>14s} {'ns/(solution item)':>19s}")
    for items in (100, 1_000, 10_000, 100_000):
        case = problem.generate(items, 1, 0.5, seed=0)
        stamps = [
            record.state.seconds for record in evolve(case, Config(generations=30))
        ]
        cost = (stamps[-1] - stamps[0]) / 30
        print(f"{items:8d} {1e3 * cost:14.2f} {1e9 * cost / (100 * items):19.2f}")


def mknap1():
    """The seven problems of the OR-Library's mknap1, 100 seeds each."""
    print("\nmknap1: solved to the optimum on seeds 0 to 99, 2 s each at most")
    print(
        f"{'items':>6s} {'optimum':>9s} {'solved':>7s} {'median s':>9s} {'max s':>6s}"
    )
    for case in orlib.read("genetic/data/mknap1.txt"):
        seconds, solved = [], 0
        for seed in range(100):
            config = Config(
                target=case.optimum, seconds=2, generations=10**6, seed=seed
            )
            *_, record = evolve(case, config)
            seconds.append(record.state.seconds)
            solved += abs(record.best - case.optimum) < 1e-6
        print(
            f"{len(case.names):6d} {case.optimum:9g} {solved:7d} "
            f"{statistics.median(seconds):9.3f} {max(seconds):6.2f}"
        )


def bound():
    """Generated problems as in mknapcb, and one large knapsack, against HiGHS."""
    print("\n20 s each; HiGHS 60 s; its bound may lie above the optimum")
    heads = ("items", "rows", "tight", "ours", "HiGHS", "bound", "to HiGHS", "to bound")
    print(" ".join(f"{head:>9s}" for head in heads))
    cases = [
        (items, rows, tightness)
        for items in (100, 250, 500)
        for rows in (5, 10, 30)
        for tightness in (0.25, 0.5, 0.75)
    ]
    for items, rows, tightness in [*cases, (10_000, 1, 0.5)]:
        case = problem.generate(items, rows, tightness, seed=0)
        *_, record = evolve(case, Config(seconds=20, generations=10**6))
        best = exact.solve(case, seconds=60)
        print(
            f"{items:9d} {rows:9d} {tightness:9.2f} {record.best:9.0f} "
            f"{best.objective:9.0f} {best.bound:9.0f} "
            f"{1 - record.best / best.objective:9.3%} "
            f"{1 - record.best / best.bound:9.3%}",
            flush=True,
        )


if __name__ == "__main__":
    parts = {f.__name__: f for f in (speed, scaling, mknap1, bound)}
    for part in sys.argv[1:] or parts:
        parts[part]()

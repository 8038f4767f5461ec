"""How fast and how good `genetic` is beside PyGAD, DEAP and HiGHS, as tables.

    pip install -e '.[benchmark]'
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    python -m tests.benchmarks.genetic [speed] [repair] [scaling] [mknap1]
    python -m tests.benchmarks.genetic literature --folder=DIR [--seconds=20] \
        [--clock=processor] [--only=mknapcb5] [--peers=highs,pygad,deap]

DIR holds mknapcb1.txt to mknapcb9.txt and mkcbres.txt of the OR-Library, gk/gk*.dat,
and pisinger/large_scale with pisinger/large_scale-optimum. All run in one thread, in
turn, for equal seconds of the wall's clock, or of processor time where other work
shares the machine (HiGHS knows only the wall's). PyGAD and DEAP see a broken constraint
as a fitness of 0, which is how their users write knapsacks.
"""

import argparse
import glob
import os
import statistics
import time

import numpy as np

import genetic
from genetic import Config, evolve, exact, problem
from genetic.repair import Repair
from runkit import tables

POPULATION = 200
GENERATIONS = 500
NEVER = 10**9  # generations


class Stopped(Exception):
    """A peer's time is up."""


class Timer:
    """Says when a peer's time is up, and keeps the best that it has shown."""

    def __init__(self, case, seconds, clock):
        self.case, self.best, self._clock = case, 0.0, clock
        self._end = clock() + seconds if seconds else float("inf")

    def fitness(self, solutions):
        """Objective, or 0 where a constraint is broken."""
        if self._clock() > self._end:
            raise Stopped
        values = solutions @ self.case.objective
        loads = solutions @ self.case.weights.T
        found = np.where((loads <= self.case.high).all(axis=-1), values, 0.0)
        self.best = max(self.best, float(np.max(found)))
        return found


def run_genetic(timer, seed, generations=NEVER):
    """The modern scheme."""
    settings = Config(population=100 if generations == NEVER else POPULATION, seed=seed)
    config = Config(**vars(settings) | {"generations": generations})
    for record in evolve(timer.case, config):
        timer.best = record.best
        if generations == NEVER:
            timer.fitness(np.zeros(timer.case.count))


def run_plain(timer, seed, generations=NEVER):
    """A bare NumPy loop: tournament, uniform crossover, mutation, elitism of one."""
    generator = np.random.default_rng(seed)
    shape = POPULATION, timer.case.count
    population = generator.integers(0, 2, shape)
    scores = timer.fitness(population)
    for _ in range(generations):
        pairs = generator.integers(0, POPULATION, (2, 2 * POPULATION))
        parents = pairs[scores[pairs].argmax(axis=0), np.arange(2 * POPULATION)]
        mask = generator.random(shape) < 0.5
        first, second = np.split(population[parents], 2)
        children = np.where(mask, first, second) ^ (generator.random(shape) < 0.01)
        children[0] = population[scores.argmax()]
        population, scores = children, timer.fitness(children)


def run_pygad(timer, seed, generations=NEVER):
    """PyGAD with tournament selection and uniform crossover."""
    import pygad

    pygad.GA(
        num_generations=generations,
        num_parents_mating=POPULATION,
        fitness_func=lambda solver, x, index: float(timer.fitness(x)),
        sol_per_pop=POPULATION,
        num_genes=timer.case.count,
        gene_type=int,
        gene_space=[0, 1],
        parent_selection_type="tournament",
        crossover_type="uniform",
        mutation_probability=0.01,
        keep_elitism=1,
        random_seed=seed,
        suppress_warnings=True,
    ).run()


def run_deap(timer, seed, generations=NEVER):
    """DEAP's eaSimple with tournament selection and uniform crossover."""
    import random

    from deap import algorithms, base, creator, tools

    random.seed(seed)
    if not hasattr(creator, "Knapsack"):
        creator.create("Fitness", base.Fitness, weights=(1.0,))
        creator.create("Knapsack", list, fitness=creator.Fitness)
    box = base.Toolbox()
    box.register("bit", random.randint, 0, 1)
    count = timer.case.count
    box.register("individual", tools.initRepeat, creator.Knapsack, box.bit, count)
    box.register("population", tools.initRepeat, list, box.individual)
    box.register("evaluate", lambda x: (float(timer.fitness(np.array(x))),))
    box.register("mate", tools.cxUniform, indpb=0.5)
    box.register("mutate", tools.mutFlipBit, indpb=0.01)
    box.register("select", tools.selTournament, tournsize=2)
    population = box.population(n=POPULATION)
    algorithms.eaSimple(population, box, 1.0, 1.0, generations, verbose=False)


RUNS = {"pygad": run_pygad, "deap": run_deap}


def speed(options):
    """A generation of 200 solutions of 100 bits."""
    case = problem.generate(100, 1, 0.5, seed=0)
    optimum = exact.solve(case).objective
    runs = {"genetic": run_genetic, "plain NumPy loop": run_plain}
    runs |= {"PyGAD": run_pygad, "DEAP": run_deap}
    rows = []
    for name, run in runs.items():
        seconds, gaps = [], []
        for seed in range(3):
            timer = Timer(case, None, time.process_time)
            began = time.process_time()
            run(timer, seed, GENERATIONS)
            seconds.append((time.process_time() - began) / GENERATIONS)
            gaps.append(1 - timer.best / optimum)
        cost, gap = 1e3 * statistics.median(seconds), statistics.mean(gaps)
        rows.append([name, f"{cost:.2f}", f"{gap:.2%}"])
    print(f"\n{POPULATION} solutions, 100 bits, {GENERATIONS} generations, 3 seeds")
    print(tables.markdown(["", "ms a generation", "gap to the optimum"], rows))


def repair(options):
    """The cost of repairing 100 solutions of which a twentieth of the bits changed."""
    rows = []
    for items, constraints in ((100, 5), (250, 30), (500, 30), (2500, 100)):
        case = problem.generate(items, constraints, 0.5, seed=0)
        cost = exact.relax(case).prices @ case.weights
        weights = case.weights[:, np.argsort(-case.objective / cost)]
        one, all_ = np.ones(items, np.uint8), np.ones(items, bool)
        generator = np.random.default_rng(0)
        solutions = (np.arange(items) < items // 2) ^ (
            generator.random((100, items)) < 0.05
        )
        mend = Repair(weights, case.high, one, all_)
        seconds = []
        for _ in range(7):
            copy = solutions.astype(np.uint8)
            began = time.process_time()
            mend(copy)
            seconds.append(time.process_time() - began)
        rows.append([items, constraints, f"{1e3 * statistics.median(seconds):.2f}"])
    print(tables.markdown(["items", "constraints", "ms"], rows))


def scaling(options):
    """Cost against the number of items."""
    rows = []
    for items in (100, 1_000, 10_000, 100_000):
        case = problem.generate(items, 1, 0.5, seed=0)
        stamps = [record.seconds for record in evolve(case, Config(generations=30))]
        rows.append([items, f"{1e3 * (stamps[-1] - stamps[0]) / 30:.2f}"])
    print("\n100 solutions, one constraint, 30 generations")
    print(tables.markdown(["items", "ms a generation"], rows))


def mknap1(options):
    """The seven problems of the OR-Library's mknap1, 100 seeds each."""
    rows = []
    for number in range(1, 8):
        case = genetic.read("genetic/data/mknap1.txt", number)
        seconds, solved = [], 0
        for seed in range(100):
            *_, record = evolve(case, Config(target=case.optimum, seconds=2, seed=seed))
            seconds.append(record.seconds)
            solved += record.best == case.optimum
        rows.append([case.count, solved, f"{max(seconds):.2f}"])
    print(tables.markdown(["items", "solved of 100", "slowest s"], rows))


def cases(folder, only):
    """Name, problem and best known objective of the literature's problems."""
    known = {}
    with open(os.path.join(folder, "mkcbres.txt")) as file:
        for line in file:
            words = line.split()
            if len(words) == 2 and words[1].isdigit():
                known.setdefault(words[0], float(words[1]))
    for group in range(1, 10):
        if only not in f"mknapcb{group}":
            continue
        for number in (1, 11, 21):
            case = genetic.read(os.path.join(folder, f"mknapcb{group}.txt"), number)
            name = f"{len(case.resources)}.{case.count}-{number - 1:02d}"
            yield name, case, known[name]
    for path in sorted(glob.glob(os.path.join(folder, "gk", "*.dat"))):
        if only in path:
            case = genetic.read(path)
            yield os.path.basename(path)[:4], case, case.optimum or 7680.0  # gk06
    for path in sorted(glob.glob(os.path.join(folder, "pisinger/large_scale/*"))):
        if only in path:
            with open(path.replace("scale/", "scale-optimum/")) as file:
                yield os.path.basename(path), genetic.read(path), float(file.read())


def literature(options):
    """Problems of the literature, each method for equal seconds."""
    clock = time.process_time if options.clock == "processor" else time.monotonic
    peers = [peer for peer in options.peers.split(",") if peer]
    head = ["problem", "best known", "genetic", *peers]
    print(f"load {os.getloadavg()[0]:.1f}; {options.seconds:g} s ({options.clock})")
    for name, case, known in cases(options.folder, options.only):
        bests = []
        for run in (run_genetic, *(RUNS.get(peer) for peer in peers)):
            if run is None:
                bests.append(exact.solve(case, options.seconds).objective or 0.0)
                continue
            timer = Timer(case, options.seconds, clock)
            try:
                run(timer, 0)
            except Stopped:
                bests.append(timer.best)
        gaps = [f"{1 - best / known:.3%}" for best in bests]
        row = dict(zip(head, [name, f"{known:.0f}", *gaps], strict=True))
        print("| " + " | ".join(row.values()) + " |", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    parts = {f.__name__: f for f in (speed, repair, scaling, mknap1, literature)}
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=list(parts), default=["speed"])
    parser.add_argument("--folder", default="")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall")
    parser.add_argument("--only", default="", help="A part of the names.")
    parser.add_argument("--peers", default="highs,pygad,deap")
    given = parser.parse_args()
    for part in given.parts:
        parts[part](given)

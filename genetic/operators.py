"""What a generation is made of: the post's functions, and those that came after it.

Solutions are rows of arrays [k, n] of integers; each function treats all rows at once.
Vocabulary of the post: x a solution, o the objective, c <= b the constraint, y and z
two parents, d their offspring.
"""

import numpy as np

# --- The post -------------------------------------------------------------------


def init_solutions(
    generator: np.random.Generator, count: int, length: int, probability: float
) -> np.ndarray:
    """Draws Bernoulli solutions (post: init_solns_1D), uint8 [count, length]."""
    return (generator.random((count, length)) < probability).astype(np.uint8)


def mate(
    generator: np.random.Generator, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Mates rows of parents [k, n]: d_k = y_k if p <= 1/2 else z_k (post, "Mating")."""
    return np.where(generator.random(first.shape) <= 0.5, first, second)


def mutate(
    generator: np.random.Generator, solutions: np.ndarray, probability: float
) -> np.ndarray:
    """Switches each bit with `probability` (post, "Mutations", the text).

    The post's code draws a new bit instead, which is the old one half of the time.
    """
    return solutions ^ (generator.random(solutions.shape) < probability)


def feasible_indices(feasible: np.ndarray) -> np.ndarray:
    """Returns where `feasible` [k] is true (post: getWorkingSolutionIndices)."""
    return np.flatnonzero(feasible)


def probability_mass(values: np.ndarray, feasible: np.ndarray) -> np.ndarray:
    """Returns chances in proportion to objectives, for feasible ones (post: getPDF).

    Where a feasible objective is negative, all are lifted so that the least is 0;
    where all are equal to 0, each feasible solution has the same chance. The post
    divides by zero there, or gets negative chances.

    Args:
        values: The objectives to maximise, [k].
        feasible: Which are feasible, bool [k]; at least one is.

    Returns:
        The chances, float64 [k], whose sum is 1.
    """
    lifted = np.where(feasible, values - min(0.0, values[feasible].min()), 0.0)
    total = lifted.sum()
    return lifted / total if total > 0 else feasible / feasible.sum()


def cumulative(mass: np.ndarray) -> np.ndarray:
    """Returns the cumulative mass function (post: getCDF), whose end is exactly 1."""
    total = np.cumsum(mass)
    return total / total[-1]


def roulette(
    generator: np.random.Generator, mass: np.ndarray, count: int
) -> np.ndarray:
    """Draws `count` indices from a mass function [k] (post: sample_p_dist)."""
    return np.searchsorted(cumulative(mass), generator.random(count), side="right")


# --- Since then -----------------------------------------------------------------


def universal(
    generator: np.random.Generator, mass: np.ndarray, count: int
) -> np.ndarray:
    """Draws by stochastic universal sampling: one spin, `count` evenly spaced pointers.

    Baker, "Reducing Bias and Inefficiency in the Selection Algorithm" (1987). Each
    index comes up within one of its expected number; the order is shuffled.
    """
    pointers = (np.arange(count) + generator.random()) / count
    chosen = np.searchsorted(cumulative(mass), pointers, side="right")
    return generator.permutation(chosen)


def tournament(
    generator: np.random.Generator, population: int, size: int, count: int
) -> np.ndarray:
    """Draws the best of `size` members, `count` times; members stand best first."""
    return generator.integers(0, population, (size, count), np.uint32).min(axis=0)


def crossover_mask(
    generator: np.random.Generator, kind: str, count: int, length: int, rate: float
) -> np.ndarray:
    """Draws where a child takes its second parent's genes, bool [count, length].

    Args:
        generator: The source of random numbers.
        kind: The crossover: "uniform", "one_point" or "two_point".
        count: The number of children.
        length: The number of genes.
        rate: The share of children with two parents; the others copy the first.
    """
    if kind == "uniform":
        bits = generator.integers(0, 256, (count * length + 7) // 8, np.uint8)
        flat = np.unpackbits(bits, count=count * length).view(bool)
        mask = flat.reshape(count, length)
    else:
        cuts = np.sort(generator.integers(0, length + 1, (2, count)), axis=0)
        if kind == "one_point":
            cuts[1] = length
        gene = np.arange(length)
        mask = (cuts[0][:, None] <= gene) & (gene < cuts[1][:, None])
    if rate < 1.0:
        mask = mask & (generator.random(count) < rate)[:, None]
    return mask


def cross(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns `second` where `mask`, else `first`; unsigned [k, n], by bits."""
    bits = np.negative(mask.view(np.uint8).astype(first.dtype))  # ones where true
    return first ^ ((first ^ second) & bits)


def resample(
    generator: np.random.Generator,
    solutions: np.ndarray,
    upper: np.ndarray,
    probability: float,
    preference: np.ndarray | None = None,
) -> np.ndarray:
    """Gives each gene another value in 0..upper with `probability`.

    Draws only the genes that change: their number is binomial, their places random.

    Args:
        generator: The source of random numbers.
        solutions: The solutions, unsigned [k, n].
        upper: The largest values, [n].
        probability: The mean chance of a gene.
        preference: How the chance is spread over the genes: the cumulative share of
            each, [n]; None means evenly.

    Returns:
        The changed solutions, [k, n].
    """
    count, length = solutions.shape
    number = generator.binomial(solutions.size, probability)
    if preference is None:
        places = generator.integers(0, solutions.size, number)
    else:
        genes = np.searchsorted(preference, generator.random(number), side="right")
        rows = generator.integers(0, count, number)
        places = rows * length + np.minimum(genes, length - 1)
    changed = solutions.copy()
    flat = changed.reshape(-1)
    if upper.max() == 1 == upper.min():
        flat[places] ^= 1
        return changed
    top = upper[places % length].astype(np.int64)
    step = generator.integers(1, np.maximum(top, 1) + 1)
    flat[places] = (flat[places] + step * (top > 0)) % (top + 1)
    return changed

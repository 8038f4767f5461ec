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
    """Bernoulli solutions (post, "Solutions": init_solns_1D), uint8 [count, length]."""
    return (generator.random((count, length)) < probability).astype(np.uint8)


def mate(
    generator: np.random.Generator, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """d_k = y_k if p <= 1/2 else z_k (post, "Mating"), for rows of parents [k, n]."""
    return np.where(generator.random(first.shape) <= 0.5, first, second)


def mutate(
    generator: np.random.Generator, solutions: np.ndarray, probability: float
) -> np.ndarray:
    """Each bit switches with `probability` (post, "Mutations", the text).

    The post's code draws a new bit instead, which is the old one half of the time.
    """
    return solutions ^ (generator.random(solutions.shape) < probability)


def feasible_indices(feasible: np.ndarray) -> np.ndarray:
    """Where `feasible` [k] is true (post: getWorkingSolutionIndices)."""
    return np.flatnonzero(feasible)


def probability_mass(values: np.ndarray, feasible: np.ndarray) -> np.ndarray:
    """Chances in proportion to objectives, none where not feasible (post: getPDF).

    Where a feasible objective is negative, all are lifted so that the least is 0;
    where all are equal to 0, each feasible solution has the same chance. The post
    divides by zero there, or gets negative chances.

    Args:
        values: objectives to maximise, [k].
        feasible: bool [k], at least one of them true.

    Returns:
        float64 [k] that sums to 1.
    """
    lifted = np.where(feasible, values - min(0.0, values[feasible].min()), 0.0)
    total = lifted.sum()
    return lifted / total if total > 0 else feasible / feasible.sum()


def cumulative(mass: np.ndarray) -> np.ndarray:
    """The cumulative mass function (post: getCDF), ending in exactly 1."""
    total = np.cumsum(mass)
    return total / total[-1]


def roulette(
    generator: np.random.Generator, mass: np.ndarray, count: int
) -> np.ndarray:
    """`count` indices drawn from a mass function [k] (post: sample_p_dist)."""
    return np.searchsorted(cumulative(mass), generator.random(count), side="right")


# --- Since then -----------------------------------------------------------------


def universal(
    generator: np.random.Generator, mass: np.ndarray, count: int
) -> np.ndarray:
    """Stochastic universal sampling: one spin, `count` evenly spaced pointers.

    Baker, "Reducing Bias and Inefficiency in the Selection Algorithm" (1987). Each
    index comes up within one of its expected number; the order is shuffled.
    """
    pointers = (np.arange(count) + generator.random()) / count
    chosen = np.searchsorted(cumulative(mass), pointers, side="right")
    return generator.permutation(chosen)


def tournament(
    generator: np.random.Generator, population: int, size: int, count: int
) -> np.ndarray:
    """The best of `size` random members, `count` times; members stand best first."""
    return generator.integers(0, population, (size, count), np.uint32).min(axis=0)


def crossover_mask(
    generator: np.random.Generator, kind: str, count: int, length: int, rate: float
) -> np.ndarray:
    """Where a child takes its second parent's genes, bool [count, length].

    Args:
        generator: of random numbers.
        kind: "uniform", "one_point" or "two_point".
        count: children.
        length: genes.
        rate: the share of children with two parents; the others copy the first.
    """
    if kind == "uniform":
        bits = generator.integers(0, 256, (count * length + 7) // 8, np.uint8)
        mask = np.unpackbits(bits, count=count * length).view(bool)
        mask = mask.reshape(count, length)
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
    """`second` where `mask`, else `first`; unsigned [k, n], by bits for speed."""
    bits = np.negative(mask.view(np.uint8).astype(first.dtype))  # ones where true
    return first ^ ((first ^ second) & bits)


def resample(
    generator: np.random.Generator,
    solutions: np.ndarray,
    upper: np.ndarray,
    probability: float,
) -> None:
    """Give each gene another value in 0..upper with `probability`, in place.

    Draws only the genes that change: their number is binomial, their places uniform.

    Args:
        generator: of random numbers.
        solutions: [k, n], C-contiguous.
        upper: largest values, [n].
        probability: of each gene.
    """
    number = generator.binomial(solutions.size, probability)
    places = generator.integers(0, solutions.size, number)
    flat = solutions.reshape(-1)
    if upper.max() == 1 == upper.min():
        flat[places] ^= 1
        return
    top = upper[places % solutions.shape[1]].astype(np.int64)
    step = generator.integers(1, np.maximum(top, 1) + 1)
    flat[places] = (flat[places] + step * (top > 0)) % (top + 1)


def repair(
    solutions: np.ndarray,
    weights: np.ndarray,
    capacities: np.ndarray,
    upper: np.ndarray,
    gainful: np.ndarray,
) -> None:
    """Drop the least useful items until all fits, then add the most useful that do.

    Chu and Beasley (1998), section 4.6, for all rows at once. Their two loops over the
    items need not be loops: what dropping from the end leaves is the longest beginning
    that fits, a cumulative sum; so is what can be added before an item is passed
    over, and an item that does not fit never will again: a few rounds add all.

    Args:
        solutions: [k, n], columns in falling order of pseudo-utility; in place.
        weights: [m, n], not negative.
        capacities: [m].
        upper: largest values, [n].
        gainful: whether taking more of an item is worth something, bool [n].
    """
    amounts = solutions.astype(float)
    loads = amounts @ weights.T  # [k, m]
    heavy = np.flatnonzero((loads > capacities).any(axis=1))
    if len(heavy):
        rows = amounts[heavy]
        keep = np.ones(rows.shape, bool)
        for weight, capacity in zip(weights, capacities, strict=True):
            keep &= np.cumsum(rows * weight, axis=1) <= capacity
        rows *= keep
        solutions[heavy] = rows
        loads[heavy] = rows @ weights.T
    slack = np.ascontiguousarray((capacities - loads).T)  # [m, k]
    fits = (solutions < upper) & gainful
    for weight, room in zip(weights, slack, strict=True):
        fits &= weight <= room[:, None]
    # Only what fits is looked at again: pairs by row, then by falling utility.
    places = np.flatnonzero(fits)
    rows = places // solutions.shape[1]
    items = places - rows * solutions.shape[1]
    needs = weights.take(items, axis=1)  # [m, pairs]
    flat = solutions.reshape(-1)
    spare = upper[items] - flat[places]
    binary = spare.max(initial=0) == 1
    while len(rows):
        leads = np.ones(len(rows), bool)
        np.not_equal(rows[1:], rows[:-1], out=leads[1:])
        first = leads.nonzero()[0]
        row = rows[first]
        whole = np.ones(len(rows), bool)
        for need, room in zip(needs if binary else needs * spare, slack, strict=True):
            total = np.cumsum(need)
            limit = room.copy()
            limit[row] += total[first] - need[first]
            whole &= total <= limit[rows]
        whole |= leads
        units = spare * whole
        if not binary:
            units[first] = np.minimum(
                spare[first], _units(slack[:, row], needs[:, first])
            )
        flat[places] += units
        left = np.logical_not(whole, out=whole)
        for need, room in zip(needs, slack, strict=True):
            room -= np.bincount(rows, need * units, len(room))
            left &= need <= room[rows]
        left = left.nonzero()[0]
        places, rows, spare = places[left], rows[left], spare[left]
        needs = needs.take(left, axis=1)


def _units(slack: np.ndarray, needs: np.ndarray) -> np.ndarray:
    """How many units of each row's item fit into its slack, both [m, k]; [k]."""
    fit = np.full(slack.shape, np.inf)
    np.floor_divide(slack, needs, out=fit, where=needs > 0)
    return fit.min(axis=0)

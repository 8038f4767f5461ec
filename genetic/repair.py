"""Repair and improvement of knapsack solutions, for a whole population at once."""

import numpy as np

EXACT_SINGLE = 2**24  # below it, a float32 holds every whole number
FIRST_LOOK = 8  # candidates that a solution is offered at first
CUMULATE = 4  # from so many candidates a solution, they are added by cumulative sums
STEPS = 200  # of the improvement of one solution
SURVEYED = 6  # constraints that all swaps are checked against


class Repair:
    """Drops the least useful items until all fits, then adds the most useful that do.

    Chu and Beasley (1998), section 4.6. Their two loops over the items need not be
    loops. What dropping from the end leaves is the longest beginning that fits: the
    sums of blocks of items find the block in which it ends, a cumulative sum the item.
    What is added comes from the few items that still fit: an item that is too large for
    the scarcest resource is never looked at, and one that does not fit never will.

    Args:
        weights: The weights, not negative, [m, n]; the columns stand in falling order
            of usefulness.
        capacities: The capacities, [m].
        upper: The largest amounts, [n].
        gainful: Whether taking more of an item is worth something, bool [n].
    """

    def __init__(
        self,
        weights: np.ndarray,
        capacities: np.ndarray,
        upper: np.ndarray,
        gainful: np.ndarray,
    ):
        rows, count = weights.shape
        most = weights @ upper.astype(float)
        whole = bool((weights == np.rint(weights)).all())
        dtype: type = np.float64
        if whole and most.max(initial=0.0) < EXACT_SINGLE:
            dtype = np.float32
            capacities = np.minimum(np.floor(capacities), most)
        self._block = max(1, round(count**0.5))
        blocks = -(-count // self._block)
        self._items = np.zeros((blocks * self._block, rows), dtype)  # [n, m], padded
        self._items[:count] = weights.T
        self._blocks = self._items.reshape(blocks, self._block, rows)
        self._weights: np.ndarray = np.ascontiguousarray(weights, dtype)
        self._capacities: np.ndarray = capacities.astype(dtype)
        self._typical = np.maximum(weights.mean(axis=1), 1e-30).astype(dtype)
        self._upper = upper
        self._binary = bool((upper <= 1).all())
        self._open = gainful & (upper > 0)

    def __call__(self, solutions: np.ndarray) -> None:
        """Repairs solutions, unsigned [k, n], in place."""
        amounts = np.zeros((len(solutions), len(self._items)), self._items.dtype)
        amounts[:, : solutions.shape[1]] = solutions
        loads = amounts @ self._items  # [k, m]
        heavy = np.flatnonzero((loads > self._capacities).any(axis=1))
        if len(heavy):
            cut, loads[heavy] = self._longest_beginnings(amounts[heavy])
            solutions[heavy] *= np.arange(solutions.shape[1]) < cut[:, None]
        self._add(solutions, self._capacities - loads)

    def _longest_beginnings(self, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many items each solution may keep, [h], and what they weigh, [h, m]."""
        every = np.arange(len(amounts))
        parts = amounts.reshape(len(amounts), -1, self._block)
        sums = np.matmul(
            parts.transpose(1, 0, 2).copy(), self._blocks
        )  # [blocks, h, m]
        total = np.zeros_like(sums[0])
        first = np.full(len(amounts), -1)  # the block in which a solution is full
        loads = np.zeros_like(total)  # before it
        for number, part in enumerate(sums):
            after = total + part
            full = (after > self._capacities).any(axis=1) & (first < 0)
            first[full] = number
            loads[full] = total[full]
            total = after
        inside = self._blocks[first] * parts[every, first][:, :, None]  # [h, block, m]
        inside[:, 0] += loads
        for place in range(1, self._block):
            inside[:, place] += inside[:, place - 1]
        kept = (inside <= self._capacities).all(axis=2).sum(axis=1)
        some = kept > 0
        loads[some] = inside[every[some], kept[some] - 1]
        return first * self._block + kept, loads

    def _add(self, solutions: np.ndarray, slack: np.ndarray) -> None:
        """Adds what fits into `slack`, [k, m], which is used up on the way."""
        count = solutions.shape[1]
        flat = solutions.reshape(-1)
        active = np.arange(len(solutions))
        free = (
            solutions == 0 if self._binary else solutions < self._upper
        ) & self._open
        width = FIRST_LOOK // 2
        while True:
            ratio = slack[active] / self._typical
            scarcest = ratio.argmin(axis=1)
            free &= self._weights[scarcest] <= slack[active, scarcest][:, None]
            some = free.any(axis=1)
            if not some.any():
                return
            active, free, ratio = active[some], free[some], ratio[some]
            width = max(2 * width, int(2 * ratio.min(axis=1).max()))
            rank = np.cumsum(free, axis=1, dtype=np.int32)
            place, item = np.nonzero(free & (rank <= width))
            free &= rank > width
            row = active[place]
            needs = self._items[item]  # [pairs, m]
            spare = self._upper[item] - flat[row * count + item]
            units = np.zeros_like(spare)
            order = np.flatnonzero((needs <= slack[row]).all(axis=1))
            if len(order) > CUMULATE * len(active):
                grid = np.zeros((len(active), width, needs.shape[1]), needs.dtype)
                at = place[order], rank[place[order], item[order]] - 1
                grid[at] = needs[order] * spare[order][:, None]
                total = np.cumsum(grid, axis=1, out=grid)
                whole = (total <= slack[active][:, None]).all(axis=2)[at]
                units[order] = spare[order] * whole
                used = np.zeros_like(ratio)
                np.maximum.at(used, place[order[whole]], total[at][whole])
                slack[active] -= used
                order = order[~whole]
                order = order[(needs[order] <= slack[row[order]]).all(axis=1)]
            while len(order):
                lead = np.ones(len(order), bool)  # the first candidate of each row
                np.not_equal(row[order[1:]], row[order[:-1]], out=lead[1:])
                taken, order = order[lead], order[~lead]
                number = self._units(slack[row[taken]], needs[taken], spare[taken])
                units[taken] = number
                slack[row[taken]] -= needs[taken] * number[:, None]
                order = order[(needs[order] <= slack[row[order]]).all(axis=1)]
            flat[row * count + item] += units

    def _units(
        self, slack: np.ndarray, needs: np.ndarray, spare: np.ndarray
    ) -> np.ndarray:
        """How many units of an item that fits are to be taken, [p]."""
        if self._binary:
            return spare
        fit = np.full(slack.shape, np.inf)
        np.floor_divide(slack, needs, out=fit, where=needs > 0, casting="unsafe")
        return np.minimum(spare, fit.min(axis=1)).astype(spare.dtype)


def improve(
    solution: np.ndarray,
    weights: np.ndarray,
    capacities: np.ndarray,
    upper: np.ndarray,
    gains: np.ndarray,
) -> np.ndarray:
    """Exchanges a unit of one item for one of another while that gains something.

    Args:
        solution: A feasible solution, [n].
        weights: The weights, not negative, [m, n].
        capacities: The capacities, [m].
        upper: The largest amounts, [n].
        gains: What a unit of each item is worth, [n].

    Returns:
        A solution that no such exchange and no addition improves (or that is near one,
        after many steps), [n].
    """
    solution = solution.copy()
    slack = capacities - weights @ solution
    for _ in range(STEPS):
        room = solution < upper
        fits = room & (gains > 0) & (weights <= slack[:, None]).all(axis=0)
        if fits.any():
            item = int(np.where(fits, gains, -np.inf).argmax())
            solution[item] += 1
            slack = slack - weights[:, item]
            continue
        out, into = np.flatnonzero(solution), np.flatnonzero(room)
        gain = gains[into] - gains[out][:, None]  # [out, into]
        good = gain > 0
        limits = weights[:, out] + slack[:, None]
        for row in np.argsort(slack / np.maximum(capacities, 1e-300))[:SURVEYED]:
            good &= weights[row, into] <= limits[row][:, None]
        first, second = good.nonzero()
        fit = (weights[:, into[second]] <= limits[:, first]).all(axis=0)
        if not fit.any():
            break
        best = np.where(fit, gain[first, second], -np.inf).argmax()
        old, new = out[first[best]], into[second[best]]
        solution[old] -= 1
        solution[new] += 1
        slack = slack + weights[:, old] - weights[:, new]
    return solution

"""What passes from one generation to the next, and what is told about each."""

import dataclasses
import itertools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

# What infeasible solutions score: all below what any feasible one can.
INFEASIBLE = -1e300


def penalty(broken: np.ndarray) -> np.ndarray:
    """Scores that fall from `INFEASIBLE` with violations [k], which are positive."""
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(broken), broken / (1.0 + broken), 1.0)
    return INFEASIBLE * (1.0 + share)


class Archive:
    """Feasible solutions and their objectives: a value that `add` extends cheaply.

    Later archives share the dictionary, which only grows; each sees its own part.
    """

    def __init__(self, entries: dict[bytes, float] | None = None):
        self._entries = entries if entries is not None else {}
        self._length = len(self._entries)

    def __len__(self) -> int:
        return self._length

    def items(self) -> list[tuple[bytes, float]]:
        """The solutions, as the bytes of x, with their objectives."""
        return list(itertools.islice(self._entries.items(), self._length))

    def add(self, solutions: np.ndarray, objectives: np.ndarray) -> "Archive":
        """Returns an archive that holds solutions [k, n] and objectives [k] too."""
        entries = self._entries
        if len(entries) != self._length:  # Another archive has gone on from this one.
            entries = dict(self.items())
        for solution, objective in zip(solutions, objectives.tolist(), strict=True):
            entries[solution.tobytes()] = objective
        return Archive(entries)


@dataclasses.dataclass(frozen=True)
class State:
    """All that the next generation depends on; a generation makes a new one.

    Attributes:
        population: The members [k, n], in the scheme's own order of the variables.
        scores: What survival goes by, float64 [k]; more is better.
        keys: Numbers that are equal for equal members (scheme "modern"), float64 [k].
        random: The state of the generator of random numbers.
        mutation: The current chance that a gene changes.
        best_solution: The x of the best feasible solution so far, [n].
        best: Its score; minus infinity before there is one.
        generation: The number of generations since the first population.
        evaluations: The number of solutions evaluated.
        stalled: The number of generations since `best` rose.
        seconds: The time of the run so far.
        epoch: How often the population has started anew.
        epoch_best: The best score of this epoch.
        epoch_stalled: The number of generations since it rose.
        reach: Which variables may change in this epoch; see `knapsack`.
        elite: The best of earlier epochs, [e, n].
        elite_scores: Their scores, float64 [e].
        elite_keys: Their keys, float64 [e].
        archive: Every feasible solution met (scheme "post").
    """

    population: np.ndarray
    scores: np.ndarray
    keys: np.ndarray
    random: dict[str, Any]
    mutation: float
    best_solution: np.ndarray
    best: float = -np.inf
    generation: int = 0
    evaluations: int = 0
    stalled: int = 0
    seconds: float = 0.0
    epoch: int = 0
    epoch_best: float = -np.inf
    epoch_stalled: int = 0
    reach: float = np.inf
    elite: np.ndarray = dataclasses.field(default_factory=lambda: np.empty((0, 0)))
    elite_scores: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    elite_keys: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    archive: Archive = dataclasses.field(default_factory=Archive)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields["random"] = json.dumps(self.random)
        archive = fields.pop("archive").items()
        keys = np.frombuffer(b"".join(key for key, _ in archive), np.uint8)
        fields["archive_keys"] = keys.reshape(len(archive), self.population.shape[1])
        fields["archive_values"] = np.array([value for _, value in archive], float)
        return {name: np.asarray(value) for name, value in fields.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "State":
        """The state that `arrays` came from, bit for bit."""
        fields: dict[str, Any] = {}
        for field in dataclasses.fields(cls)[:-1]:
            value = arrays[field.name]
            fields[field.name] = value if value.ndim else value.item()
        fields["random"] = json.loads(fields["random"])
        keys = (row.tobytes() for row in arrays["archive_keys"])
        values = arrays["archive_values"].tolist()
        return cls(**fields, archive=Archive(dict(zip(keys, values, strict=True))))


@dataclasses.dataclass(frozen=True)
class Record:
    """One generation, in the problem's own terms; nothing in it changes later.

    Attributes:
        generation: The generation's number; 0 is the first population.
        evaluations: The number of solutions evaluated so far.
        best: The objective of the best feasible solution so far; nan before.
        mean: The mean objective of the population's feasible members; nan if none.
        worst: The worst objective of the population's feasible members; nan if none.
        feasible_share: The feasible share of the population.
        seconds: The time of the run so far.
        best_solution: The best feasible x so far, [n]; None before.
        state: What the next generation depends on; None in all but the last record of
            a run in another process.
    """

    generation: int
    evaluations: int
    best: float
    mean: float
    worst: float
    feasible_share: float
    seconds: float
    best_solution: np.ndarray | None
    state: State | None = None

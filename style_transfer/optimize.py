"""Two ways down a loss over pixels, which stay within [0, 255].

Post, "Generating stylish images with content": Adam; the paper: L-BFGS. A state is a
value that no later step changes, and its arrays are all that the next step depends on.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

# Maps an image [height, width, 3] to its losses by name, "total_loss" among them, and
# the gradient of the total, of the image's shape.
Objective = Callable[[np.ndarray], tuple[Mapping, np.ndarray]]
Arrays = Mapping[str, np.ndarray]

MEMORY = 10  # pairs that L-BFGS keeps; SciPy's default
TRIALS = 12  # halvings of a step before a line search gives up
DECREASE = 1e-4  # Armijo's constant (Nocedal and Wright, "Numerical Optimization")


@dataclasses.dataclass(frozen=True)
class Adam:
    """Kingma and Ba, "Adam" (2015), algorithm 1, on pixels.

    Attributes:
        image: x, float32 [height, width, 3].
        losses: Those of the image that the last step started from.
        mean: The running mean of the gradients, of the image's shape.
        square: The running mean of their squares.
        updates: The number of steps made.
    """

    image: np.ndarray
    losses: dict[str, float]
    mean: np.ndarray
    square: np.ndarray
    updates: int

    @classmethod
    def start(cls, image: np.ndarray) -> "Adam":
        """Returns the state before the first step."""
        return cls(image, {}, np.zeros_like(image), np.zeros_like(image), 0)

    def step(self, objective: Objective, rate: float, clipped: bool = True) -> "Adam":
        """Returns the state after one more step.

        Args:
            objective: Losses and gradient.
            rate: The step in intensities; the post found 1 to 5 to work.
            clipped: Whether the step ends within [0, 255].

        Raises:
            FloatingPointError: A loss or gradient is not finite.
        """
        losses, gradient = evaluate(objective, self.image)
        updates = self.updates + 1
        mean = self.mean + 0.1 * (gradient - self.mean)
        square = self.square + 0.001 * (gradient**2 - self.square)
        root = np.sqrt(square / (1 - 0.999**updates))
        change = rate * mean / (1 - 0.9**updates) / (root + 1e-7)
        image = np.float32(self.image - change)
        if clipped:
            image = np.clip(image, 0.0, 255.0)
        return Adam(image, losses, mean, square, updates)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the state as arrays, for a file."""
        return {
            "image": self.image,
            "mean": self.mean,
            "square": self.square,
            "updates": np.array(self.updates),
        }

    @classmethod
    def restored(cls, arrays: Arrays, losses: dict[str, float]) -> "Adam":
        """Returns the state that `arrays` and its losses came from."""
        mean, square = arrays["mean"], arrays["square"]
        return cls(arrays["image"], losses, mean, square, int(arrays["updates"]))


@dataclasses.dataclass(frozen=True)
class Lbfgs:
    """Projected L-BFGS: Nocedal and Wright, algorithm 7.4, within bounds.

    Pixels at a bound that the gradient pushes against are left out of a step, and the
    line search (backtracking) follows the path clipped to the bounds (Bertsekas,
    "Projected Newton Methods", 1982).

    Attributes:
        image: x, float32 [height, width, 3].
        losses: Those of that image.
        gradient: That of that image; None before the first step.
        moves: s_k of the last steps, flat.
        turns: y_k of the last steps, flat.
    """

    image: np.ndarray
    losses: dict[str, float]
    gradient: np.ndarray | None = None
    moves: tuple[np.ndarray, ...] = ()
    turns: tuple[np.ndarray, ...] = ()

    @classmethod
    def start(cls, image: np.ndarray) -> "Lbfgs":
        """Returns the state before the first step."""
        return cls(image, {})

    def step(self, objective: Objective) -> "Lbfgs | None":
        """Returns the state after one more step, or None if no step is found.

        Raises:
            FloatingPointError: A loss or gradient is not finite.
        """
        if self.gradient is None:
            losses, gradient = evaluate(objective, self.image)
            return Lbfgs(self.image, losses, gradient).step(objective)
        found = self._search(objective, self.gradient)
        if found or not self.moves:
            return found
        # What the past steps say does not hold here.
        anew = dataclasses.replace(self, moves=(), turns=())
        return anew._search(objective, self.gradient)

    def _search(self, objective: Objective, gradient: np.ndarray) -> "Lbfgs | None":
        """One line search."""
        x = self.image
        held = ((x <= 0) & (gradient > 0)) | ((x >= 255) & (gradient < 0))
        free = np.where(held, 0, gradient)
        direction = self._direction(free.ravel()).reshape(x.shape)
        direction[held] = 0
        length = 1.0
        for _ in range(TRIALS):
            image = np.clip(x + length * direction, 0, 255)
            losses, found = evaluate(objective, image)
            slope = np.vdot(gradient, image - x)
            gain = losses["total_loss"] - self.losses["total_loss"]
            if gain <= DECREASE * slope < 0:
                moves, turns = self._remembered((image - x).ravel(), found - gradient)
                return Lbfgs(image, losses, found, moves, turns)
            length /= 2
        return None

    def _direction(self, gradient: np.ndarray) -> np.ndarray:
        """-H g by the two-loop recursion, algorithm 7.4."""
        if not self.moves:  # The average free pixel moves by one intensity.
            return -gradient / max(float(np.mean(np.abs(gradient))), 1e-30)
        q, alphas = gradient.copy(), []
        pairs = list(zip(self.moves, self.turns, strict=True))
        for s, y in reversed(pairs):
            alphas.append(np.vdot(s, q) / np.vdot(y, s))
            q -= alphas[-1] * y
        s, y = pairs[-1]
        q *= np.vdot(s, y) / np.vdot(y, y)
        for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
            q += (alpha - np.vdot(y, q) / np.vdot(y, s)) * s
        return -q

    def _remembered(self, move: np.ndarray, turn: np.ndarray) -> tuple[tuple, tuple]:
        turn = turn.ravel()
        if np.vdot(move, turn) <= 1e-10 * np.vdot(turn, turn):  # not curved upwards
            return self.moves, self.turns
        return (*self.moves, move)[-MEMORY:], (*self.turns, turn)[-MEMORY:]

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the state after at least one step as arrays, for a file."""
        return {
            "image": self.image,
            "gradient": np.asarray(self.gradient),
            "moves": np.array(self.moves, np.float32),
            "turns": np.array(self.turns, np.float32),
        }

    @classmethod
    def restored(cls, arrays: Arrays, losses: dict[str, float]) -> "Lbfgs":
        """Returns the state that `arrays` and its losses came from."""
        moves, turns = tuple(arrays["moves"]), tuple(arrays["turns"])
        return cls(arrays["image"], losses, arrays["gradient"], moves, turns)


def evaluate(
    objective: Objective, image: np.ndarray
) -> tuple[dict[str, float], np.ndarray]:
    """Returns losses as numbers, and the gradient as an array.

    Raises:
        FloatingPointError: One of them is not finite.
    """
    tensors, gradient = objective(image)
    losses = {name: float(tensor) for name, tensor in tensors.items()}
    gradient = np.asarray(gradient)
    total = losses["total_loss"]
    if not (np.isfinite(total) and np.isfinite(gradient.sum())):
        raise FloatingPointError(
            f"the loss is {total} and its gradient is not finite: lower "
            "--learning_rate or the weights of the losses"
        )
    return losses, gradient

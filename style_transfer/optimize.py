"""Two ways down a loss over pixels, both staying within [0, 255].

Post, "Generating stylish images with content": Adam; the paper: L-BFGS. Both keep
their whole state in arrays, so that a run can be stopped and go on exactly.
"""

from collections.abc import Callable

import numpy as np

# Maps an image [height, width, 3] to its losses by name, "total_loss" among them, and
# the gradient of the total, of the image's shape.
Objective = Callable[[np.ndarray], tuple[dict, np.ndarray]]
State = dict[str, np.ndarray]

MEMORY = 10  # pairs that L-BFGS keeps; SciPy's default
TRIALS = 12  # halvings of a step before a line search gives up
DECREASE = 1e-4  # Armijo's constant (Nocedal and Wright, "Numerical Optimization")


class Adam:
    """Kingma and Ba, "Adam" (2015), algorithm 1, on pixels clipped after each step.

    Attributes:
        image: x, float32 [height, width, 3].
        losses: of the image that the last step started from.
    """

    def __init__(self, objective: Objective, image: np.ndarray, learning_rate: float):
        """Args:
        objective: losses and gradient.
        image: where to start, float32 [height, width, 3].
        learning_rate: in intensities a step; the post found 1 to 5 to work.
        """
        self._objective = objective
        self._rate = learning_rate
        self.image = image
        self.losses: dict[str, float] = {}
        self._mean = np.zeros_like(image)
        self._square = np.zeros_like(image)
        self._step = 0

    def step(self) -> bool:
        """Update the picture once; True.

        Raises:
            FloatingPointError: a loss or gradient is not finite.
        """
        self.losses, gradient = evaluate(self._objective, self.image)
        step = self._step + 1
        mean = self._mean + 0.1 * (gradient - self._mean)
        square = self._square + 0.001 * (gradient**2 - self._square)
        root = np.sqrt(square / (1 - 0.999**step))
        change = self._rate * mean / (1 - 0.9**step) / (root + 1e-7)
        image = np.clip(self.image - change, 0.0, 255.0)
        # All at once: Ctrl-C between them would leave a state that is none.
        self.image, self._mean, self._square, self._step = image, mean, square, step
        return True

    def state(self) -> State:
        """Everything that the next step depends on."""
        return {
            "image": self.image,
            "mean": self._mean,
            "square": self._square,
            "updates": np.array(self._step),
        }

    def restore(self, state: State) -> None:
        """Go on from what `state` returned."""
        self.image = state["image"]
        self._mean, self._square = state["mean"], state["square"]
        self._step = int(state["updates"])


class Lbfgs:
    """Projected L-BFGS: Nocedal and Wright, algorithm 7.4, within bounds.

    Pixels at a bound that the gradient pushes against are left out of a step, and the
    line search (backtracking) follows the path clipped to the bounds (Bertsekas,
    "Projected Newton Methods", 1982).

    Attributes:
        image: x, float32 [height, width, 3].
        losses: of that image.
    """

    def __init__(self, objective: Objective, image: np.ndarray):
        """Args:
        objective: losses and gradient.
        image: where to start, float32 [height, width, 3].
        """
        self._objective = objective
        self.image = image
        self.losses: dict[str, float] = {}
        self._gradient: np.ndarray | None = None
        self._moves: list[np.ndarray] = []  # s_k, flat
        self._turns: list[np.ndarray] = []  # y_k, flat

    def step(self) -> bool:
        """Improve the picture once; False if no step is found.

        Raises:
            FloatingPointError: a loss or gradient is not finite.
        """
        if self._gradient is None:
            self.losses, self._gradient = evaluate(self._objective, self.image)
        if self._search():
            return True
        if not self._moves:
            return False
        self._moves, self._turns = [], []  # what they say does not hold here
        return self._search()

    def _search(self) -> bool:
        """One line search; False leaves all as it was."""
        x, gradient = self.image, self._gradient
        held = ((x <= 0) & (gradient > 0)) | ((x >= 255) & (gradient < 0))
        free = np.where(held, 0, gradient)
        direction = self._direction(free.ravel()).reshape(x.shape)
        direction[held] = 0
        length = 1.0
        for _ in range(TRIALS):
            image = np.clip(x + length * direction, 0, 255)
            losses, found = evaluate(self._objective, image)
            slope = np.vdot(gradient, image - x)
            gain = losses["total_loss"] - self.losses["total_loss"]
            if gain <= DECREASE * slope < 0:
                self._remember((image - x).ravel(), (found - gradient).ravel())
                self.image, self.losses, self._gradient = image, losses, found
                return True
            length /= 2
        return False

    def _direction(self, gradient: np.ndarray) -> np.ndarray:
        """-H g by the two-loop recursion, algorithm 7.4."""
        if not self._moves:  # the average free pixel moves by one intensity
            return -gradient / max(float(np.mean(np.abs(gradient))), 1e-30)
        q, alphas = gradient.copy(), []
        pairs = list(zip(self._moves, self._turns, strict=True))
        for s, y in reversed(pairs):
            alphas.append(np.vdot(s, q) / np.vdot(y, s))
            q -= alphas[-1] * y
        s, y = pairs[-1]
        q *= np.vdot(s, y) / np.vdot(y, y)
        for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
            q += (alpha - np.vdot(y, q) / np.vdot(y, s)) * s
        return -q

    def _remember(self, move: np.ndarray, turn: np.ndarray) -> None:
        if np.vdot(move, turn) > 1e-10 * np.vdot(turn, turn):  # curved upwards
            self._moves = [*self._moves, move][-MEMORY:]
            self._turns = [*self._turns, turn][-MEMORY:]

    def state(self) -> State:
        """Everything that the next step depends on."""
        names = sorted(self.losses)
        return {
            "image": self.image,
            "gradient": self._gradient,
            "moves": np.array(self._moves, np.float32),
            "turns": np.array(self._turns, np.float32),
            "names": np.array(names),
            "losses": np.array([self.losses[name] for name in names]),
        }

    def restore(self, state: State) -> None:
        """Go on from what `state` returned."""
        self.image, self._gradient = state["image"], state["gradient"]
        self._moves, self._turns = list(state["moves"]), list(state["turns"])
        losses = zip(state["names"], state["losses"], strict=True)
        self.losses = {str(name): float(loss) for name, loss in losses}


def evaluate(
    objective: Objective, image: np.ndarray
) -> tuple[dict[str, float], np.ndarray]:
    """Losses as numbers, and the gradient as an array.

    Raises:
        FloatingPointError: one of them is not finite.
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

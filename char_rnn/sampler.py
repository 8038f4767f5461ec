"""Text from a trained network, a character at a time, in NumPy.

Post, "Implementing Arch 1" and "Implementing Arch 2", "sample and then generate text".
"""

from collections.abc import Iterator, Mapping

import numpy as np

from char_rnn import text
from char_rnn.checkpoint import LETTERS
from char_rnn.config import Config


class Sampler:
    """Runs a network forward, in NumPy; the letters are those of `model`.

    Attributes:
        state: The state s [S], which starts at 0.
    """

    def __init__(self, config: Config, weights: Mapping[str, np.ndarray]):
        """Takes over a network.

        Args:
            config: The network's settings.
            weights: Its weights, by letter.

        Raises:
            ValueError: The weights do not fit the settings, or are not finite.
        """
        self._config = config
        if missing := set(LETTERS) - set(weights):
            raise ValueError(f"the weights {', '.join(sorted(missing))} are missing")
        size, nodes = np.size(weights["c"]), config.num_nodes
        hidden = nodes if config.combine == "sum" else 2 * nodes
        state = hidden if config.arch == 1 else size
        shapes = (size, nodes), (state, nodes), (hidden,), (hidden, size), (size,)
        for letter, shape in zip(LETTERS, shapes, strict=True):
            if np.shape(weights[letter]) != shape:
                raise ValueError(
                    f"the weights {letter} are {np.shape(weights[letter])}, not {shape}"
                )
            if not np.isfinite(weights[letter]).all():
                raise ValueError(f"the weights {letter} are not finite")
        self._U, self._W, self._b, self._V, self._c = (weights[k] for k in LETTERS)
        self.state = np.zeros(state, self._W.dtype)

    def logits(self, character: int) -> np.ndarray:
        """Computes the logits o [A] after one more character."""
        x, s = self._U[character], self.state @ self._W
        if self._config.combine == "sum":
            a = x + s + self._b
        else:
            a = np.concatenate([x, s]) + self._b
        h = np.maximum(a, 0) if self._config.activation == "relu" else np.tanh(a)
        o = h @ self._V + self._c
        self.state = h if self._config.arch == 1 else softmax(o)
        return o

    def write(
        self,
        prime: np.ndarray,
        length: int,
        random: np.random.Generator,
        temperature: float = 1.0,
        top_k: int = 0,
        softmax_twice: bool = False,
    ) -> Iterator[int]:
        """Draws one character after another, each from what the network expects.

        Args:
            prime: The ids of the text before, at least one; they are not repeated.
            length: The number of characters to draw.
            random: The source of the draws.
            temperature: What the logits are divided by; 0 takes the likeliest.
            top_k: How many of the likeliest characters to draw from; 0 means all.
            softmax_twice: Whether to repeat the post's slip, which makes all
                characters nearly alike.

        Yields:
            The ids.

        Raises:
            ValueError: The ids of the prime, or a number, are wrong.
            FloatingPointError: The network's output is not finite.
        """
        text.check_ids(prime, len(self._c))
        if not (temperature >= 0 and top_k >= 0):
            raise ValueError(
                f"temperature={temperature}, top_k={top_k}: neither may be below 0"
            )
        for character in prime:
            o = self.logits(character)
        for _ in range(length):
            if softmax_twice:
                o = softmax(o)
            character = draw(o, random, temperature, top_k)
            yield character
            o = self.logits(character)


def draw(
    o: np.ndarray, random: np.random.Generator, temperature: float, top_k: int
) -> int:
    """Draws one id from logits [A]; see `Sampler.write`."""
    if not np.isfinite(o).all():
        raise FloatingPointError(
            "the network's output is not finite: train it with a lower --learning_rate"
        )
    with np.errstate(over="ignore"):
        likeliest = temperature == 0 or not np.isfinite(o / temperature).all()
    if likeliest:
        return int(o.argmax())
    if 0 < top_k < len(o):
        kept = np.argpartition(o, -top_k)[-top_k:]
        o = np.where(np.isin(np.arange(len(o)), kept), o, -np.inf)
    return text.sample_prob(softmax(o / temperature), random)


def softmax(o: np.ndarray) -> np.ndarray:
    """Computes the probabilities of logits [A]."""
    grown = np.exp(o - o.max())
    return grown / grown.sum()

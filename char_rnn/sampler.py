"""Text from a trained network: forward alone, a character at a time, in NumPy.

Post, "Implementing Arch 1" and "Implementing Arch 2", "sample and then generate text".
"""

from collections.abc import Iterator

import numpy as np

from char_rnn import text
from char_rnn.config import Config


class Sampler:
    """Runs a network a character at a time, in NumPy; the letters are `model`'s."""

    def __init__(self, config: Config, weights: dict[str, np.ndarray]):
        """Args:
        config: the network's.
        weights: of the model, by letter.
        """
        self._config = config
        self._U, self._W, self._b, self._V, self._c = (weights[k] for k in "UWbVc")
        self.state = np.zeros(self._W.shape[0], self._W.dtype)

    def logits(self, character: int) -> np.ndarray:
        """o [A] after one more character."""
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
            prime: ids of the text before, at least one; not repeated.
            length: how many to draw.
            random: source of the draws.
            temperature: the logits are divided by it; 0 takes the likeliest.
            top_k: draws from the k likeliest alone; 0: from all.
            softmax_twice: the post's slip, which makes all characters nearly alike.

        Yields:
            Ids.
        """
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
    """One id from logits [A]; see `Sampler.write`."""
    if temperature == 0:
        return int(o.argmax())
    if 0 < top_k < len(o):
        kept = np.argpartition(o, -top_k)[-top_k:]
        o = np.where(np.isin(np.arange(len(o)), kept), o, -np.inf)
    return text.sample_prob(softmax(o / temperature), random)


def softmax(o: np.ndarray) -> np.ndarray:
    """Probabilities of logits [A]."""
    grown = np.exp(o - o.max())
    return grown / grown.sum()

"""The two recurrent networks of the post, as plainly as they can be written.

Post, "RNN architectures", with its letters:
    x_t  the character at step t, one-hot                            [B, A]
    s_t  what step t gets from the step before it                    [B, S]
    U    input matrix [A, n];  W  recurrent matrix [S, n];  b  bias
    h_t  hidden layer;  V  output matrix;  c  its bias
    o_t  logits of the character that follows x_t                    [B, A]
T is the number of unrollings, B the batch, A the alphabet, n the nodes. The hidden
layer has H = 2n units when the two products are concatenated, n when they are summed.
Arch 1 feeds its hidden layer back (s_t = h_{t-1}, S = H). Arch 2 feeds its output back
(s_t = softmax o_{t-1}, S = A), or under teacher forcing the right answer in its place.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from char_rnn.checkpoint import LETTERS
from char_rnn.config import Config
from char_rnn.text import LARGEST

ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.nn.tanh}


class CharRNN(tf.Module):
    """One of the two architectures; `config.seed` determines its initial values.

    Attributes:
        config: The settings.
        alphabet_size: The number A of characters.
        state_size: The width S of the state.
    """

    def __init__(self, config: Config, alphabet_size: int, dtype=tf.float32):
        super().__init__()
        if not 1 <= alphabet_size <= LARGEST:
            raise ValueError(f"an alphabet of {alphabet_size}: 1 to {LARGEST} may be")
        self.config = config
        self.alphabet_size = alphabet_size
        nodes = config.num_nodes
        hidden = nodes if config.combine == "sum" else 2 * nodes
        self.state_size = hidden if config.arch == 1 else alphabet_size
        values = initial_values(config, alphabet_size, hidden, self.state_size)
        self.U, self.W, self.b, self.V, self.c = (
            tf.Variable(tf.cast(value, dtype)) for value in values
        )

    @property
    def weights(self) -> list[tf.Variable]:
        """The variables U, W, b, V and c."""
        return [getattr(self, letter) for letter in LETTERS]

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies the weights, by letter."""
        return {letter: getattr(self, letter).numpy() for letter in LETTERS}

    def assign(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes over the weights of `arrays`.

        Raises:
            ValueError: One is missing, or has another shape.
        """
        for letter in LETTERS:
            variable = getattr(self, letter)
            shape = np.shape(arrays[letter]) if letter in arrays else "missing"
            if shape != tuple(variable.shape):
                raise ValueError(
                    f"the weights {letter} are {shape}, not {tuple(variable.shape)}"
                )
            variable.assign(arrays[letter])

    def zero_state(self, batch_size: int) -> tf.Tensor:
        """Makes the state before the first character, [B, S].

        Post, "Hyperparameters and initial conditions".
        """
        return tf.zeros([batch_size, self.state_size], self.U.dtype)

    def cell(self, x: tf.Tensor, s: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes one step: the hidden layer h_t [B, H] and the logits o_t [B, A]."""
        if self.config.combine == "sum":
            a = x @ self.U + s @ self.W + self.b
        else:
            a = tf.concat([x @ self.U, s @ self.W], axis=1) + self.b
        h = ACTIVATIONS[self.config.activation](a)
        return h, h @ self.V + self.c

    def unroll(
        self, characters: tf.Tensor, state: tf.Tensor, teacher_forcing: bool = True
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the logits after each of T characters, and the last state.

        Args:
            characters: The ids, int32 [T, B].
            state: The state before them, [B, S].
            teacher_forcing: Whether Arch 2 gets the right answer of the step before,
                which *is* the current character: both inputs are then x_t. (The
                post's code starts each window from raw logits instead, as the target
                is out of its reach; here the stream goes on.)

        Returns:
            The logits [T, B, A], and the state after the last character, [B, S].
        """
        inputs = tf.one_hot(characters, self.alphabet_size, dtype=self.U.dtype)
        feeds_hidden = self.config.arch == 1

        def step(before, x):
            s = x if teacher_forcing and not feeds_hidden else before[1]
            h, o = self.cell(x, s)
            return o, h if feeds_hidden else tf.nn.softmax(o)

        logits, states = tf.scan(step, inputs, (tf.zeros_like(inputs[0]), state))
        return logits, states[-1]


def initial_values(
    config: Config, alphabet_size: int, hidden: int, state_size: int
) -> list[tf.Tensor]:
    """Makes U, W, b, V and c before training, float32.

    "printed" is the post's `truncated_normal(shape, -0.1, 0.1)`: a mean of -0.1 and a
    deviation of 0.1. "range" is what its arguments look like: within -0.1 and 0.1.
    "orthogonal" keeps the length of what goes round the recurrence (Saxe et al. 2013).

    Args:
        config: The settings.
        alphabet_size: The number A of characters.
        hidden: The width H of the hidden layer.
        state_size: The width S of the state.
    """
    nodes = config.num_nodes
    shapes = [alphabet_size, nodes], [state_size, nodes], [hidden, alphabet_size]
    seeds = range(3 * config.seed, 3 * config.seed + 3)
    if config.initialization == "orthogonal":
        U, W, V = (
            tf.keras.initializers.GlorotUniform(seed)(shape)
            for seed, shape in zip(seeds, shapes, strict=True)
        )
        if config.arch == 1:
            loop = tf.keras.initializers.Orthogonal(seed=seeds[1])([nodes, nodes])
            W = tf.concat([W[: state_size - nodes], loop], axis=0)
    else:
        mean, deviation = (
            (-0.1, 0.1) if config.initialization == "printed" else (0, 0.05)
        )
        make = tf.keras.initializers.TruncatedNormal
        U, W, V = (
            make(mean, deviation, seed)(shape)
            for seed, shape in zip(seeds, shapes, strict=True)
        )
    return [U, W, tf.zeros([hidden]), V, tf.zeros([alphabet_size])]

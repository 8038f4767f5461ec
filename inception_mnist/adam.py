"""Adam, reading and writing every number of its state once a step.

Kingma and Ba 2015, "Adam: a method for stochastic optimization", end of section 2;
decoupled weight decay: Loshchilov and Hutter 2019. The dense head has 140 million
weights, and the memory's speed is all that its update costs.
"""

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """The optimizer of a list of variables.

    A bfloat16 variable is a rounded copy of a float32 master kept here, as in
    Micikevicius et al. 2018, "Mixed precision training", section 3.1.

    Args:
        weights: The model's, Keras variables.
        weight_decay: A step takes rate * weight_decay off each kernel.

    Attributes:
        masters: The float32 weights, in the variables' order.
        variables: All state: masters that are not variables of the model, both
            moments, and the count of steps.
        local: Returns the copy of a variable to update, which is the variable itself
            unless there are replicas.
    """

    def __init__(self, weights: list, weight_decay: float):
        self.local = lambda variable: variable
        # Its own: TensorFlow's functions keep all variables that they ever saw.
        self._update = tf.function(update, jit_compile=True, autograph=False)
        self._weights = [weight.value for weight in weights]
        self._decays = [weight_decay * (len(w.shape) > 1) for w in self._weights]
        self.masters = [
            w if w.dtype == tf.float32 else tf.Variable(tf.cast(w, tf.float32))
            for w in self._weights
        ]
        self._means, self._squares = (
            [tf.Variable(tf.zeros(w.shape)) for w in self._weights] for _ in range(2)
        )
        self._steps = tf.Variable(0.0)
        pairs = zip(self._weights, self.masters, strict=True)
        extra = [master for weight, master in pairs if weight is not master]
        self.variables = [*extra, *self._means, *self._squares, self._steps]

    def apply(self, gradients: list[tf.Tensor], rate: tf.Tensor) -> None:
        """Take one step down the gradients at a learning rate, float32 []."""
        steps = self._steps.assign_add(1.0)
        correction = tf.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps)
        for *variables, decay, gradient in zip(
            self._weights,
            self.masters,
            self._means,
            self._squares,
            self._decays,
            gradients,
            strict=True,
        ):
            self._update(
                *map(self.local, variables), gradient, rate, rate * correction, decay
            )

    def round_masters(self) -> None:
        """Make the variables that are copies follow their masters."""
        for weight, master in zip(self._weights, self.masters, strict=True):
            if weight is not master:
                weight.assign(tf.cast(master, weight.dtype))


def update(weight, master, mean, square, gradient, rate, corrected_rate, decay):
    """Update one weight tensor; compiled, it is one pass over the memory."""
    gradient = tf.cast(gradient, tf.float32)
    mean.assign(mean + (1 - BETA_1) * (gradient - mean))
    square.assign(square + (1 - BETA_2) * (gradient * gradient - square))
    step = corrected_rate * mean / (tf.sqrt(square) + EPSILON) + rate * decay * master
    master.assign_sub(step)
    if weight is not master:
        weight.assign(tf.cast(master, weight.dtype))


def one_cycle(step: tf.Tensor, steps: int, highest: float) -> tf.Tensor:
    """Return a step's rate: up for a fifth of the run, then half a cosine down.

    Smith and Topin 2019, "Super-convergence".
    """
    share = tf.cast(step, tf.float32) / steps
    falling = 0.5 * (1 + tf.cos(3.14159265 * (share - 0.2) / 0.8))
    return highest * tf.where(share < 0.2, share / 0.2, falling)

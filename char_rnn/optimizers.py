"""Optimizers, with how their learning rate falls (post, "Implementing Arch 1")."""

import tensorflow as tf

from char_rnn.config import Config


def make_optimizer(config: Config) -> tf.keras.optimizers.Optimizer:
    """Makes the optimizer, with the post's decay or with a cosine."""
    schedules = tf.keras.optimizers.schedules
    if config.schedule == "staircase":
        rate = schedules.ExponentialDecay(
            config.learning_rate, config.decay_steps, config.decay_rate, staircase=True
        )
    elif config.warmup_steps:  # Adam's first steps would blow a wide network up.
        rate = schedules.CosineDecay(
            config.learning_rate / config.warmup_steps,
            max(1, config.steps - config.warmup_steps),
            warmup_target=config.learning_rate,
            warmup_steps=config.warmup_steps,
        )
    else:
        rate = schedules.CosineDecay(config.learning_rate, config.steps)
    if config.optimizer == "adadelta":
        return Adadelta(rate, epsilon=config.epsilon)
    make = {"sgd": tf.keras.optimizers.SGD, "adam": tf.keras.optimizers.Adam}
    return make[config.optimizer](rate)


class Adadelta(tf.keras.optimizers.Optimizer):
    """Computes Adadelta (Zeiler 2012) as TensorFlow 0.12 did.

    With the gradient g, the decay rho, and means of squares that begin at 0:

        gradients <- rho gradients + (1 - rho) g^2
        step       = g sqrt(steps + epsilon) / sqrt(gradients + epsilon)
        steps     <- rho steps + (1 - rho) step^2
        variable  <- variable - rate g sqrt(steps + epsilon) / sqrt(gradients + epsilon)

    The last line has the new `steps`, where the paper, Keras and later TensorFlow have
    the old: in the kernel `ApplyAdadelta` of TensorFlow 0.12, `update` was a lazy
    expression that was computed anew wherever it stood (TensorFlow's issue 9058).

    Attributes:
        rho: The decay of the means.
        epsilon: What is added to them.
    """

    def __init__(self, learning_rate, rho: float = 0.95, epsilon: float = 1e-8):
        super().__init__(learning_rate=learning_rate)
        self.rho, self.epsilon = rho, epsilon

    def build(self, variables: list[tf.Variable]) -> None:
        """Makes the means of all variables."""
        if not self.built:
            super().build(variables)
            self._gradients, self._steps = self.add_optimizer_variables(
                variables, ["gradients", "steps"]
            )

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Changes one variable and its means."""
        place = self._get_variable_index(variable)
        gradients, steps = self._gradients[place], self._steps[place]

        def step():
            return gradient * tf.sqrt(
                (steps + self.epsilon) / (gradients + self.epsilon)
            )

        for mean, make in ((gradients, lambda: gradient), (steps, step)):
            new = self.rho * mean + (1 - self.rho) * tf.square(make())
            self.assign(mean, new)
        self.assign_sub(variable, tf.cast(learning_rate, variable.dtype) * step())

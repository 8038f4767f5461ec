"""Two ways down a loss over pixels, both staying within [0, 255].

Post, "Generating stylish images with content": Adam; the paper: L-BFGS.
"""

from collections.abc import Callable

import numpy as np
import scipy.optimize
import tensorflow as tf

# Maps an image [height, width, 3] to its losses by name, "total_loss" among them, and
# the gradient of the total, of the image's shape.
Objective = Callable[[tf.Tensor], tuple[dict[str, tf.Tensor], tf.Tensor]]
# Is told, after each step: the step from 1, the losses at the image that the step
# started from (Adam) or reached (L-BFGS), and the image reached.
Report = Callable[[int, dict[str, float], np.ndarray], None]


def adam(
    objective: Objective,
    image: np.ndarray,
    steps: int,
    learning_rate: float,
    report: Report,
) -> None:
    """Keras's Adam on the pixels, which are clipped to [0, 255] after each step.

    Args:
        objective: losses and gradient.
        image: where to start, float32 [height, width, 3].
        steps: updates to make.
        learning_rate: in intensities a step; the post found 1 to 5 to work.
        report: is called after each step.

    Raises:
        FloatingPointError: a loss or gradient is not finite.
    """
    pixels = tf.Variable(image)
    optimizer = tf.keras.optimizers.Adam(learning_rate)
    optimizer.build([pixels])
    for step in range(1, steps + 1):
        tensors, gradient = objective(pixels.read_value())
        losses = _finite(tensors, gradient, step)
        optimizer.apply([gradient], [pixels])
        pixels.assign(tf.clip_by_value(pixels, 0.0, 255.0))
        report(step, losses, pixels.numpy())


def lbfgs(objective: Objective, image: np.ndarray, steps: int, report: Report) -> None:
    """SciPy's L-BFGS-B with every pixel bounded by 0 and 255.

    Args:
        objective: losses and gradient.
        image: where to start, float32 [height, width, 3].
        steps: iterations at most; each evaluates the objective once or a few times.
        report: is called after each iteration.

    Raises:
        FloatingPointError: a loss or gradient is not finite.
    """
    step = 0
    scale = 0.0
    losses: dict[str, float] = {}

    def value_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal losses, scale
        pixels = tf.constant(flat.reshape(image.shape), tf.float32)
        tensors, gradient = objective(pixels)
        losses = _finite(tensors, gradient, step + 1)
        # The first trial step has the length of the gradient: make that one intensity
        # for the average pixel, whatever the weights of the losses.
        scale = scale or 1.0 / max(float(np.mean(np.abs(gradient))), 1e-30)
        return scale * losses["total_loss"], scale * np.float64(gradient).ravel()

    def after_iteration(flat: np.ndarray) -> None:
        nonlocal step
        step += 1
        report(step, losses, np.float32(flat.reshape(image.shape)))

    scipy.optimize.minimize(
        value_and_gradient,
        np.float64(image).ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=scipy.optimize.Bounds(0.0, 255.0),
        callback=after_iteration,
        options={"maxiter": steps, "maxfun": 20 * steps, "ftol": 0.0, "gtol": 0.0},
    )


def _finite(
    tensors: dict[str, tf.Tensor], gradient: tf.Tensor, step: int
) -> dict[str, float]:
    losses = {name: float(tensor) for name, tensor in tensors.items()}
    total = losses["total_loss"]
    if not (np.isfinite(total) and np.isfinite(float(tf.reduce_sum(gradient)))):
        raise FloatingPointError(
            f"step {step}: the loss is {total} and its gradient is not finite: lower "
            "--learning_rate or the weights of the losses"
        )
    return losses

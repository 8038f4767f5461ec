"""From two pictures to a loss over a third, and down that loss.

Post, "Generating stylish images with content":
    L(a, p, x, l_c, lambda) = alpha L_content(p, x, l_c) + beta L_style(a, x, lambda)
with p the content picture, a the style picture and x the picture that is made. (The
post prints a as the argument of L_content; its own definition says p.)
"""

import numpy as np
import tensorflow as tf

from style_transfer import losses, optimize
from style_transfer.config import Config
from style_transfer.features import Network


def layers(config: Config) -> tuple[str, ...]:
    """The layers whose feature maps the mode needs, in the order of the network."""
    needed = set()
    if config.mode in ("transfer", "content"):
        needed.update(config.content_layers)
    if config.mode in ("transfer", "style"):
        needed.update(config.style_layers)
    return tuple(sorted(needed))


def noise(height: int, width: int, seed: int) -> np.ndarray:
    """White noise as the post says: normal around 255/2, truncated to [0, 255].

    The post names no deviation. Its library's truncated normal stops at two of them,
    and so a deviation of 255/4 is the one that stops at 0 and 255.

    Returns:
        float32 [height, width, 3].
    """
    tensor = tf.random.stateless_truncated_normal(
        [height, width, 3], seed=[seed, 0], mean=255.0 / 2, stddev=255.0 / 4
    )
    return tensor.numpy()


def make_objective(
    config: Config,
    content: np.ndarray,
    style: np.ndarray,
    network: Network | None,
) -> optimize.Objective:
    """The loss of the mode and its gradient with respect to the pixels.

    Args:
        config: mode, layers and weights.
        content: p, [height, width, 3] in [0, 255]; the target in mode "pixels".
        style: a, [height, width, 3] in [0, 255], of any size.
        network: the feature maps; None will do in mode "pixels".

    Returns:
        A function of an image [height, width, 3]. Its losses are those of the post
        before alpha and beta: "content_loss", "style_loss", "total_variation" or
        "pixel_loss", as far as the mode has them, and their weighted sum "total_loss".
    """
    content_targets, style_targets = {}, {}
    if config.mode in ("transfer", "content"):
        maps = network.features(tf.constant(content))
        content_targets = {name: maps[name] for name in config.content_layers}
    if config.mode in ("transfer", "style"):
        maps = network.features(tf.constant(style))
        style_targets = {
            name: losses.mean_gram_matrix(maps[name]) for name in config.style_layers
        }
    content_pixels = tf.constant(content)

    def parts(image: tf.Tensor) -> dict[str, tuple[float, tf.Tensor]]:
        """Each loss with its weight."""
        found = {}
        if config.mode == "pixels":
            found["pixel_loss"] = 1.0, losses.pixel_loss(image, content_pixels)
        else:
            maps = network.features(image)
        if content_targets:
            found["content_loss"] = (
                config.content_weight,
                tf.add_n(
                    [
                        losses.content_loss(maps[name], target)
                        for name, target in content_targets.items()
                    ]
                ),
            )
        if style_targets:
            found["style_loss"] = (
                config.style_weight * network.style_scale,
                tf.add_n(
                    [
                        weight * losses.style_layer_loss(maps[name], gram)
                        for weight, (name, gram) in zip(
                            config.style_layer_weights,
                            style_targets.items(),
                            strict=True,
                        )
                    ]
                ),
            )
        if config.total_variation_weight:
            found["total_variation"] = (
                config.total_variation_weight,
                losses.total_variation(image),
            )
        return found

    @tf.function
    def objective(image: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            weighted = parts(image)
            total = tf.add_n([weight * loss for weight, loss in weighted.values()])
        tensors = {name: loss for name, (_, loss) in weighted.items()}
        return tensors | {"total_loss": total}, tape.gradient(total, image)

    return objective


def run(
    config: Config,
    objective: optimize.Objective,
    start: np.ndarray,
    report: optimize.Report,
) -> None:
    """Make the picture: take `config.steps` steps down `objective` from `start`.

    Args:
        config: the optimizer and its settings.
        objective: what `make_objective` returns.
        start: float32 [height, width, 3] in [0, 255].
        report: is told of every step, see `optimize.Report`; what it raises ends
            the run.

    Raises:
        FloatingPointError: a loss is not finite.
    """
    if config.optimizer == "adam":
        optimize.adam(objective, start, config.steps, config.learning_rate, report)
    else:
        optimize.lbfgs(objective, start, config.steps, report)

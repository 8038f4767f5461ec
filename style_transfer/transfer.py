"""The way from a start to a picture: coarse to fine, a step at a time.

Post, "Generating stylish images with content". The post has one scale; starting small
(Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", 2017, section
6) settles large strokes sooner, and costs little.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from style_transfer import images, optimize
from style_transfer.config import Config
from style_transfer.features import Network
from style_transfer.objective import Objective
from style_transfer.terms import Pictures

COARSEST_SIDE = 64  # pixels of the shorter side that no smaller scale goes under


@dataclasses.dataclass(frozen=True)
class Progress:
    """One step that was made.

    Attributes:
        step: its number from 1, over all scales.
        losses: at the image that the step started from (Adam) or reached (L-BFGS).
        image: reached, float32 [height, width, 3] of the scale at hand.
    """

    step: int
    losses: dict[str, float]
    image: np.ndarray
    _place: dict[str, int]
    _optimizer: optimize.Adam | optimize.Lbfgs

    def state(self) -> optimize.State:
        """What `paint` needs to go on from here."""
        place = {name: np.array(value) for name, value in self._place.items()}
        return self._optimizer.state() | place


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


def scale_factors(config: Config, height: int, width: int) -> list[float]:
    """The size of each scale as a share of the last, from coarse to 1.

    Scales whose shorter side would be under `COARSEST_SIDE` are left out.
    """
    factors = [0.5**halvings for halvings in reversed(range(config.scales))]
    coarsest = COARSEST_SIDE / min(height, width)
    return [factor for factor in factors if factor >= min(1.0, coarsest)]


def scaled(pictures: Pictures, factor: float) -> Pictures:
    """All pictures and masks at `factor` of their size."""

    def small(image: np.ndarray) -> np.ndarray:
        height, width = (max(32, round(side * factor)) for side in image.shape[:2])
        return images.resize(image, height, width)

    if factor == 1:
        return pictures
    content = small(pictures.content)
    styles = tuple(small(style) for style in pictures.styles)
    height, width = content.shape[:2]
    masks = tuple(images.resize_mask(mask, height, width) for mask in pictures.masks)
    return Pictures(content, styles, masks)


def paint(
    config: Config,
    pictures: Pictures,
    network: Network | None,
    start: np.ndarray,
    side: int | None = None,
    saved: optimize.State | None = None,
) -> Iterator[Progress]:
    """Make the picture, yielding after each of `config.steps` steps at each scale.

    L-BFGS goes on to the next scale early where it finds no step.

    Args:
        config: mode, losses, optimizer and scales.
        pictures: what is aimed at, at full size.
        network: the feature maps; None will do in mode "pixels".
        start: float32 [height, width, 3] in [0, 255], at full size.
        side: of the tiles in which pictures are looked at; None: whole.
        saved: the `Progress.state` to go on from; None begins.

    Raises:
        FloatingPointError: a loss is not finite.
    """
    factors = scale_factors(config, *start.shape[:2])
    pulls = None
    if config.normalize_gradients and network:
        small = scaled(pictures, factors[0])
        shape = small.content.shape[:2]
        pulls = Objective(config, small, network).pulls(noise(*shape, config.seed))
    image, step, begin, done = start, 0, 0, 0
    if saved:
        step, begin, done = (int(saved[key]) for key in ("step", "scale", "done"))
    for scale in range(begin, len(factors)):
        aims = scaled(pictures, factors[scale])
        image = resized(image, *aims.content.shape[:2])
        objective = Objective(config, aims, network, side, pulls)
        optimizer = make_optimizer(config, objective, image)
        if saved and scale == begin:
            optimizer.restore(saved)
        while done < config.steps and optimizer.step():
            step, done = step + 1, done + 1
            place = {"step": step, "scale": scale, "done": done}
            yield Progress(step, optimizer.losses, optimizer.image, place, optimizer)
        image, done = optimizer.image, 0


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """`image` at another size, without rounding to whole intensities."""
    if image.shape[:2] == (height, width):
        return image
    larger = tf.image.resize(image, [height, width], "bicubic", antialias=True)
    return np.clip(larger.numpy(), 0.0, 255.0)


def make_optimizer(
    config: Config, objective: Objective, image: np.ndarray
) -> optimize.Adam | optimize.Lbfgs:
    """The optimizer that `config` names, at its start."""
    if config.optimizer == "adam":
        return optimize.Adam(objective, image, config.learning_rate)
    return optimize.Lbfgs(objective, image)

"""The way from the pictures' files to a new picture: coarse to fine, step by step.

Post, "Generating stylish images with content". The post has one scale; starting small
(Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", 2017, section
6) settles large strokes sooner, and costs little.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from style_transfer import colors, images, memory, optimize, samples, weights
from style_transfer.config import Config
from style_transfer.objective import Objective, Pictures, needed_layers
from style_transfer.vgg import Network

COARSEST_SIDE = 64  # pixels of the shorter side that no smaller scale goes under
Saved = Mapping[str, np.ndarray]  # `Progress.arrays`
GROWTH = 1.5  # steps of a scale to those of the next finer one
# Where a transfer starts from noise: shares of beta, each with a share of the steps at
# the first scale; what is left of them has the whole of beta.
RAMP = ((1e-4, 0.3), (1e-3, 0.15), (1e-2, 0.1), (1e-1, 0.1))


@dataclasses.dataclass(frozen=True)
class Sources:
    """Pictures: paths of files, or pictures of Pillow.

    Attributes:
        content: The photograph.
        styles: The paintings.
        masks: For each style where it goes, white in black; or none.
    """

    content: images.Source = samples.PHOTOGRAPH
    styles: tuple[images.Source, ...] = (samples.PAINTING,)
    masks: tuple[images.Source, ...] = ()

    def paths(self) -> list[str]:
        """Returns the paths of all pictures that are files."""
        every = self.content, *self.styles, *self.masks
        return [path for path in every if isinstance(path, str)]


@dataclasses.dataclass(frozen=True)
class Run:
    """Everything that a run needs, loaded and checked.

    Attributes:
        config: Its settings.
        shown: Content and styles as they were loaded, [height, width, 3].
        pictures: What is aimed at, after `--preserve_colors`.
        start: The picture to start from.
        network: The source of the feature maps; None in mode "pixels".
        side: The side of the tiles to work in; None means whole.
        opacity: That of the content, uint8 [height, width]; None is opaque.
        note: What the user should know about memory.
    """

    config: Config
    shown: list[np.ndarray]
    pictures: Pictures
    start: np.ndarray
    network: Network | None
    side: int | None = None
    opacity: np.ndarray | None = None
    note: str = ""

    def finished(self, image: np.ndarray) -> np.ndarray:
        """Returns `image` [h, w, 3] of any scale as it is to be seen, at full size."""
        height, width = self.start.shape[:2]
        image = resized(image, height, width)
        if self.config.preserve_colors != "luminance":
            return image
        return colors.recolored(image, self.shown[0])

    def metrics(self) -> dict[str, Any]:
        """Returns what was decided for this run, for its record."""
        network = self.network
        return {
            "network": network and network.name,
            "weights": network and network.weights,
            "precision": network and network.precision,
            "tile": self.side,
            "seed": self.config.seed,
        }

    def steps(self) -> int:
        """Returns the steps of the whole run."""
        height, width = self.start.shape[:2]
        return sum(part.steps for part in phases(self.config, height, width))

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of the pictures and filters, which a continuation shares."""
        arrays = [self.start, self.pictures.content, *self.pictures.styles]
        arrays += self.pictures.masks
        digest = hashlib.sha256()
        if self.network:
            digest.update(self.network.precision.encode())
            for kernel, bias in self.network.filters.values():
                arrays += [kernel, bias]
        for array in arrays:
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def paint(self, saved: Saved | None = None) -> Iterator["Progress"]:
        """Returns the steps of `paint`."""
        aims = self.pictures, self.network, self.start, self.side
        return paint(self.config, *aims, saved)


def prepare(
    config: Config,
    sources: Sources,
    limit: float | None = None,
    network: Network | None = None,
) -> Run:
    """Loads pictures and network.

    Args:
        config: The settings.
        sources: The pictures.
        limit: Bytes of memory that may be used; None means most of what is free.
        network: A network that an earlier run has loaded by the same settings.

    Raises:
        OSError: A file cannot be had or read.
        ValueError: Pictures or settings do not go together.
    """
    limit = memory.limit(limit)
    size = config.size or max(_shape(config, sources.content, 0))
    _check_size(config, sources, size, limit)
    shown = _load(config, sources, size)
    opacity = images.load_opacity(sources.content, size, config.aspect)
    pictures = _aims(config, sources, shown)
    start = _start(config, pictures)
    if config.mode == "pixels":
        return Run(config, shown, pictures, start, None, None, opacity)
    if network is None:
        network = weights.load(
            config.network, config.weights, config.pooling, config.precision
        )
    for layer in needed_layers(config):
        if layer not in network.filters:
            raise ValueError(
                f"{network.name} has no layer {layer!r} here: choose from "
                f"{', '.join(network.filters)}"
            )
    largest = max([pictures.content, *pictures.styles], key=lambda image: image.size)
    height, width = largest.shape[:2]
    about = config, network.name, network.precision, height, width
    side = memory.plan(*about, limit)
    needed = memory.estimate(*about, side) / memory.GIB
    how = f"in tiles of {side} pixels" if side else "whole"
    note = f"About {needed:.1f} GiB of memory, the picture {how}."
    return Run(config, shown, pictures, start, network, side, opacity, note)


def _shape(config: Config, path: images.Source, size: int) -> tuple[int, int]:
    """Height and width of a picture, scaled to `size` if that is given."""
    height, width = images.dimensions(path) or (size, size)
    width, height = images.scaled_size((width, height), size, config.aspect)
    return height, width


def _check_size(config: Config, sources: Sources, size: int, limit: float) -> None:
    """Refuses what cannot fit in memory before it is loaded."""
    if config.mode == "pixels":
        return
    network = "vgg16" if config.network == "auto" else config.network
    of_style = round(size * config.style_scale)
    sides = [(sources.content, size), *((path, of_style) for path in sources.styles)]
    for path, side in sides:
        memory.plan(config, network, "bfloat16", *_shape(config, path, side), limit)


def _load(config: Config, sources: Sources, size: int) -> list[np.ndarray]:
    """The content and the styles."""
    of_style = round(size * config.style_scale)
    return [
        images.load_image(sources.content, size, config.aspect),
        *(images.load_image(path, of_style, config.aspect) for path in sources.styles),
    ]


def _aims(config: Config, sources: Sources, shown: list[np.ndarray]) -> Pictures:
    """What is aimed at: the pictures after `--preserve_colors`, and the masks."""
    content, styles = shown[0], shown[1:]
    styles = [_without_margin(style, config.style_margin) for style in styles]
    height, width = content.shape[:2]
    masks = tuple(
        images.load_mask(path, height, width, config.aspect) for path in sources.masks
    )
    if config.style_blend and len(config.style_blend) != len(styles):
        raise ValueError(
            f"--style_blend has {len(config.style_blend)} shares for {len(styles)} "
            "styles: give one for each"
        )
    if masks and len(masks) != len(styles):
        raise ValueError(f"{len(masks)} --mask for {len(styles)} --style: give as many")
    if masks and config.style_blend:
        raise ValueError("--style_blend has no meaning with --mask: masks divide")
    if config.preserve_colors == "match":
        styles = [colors.match(style, content) for style in styles]
    elif config.preserve_colors == "luminance":
        styles = [colors.match_luminance(style, content) for style in styles]
        content = colors.luminance(content)
    return Pictures(content, tuple(styles), masks)


def _without_margin(style: np.ndarray, share: float) -> np.ndarray:
    height, width = style.shape[:2]
    edge = round(share * min(height, width))
    return style[edge : height - edge, edge : width - edge]


def _start(config: Config, pictures: Pictures) -> np.ndarray:
    height, width = pictures.content.shape[:2]
    if config.init == "noise":
        return noise(height, width, config.seed, config.recipe)
    if config.init == "content":
        return pictures.content
    if config.init == "style":
        return images.resize(pictures.styles[0], height, width)
    return images.resize(images.load_image(config.init), height, width)


@dataclasses.dataclass(frozen=True)
class Progress:
    """One step that was made: a value, which no later step changes.

    Attributes:
        step: Its number from 1, over all scales.
        losses: Those of the image that the step started from (Adam) or reached
            (L-BFGS).
        image: What it reached, float32 [height, width, 3] of the scale at hand.
        phase: The number of the part of the run, from 0.
        done: The steps that were made in it.
        state: The optimizer's state.
    """

    step: int
    losses: dict[str, float]
    image: np.ndarray
    phase: int
    done: int
    state: optimize.Adam | optimize.Lbfgs

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns what `paint` needs to go on from here."""
        numbers: dict[str, float] = {
            "step": self.step,
            "phase": self.phase,
            "done": self.done,
        }
        numbers |= {f"loss/{name}": loss for name, loss in self.losses.items()}
        return self.state.arrays() | {k: np.array(v) for k, v in numbers.items()}


def noise(height: int, width: int, seed: int, recipe: str = "modern") -> np.ndarray:
    """Draws white noise as the post says: normal around 255/2, truncated to [0, 255].

    The post names no deviation. Its library's truncated normal stops at two of them,
    and so a deviation of 255/4 is the one that stops at 0 and 255. The recipe "post"
    has the deviation of the author's notebooks, the root of 255.

    Returns:
        float32 [height, width, 3].
    """
    if recipe == "post":
        draws = tf.random.stateless_normal([height, width, 3], [seed, 0])
        return np.clip(255.0 / 2 + 255.0**0.5 * draws.numpy(), 0.0, 255.0)
    tensor = tf.random.stateless_truncated_normal(
        [height, width, 3], seed=[seed, 0], mean=255.0 / 2, stddev=255.0 / 4
    )
    return tensor.numpy()


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of a run.

    Attributes:
        factor: The size of its pictures as a share of the full one.
        steps: How many there are.
        config: The settings of its loss.
    """

    factor: float
    steps: int
    config: Config


def phases(config: Config, height: int, width: int) -> list[Phase]:
    """Returns the parts of a run at that size: its scales, from coarse to fine.

    Scales whose shorter side would be under `COARSEST_SIDE` are left out. In a transfer
    that starts from noise the style's weight grows by and by: the style of noise is so
    far off that it would else take every place before the content has any. The author
    let it, and so does the recipe "post".
    """
    found = []
    for halvings in reversed(range(config.scales)):
        factor = 0.5**halvings
        if factor == 1 or factor * min(height, width) >= COARSEST_SIDE:
            steps = round(config.steps * GROWTH**halvings)
            found.append(Phase(factor, steps, config))
    from_noise = config.init == "noise" and config.mode == "transfer"
    if from_noise and config.recipe == "modern":
        first = found.pop(0)
        ramp = []
        for share, part in RAMP:
            weaker = dataclasses.replace(
                config, style_weight=share * config.style_weight
            )
            ramp.append(Phase(first.factor, round(part * first.steps), weaker))
        rest = first.steps - sum(part.steps for part in ramp)
        found[:0] = [*ramp, Phase(first.factor, rest, config)]
    return found


def scaled(pictures: Pictures, factor: float) -> Pictures:
    """Returns all pictures and masks at `factor` of their size."""

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
    saved: Saved | None = None,
) -> Iterator[Progress]:
    """Makes the picture, yielding after each of the steps at each scale.

    L-BFGS goes on to the next scale early where it finds no step.

    Args:
        config: Mode, losses, optimizer and scales.
        pictures: What is aimed at, at full size.
        network: The source of the feature maps; None will do in mode "pixels".
        start: float32 [height, width, 3] in [0, 255], at full size.
        side: The side of the tiles in which pictures are looked at; None means whole.
        saved: The `Progress.arrays` to go on from; None begins.

    Raises:
        FloatingPointError: A loss is not finite.
    """
    parts = phases(config, *start.shape[:2])
    kind = optimize.Adam if config.optimizer == "adam" else optimize.Lbfgs
    image, step, begin, done = start, 0, 0, 0
    if saved:
        step, begin, done = (int(saved[key]) for key in ("step", "phase", "done"))
    for index, part in enumerate(parts[begin:], start=begin):
        aims = scaled(pictures, part.factor)
        state = kind.start(resized(image, *aims.content.shape[:2]))
        if saved and index == begin:
            losses = {k[5:]: float(saved[k]) for k in saved if k[:5] == "loss/"}
            state = kind.restored(saved, losses)
        objective = Objective(part.config, aims, network, side)
        while done < part.steps:
            found = (
                state.step(objective, config.learning_rate, config.recipe != "post")
                if isinstance(state, optimize.Adam)
                else state.step(objective)
            )
            if found is None:
                break
            state, step, done = found, step + 1, done + 1
            losses = dict(state.losses)
            yield Progress(step, losses, state.image.copy(), index, done, state)
        image, done = state.image, 0


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns `image` at another size, without rounding to whole intensities."""
    if image.shape[:2] == (height, width):
        return image
    larger = tf.image.resize(image, [height, width], "bicubic", antialias=True)
    return np.clip(larger.numpy(), 0.0, 255.0)

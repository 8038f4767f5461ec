"""Everything that a run needs, loaded and checked before any work."""

import dataclasses
from typing import Any

import numpy as np

from style_transfer import (
    checkpoint,
    colors,
    images,
    memory,
    samples,
    terms,
    transfer,
    weights,
)
from style_transfer.config import Config
from style_transfer.features import CHANNELS, Network
from style_transfer.terms import Pictures


@dataclasses.dataclass(frozen=True)
class Sources:
    """Paths of pictures.

    Attributes:
        content: the photograph; None is an embedded one.
        styles: the paintings; none is one that this package paints.
        masks: for each style where it goes, white in black; or none.
    """

    content: str | None = None
    styles: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Session:
    """A run before it begins.

    Attributes:
        config: its settings.
        shown: content and styles as they were loaded, [height, width, 3].
        pictures: what is aimed at, after `--preserve_colors`.
        start: the picture to start from.
        network: the feature maps; None in mode "pixels".
        side: of the tiles to work in; None: whole.
        notes: what the user should know, a line each.
    """

    config: Config
    shown: list[np.ndarray]
    pictures: Pictures
    start: np.ndarray
    network: Network | None
    side: int | None
    notes: list[str]

    def finished(self, image: np.ndarray) -> np.ndarray:
        """`image` [height, width, 3] of any scale as it is to be seen."""
        if self.config.preserve_colors != "luminance":
            return image
        return colors.recolored(image, images.resize(self.shown[0], *image.shape[:2]))

    def metrics(self) -> dict[str, Any]:
        """What was decided for this run, for its record."""
        network = self.network
        return {
            "network": network and network.name,
            "weights": network and network.weights,
            "precision": network and network.precision,
            "tile": self.side,
            "seed": self.config.seed,
        }

    def mark(self) -> str:
        """See `checkpoint.fingerprint`."""
        arrays = [self.start, self.pictures.content, *self.pictures.styles]
        arrays += self.pictures.masks
        if self.network:
            for kernel, bias in self.network.filters.values():
                arrays += [kernel, bias]
        return checkpoint.fingerprint(self.config, arrays)


def prepare(config: Config, sources: Sources, limit: float | None = None) -> Session:
    """Load pictures and network.

    Args:
        config: the settings.
        sources: the pictures.
        limit: bytes of memory that may be used; None: nine tenths of what is free.

    Raises:
        OSError: a file that cannot be had or read.
        ValueError: pictures or settings that do not go together.
    """
    if limit is None:
        limit = 0.9 * memory.available()
    _check_size(config, sources, limit)
    shown = _load(config, sources)
    content, styles = shown[0], shown[1:]
    height, width = content.shape[:2]
    masks = tuple(images.load_mask(path, height, width) for path in sources.masks)
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
    pictures = Pictures(content, tuple(styles), masks)
    start = _start(config, pictures)
    if config.mode == "pixels":
        return Session(config, shown, pictures, start, None, None, [])
    network, reason = weights.load(
        config.network,
        config.weights,
        config.pooling,
        config.precision,
        [content, *styles],
        config.seed,
    )
    notes = [f"{reason}: using {network.weights} weights instead."] if reason else []
    weights.check_layers(network, terms.layers(config))
    side, note = _fit(config, network, pictures, limit)
    return Session(config, shown, pictures, start, network, side, [*notes, note])


def _check_size(config: Config, sources: Sources, limit: float) -> None:
    """Refuse what cannot fit before it is loaded; the compact network needs least."""
    has_all = set(terms.layers(config)) <= set(CHANNELS["compact"])
    network = "compact" if has_all else "vgg19"
    of_style = round(config.size * config.style_scale)
    sides = [(sources.content, config.size)]
    sides += [(path, of_style) for path in sources.styles or (None,)]
    for path, side in sides:
        shape = images.dimensions(path) if path else (2, 3)  # the samples, about
        if shape:
            height, width = (round(edge * side / max(shape)) for edge in shape)
            memory.plan(config, network, "bfloat16", height, width, limit)


def _load(config: Config, sources: Sources) -> list[np.ndarray]:
    """The content and the styles."""
    size = round(config.size * config.style_scale)
    if sources.content:
        content = images.load_image(sources.content, config.size)
    else:
        content = samples.photograph(config.size)
    if not sources.styles:
        return [content, samples.painting(size, config.seed)]
    return [content, *(images.load_image(path, size) for path in sources.styles)]


def _start(config: Config, pictures: Pictures) -> np.ndarray:
    height, width = pictures.content.shape[:2]
    if config.init == "noise":
        return transfer.noise(height, width, config.seed)
    if config.init == "content":
        return pictures.content
    if config.init == "style":
        return images.resize(pictures.styles[0], height, width)
    return images.resize(images.load_image(config.init), height, width)


def _fit(
    config: Config, network: Network, pictures: Pictures, limit: float
) -> tuple[int | None, str]:
    """The side of the tiles that fit into memory, and a line about it."""
    largest = max([pictures.content, *pictures.styles], key=lambda image: image.size)
    of_run = (config, network.name, network.precision, *largest.shape[:2])
    side = memory.plan(*of_run, limit)
    needed = memory.estimate(*of_run, side) / memory.GIB
    how = f"in tiles of {side} pixels" if side else "whole"
    return side, f"About {needed:.1f} GiB of memory, the picture {how}."

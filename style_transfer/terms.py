"""The terms of the loss: what each measures, aims at and weighs.

Post, "Generating stylish images with content":
    L(a, p, x, l_c, lambda) = alpha L_content(p, x, l_c) + beta L_style(a, x, lambda)
with p the content picture, a the style picture and x the picture that is made. (The
post prints a as the argument of L_content; its own definition says p.)

A term first takes a statistic of the feature maps that adds up over tiles, then makes
a loss of the sum.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from style_transfer import features, losses, tiles
from style_transfer.config import Config
from style_transfer.features import Network
from style_transfer.tiles import Tile

# Sums over positions are weighted as in a picture of this many, the default's: the
# balance of content and style is then the same at every size and scale.
REFERENCE_PIXELS = 384 * 288


@dataclasses.dataclass(frozen=True)
class Pictures:
    """What one run is about; RGB in [0, 255], float32 [height, width, 3].

    Attributes:
        content: p.
        styles: a, one or more, of any sizes.
        masks: for each style where it goes, [height, width] of the content, in
            [0, 1]; or none.
    """

    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...] = ()


@dataclasses.dataclass(frozen=True)
class Content:
    """alpha L_content of one layer."""

    layer: str
    weight: float
    target: tf.Tensor  # P^l, [height, width, N_l]
    name = "content_loss"
    share = 1.0
    shape = ()

    def statistic(self, maps: tf.Tensor, tile: Tile) -> tf.Tensor:
        """The loss of the tile itself; `maps` are F^l of its outer pixels."""
        own = tile.own(maps, self.layer)
        return losses.content_loss(own, tile.part(self.target, self.layer))

    def loss(self, statistic: tf.Tensor) -> tf.Tensor:
        """The sum over the tiles."""
        return statistic


@dataclasses.dataclass(frozen=True)
class Style:
    """beta L_style of one layer and region."""

    layer: str
    weight: float
    target: tf.Tensor  # A^l / M_l, [N_l, N_l]
    share: float  # w_l times the region's share of the picture
    positions: int  # M_l
    guide: tf.Tensor | None = None  # the region, see `losses.guided_gram_matrix`
    name = "style_loss"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the statistic."""
        return tuple(self.target.shape)

    def statistic(self, maps: tf.Tensor, tile: Tile) -> tf.Tensor:
        """The tile's part of G^l / M_l; `maps` are F^l of its outer pixels."""
        own = tile.own(maps, self.layer)
        if self.guide is None:
            return losses.mean_gram_matrix(own, self.positions)
        return losses.guided_gram_matrix(own, tile.part(self.guide, self.layer))

    def loss(self, statistic: tf.Tensor) -> tf.Tensor:
        """w_l L_style of the summed Gram matrix."""
        return self.share * losses.style_layer_loss(statistic, self.target)


Term = Content | Style


def layers(config: Config) -> tuple[str, ...]:
    """The layers whose feature maps the mode needs, in the order of the network."""
    needed = set()
    if config.mode in ("transfer", "content"):
        needed.update(config.content_layers)
    if config.mode in ("transfer", "style"):
        needed.update(config.style_layers)
    return tuple(sorted(needed))


def make(
    config: Config, pictures: Pictures, network: Network, side: int | None
) -> list[Term]:
    """The terms of the mode.

    Args:
        config: mode, layers and weights.
        pictures: what is aimed at.
        network: the feature maps.
        side: of the tiles in which pictures are looked at; None: whole.
    """
    found: list[Term] = []
    if config.mode in ("transfer", "content"):
        height, width = pictures.content.shape[:2]
        weight = config.content_weight * REFERENCE_PIXELS / (height * width)
        maps = _whole_maps(network, pictures.content, config.content_layers, side)
        found += [Content(name, weight, maps[name]) for name in config.content_layers]
    if config.mode in ("transfer", "style"):
        found += _style_terms(config, pictures, network, side)
    return found


def _style_terms(
    config: Config, pictures: Pictures, network: Network, side: int | None
) -> list[Term]:
    names = config.style_layers
    grams = [_mean_grams(network, style, names, side) for style in pictures.styles]
    masks: Sequence[np.ndarray | None] = pictures.masks
    if not masks:  # one region, whose style is the blend
        shares = np.float32(config.style_blend or [1] * len(grams))
        shares /= shares.sum()
        pairs = list(zip(shares, grams, strict=True))
        grams = [{name: sum(b * gram[name] for b, gram in pairs) for name in names}]
        masks = [None]
    height, width = pictures.content.shape[:2]
    return [
        Style(
            layer,
            config.style_weight * network.style_scales[features.block(layer) - 1],
            region_grams[layer],
            layer_weight * (1.0 if mask is None else float(np.mean(mask))),
            positions(height, width, layer),
            None if mask is None else guide(mask, layer),
        )
        for region_grams, mask in zip(grams, masks, strict=True)
        for layer, layer_weight in zip(names, config.style_layer_weights, strict=True)
    ]


def positions(height: int, width: int, layer: str) -> int:
    """M_l of a picture of that many pixels."""
    return (height // features.stride(layer)) * (width // features.stride(layer))


def guide(mask: np.ndarray, layer: str) -> tf.Tensor:
    """`mask` [height, width] averaged to [h, w] of `layer`, its sum 1."""
    step = features.stride(layer)
    rows, columns = (side // step for side in mask.shape)
    cells = mask[: rows * step, : columns * step].reshape(rows, step, columns, step)
    small = cells.mean(axis=(1, 3), dtype=np.float32)
    return tf.constant(small / small.sum())


def _seen(network, image, names, side):
    """Each tile of `image` with the feature maps of its outer pixels."""
    height, width = image.shape[:2]
    for tile in tiles.cut(height, width, side, features.reach(names, network.name)):
        yield tile, network.features(tile.crop(tf.constant(image)), names)


def _whole_maps(network, image, names, side) -> dict[str, tf.Tensor]:
    """F^l [height, width, N_l] of the whole `image`, by layer."""
    whole = {}
    for tile, maps in _seen(network, image, names, side):
        for name in names:
            step = features.stride(name)
            shape = [edge // step for edge in image.shape[:2]]
            if name not in whole:
                whole[name] = np.empty((*shape, maps[name].shape[-1]), np.float32)
            tile.part(whole[name], name)[...] = tile.own(maps[name], name)
    return {name: tf.constant(array) for name, array in whole.items()}


def _mean_grams(network, image, names, side) -> dict[str, tf.Tensor]:
    """G^l / M_l of the whole `image`, by layer."""
    grams = dict.fromkeys(names, 0.0)
    for tile, maps in _seen(network, image, names, side):
        for name in names:
            count = positions(*image.shape[:2], name)
            grams[name] += losses.mean_gram_matrix(tile.own(maps[name], name), count)
    return grams

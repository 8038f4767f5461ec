"""The loss of the post over a picture, and its gradient.

Post, "Generating stylish images with content":
    L(a, p, x, l_c, lambda) = alpha L_content(p, x, l_c) + beta L_style(a, x, lambda)
with p the content picture, a the style picture and x the picture that is made. (The
post prints a as the argument of L_content; its own definition says p.)

Each term takes a statistic of the feature maps that adds up over tiles, then makes a
loss of the sum. In tiles, a first pass sums each term's statistic, whose slope then
gives each tile its share of the gradient in a second: the same numbers for a third of
the memory and half as much work again.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from style_transfer import losses, tiles, vgg
from style_transfer.config import Config
from style_transfer.tiles import Tile
from style_transfer.vgg import Network

# Sums over positions are weighted as in a picture of this many, by recipe: the balance
# of content and style is then the same at every size and scale.
REFERENCE_PIXELS = {"modern": 384 * 288, "post": 350 * 350}
Losses = dict[str, tf.Tensor]
Maps = dict[str, tf.Tensor]  # F^l [height, width, N_l] by layer


@dataclasses.dataclass(frozen=True)
class Pictures:
    """What one run is about; RGB in [0, 255], float32 [height, width, 3].

    Attributes:
        content: p.
        styles: a, one or more, of any sizes.
        masks: For each style where it goes, [height, width] of the content, in
            [0, 1]; or none.
    """

    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        for image in (self.content, *self.styles):
            if np.ndim(image) != 3 or np.shape(image)[2] != 3:
                raise ValueError(
                    f"pictures: {list(np.shape(image))}: the content and each of the "
                    "styles must be [height, width, 3]"
                )


@dataclasses.dataclass(frozen=True)
class Term:
    """alpha L_content of one layer, or beta L_style of one layer and region.

    Attributes:
        name: "content_loss" or "style_loss".
        layer: l.
        weight: alpha or beta.
        target: P^l [height, width, N_l], or A^l / M_l [N_l, N_l].
        stride: Pixels from one of the layer's positions to the next.
        share: w_l times the region's share of the picture; 1 for the content.
        positions: M_l.
        guide: The region, see `losses.guided_gram_matrix`; None is everywhere.
    """

    name: str
    layer: str
    weight: float
    target: tf.Tensor
    stride: int
    share: float = 1.0
    positions: int = 0
    guide: tf.Tensor | None = None

    @property
    def statistic_shape(self) -> tuple[int, ...]:
        """The shape of the statistic."""
        return () if self.name == "content_loss" else tuple(self.target.shape)

    def statistic(self, maps: tf.Tensor, tile: Tile) -> tf.Tensor:
        """Returns what adds up over tiles: the content loss, or G^l / M_l.

        Args:
            maps: F^l of the tile's outer pixels.
            tile: The tile.
        """
        own = tile.own(maps, self.stride)
        if self.name == "content_loss":
            return losses.content_loss(own, tile.part(self.target, self.stride))
        if self.guide is None:
            return losses.mean_gram_matrix(own, self.positions)
        return losses.guided_gram_matrix(own, tile.part(self.guide, self.stride))

    def loss(self, statistic: tf.Tensor) -> tf.Tensor:
        """Returns the loss of the sum over the tiles, before alpha or beta."""
        if self.name == "content_loss":
            return statistic
        return self.share * losses.style_layer_loss(statistic, self.target)


def needed_layers(config: Config) -> tuple[str, ...]:
    """Returns the layers whose feature maps the mode needs, in the network's order."""
    needed: set[str] = set()
    if config.mode in ("transfer", "content"):
        needed.update(config.content_layers)
    if config.mode in ("transfer", "style"):
        needed.update(config.style_layers)
    return tuple(sorted(needed))


def make_terms(
    config: Config, pictures: Pictures, network: Network, side: int | None = None
) -> list[Term]:
    """Returns the terms of the mode.

    Args:
        config: The mode, the layers and the weights.
        pictures: What is aimed at.
        network: The source of the feature maps.
        side: The side of the tiles in which pictures are looked at; None means whole.
    """
    found: list[Term] = []
    if config.mode in ("transfer", "content"):
        weight = config.content_weight * pixel_share(config, pictures)
        maps = _whole_maps(network, pictures.content, config.content_layers, side)
        for name, target in maps.items():
            stride = vgg.stride(name, network.pooling)
            found.append(Term("content_loss", name, weight, target, stride))
    if config.mode in ("transfer", "style"):
        found += _style_terms(config, pictures, network, side)
    return found


def pixel_share(config: Config, pictures: Pictures) -> float:
    """Returns the weight of sums over the positions of pictures of that size."""
    return REFERENCE_PIXELS[config.recipe] / pictures.content[..., 0].size


def _style_terms(
    config: Config, pictures: Pictures, network: Network, side: int | None
) -> list[Term]:
    names = config.style_layers
    grams = [_mean_grams(network, style, names, side) for style in pictures.styles]
    masks: Sequence[np.ndarray | None] = pictures.masks
    if not masks:  # one region, whose style is the blend
        shares = np.array(config.style_blend or [1.0] * len(grams))
        pairs = list(zip(shares / shares.sum(), grams, strict=True))
        grams = [{n: sum(share * gram[n] for share, gram in pairs) for n in names}]
        masks = [None]
    height, width = pictures.content.shape[:2]
    return [
        Term(
            "style_loss",
            layer,
            config.style_weight,
            region_grams[layer],
            vgg.stride(layer, network.pooling),
            layer_weight * (1.0 if mask is None else float(np.mean(mask))),
            positions(layer, height, width, network.pooling),
            None if mask is None else guide(mask, layer, network.pooling),
        )
        for region_grams, mask in zip(grams, masks, strict=True)
        for layer, layer_weight in zip(names, config.style_layer_weights, strict=True)
    ]


def positions(layer: str, height: int, width: int, pooling: str) -> int:
    """Returns M_l of a picture of that size."""
    rows, columns = vgg.shape(layer, height, width, pooling)
    return rows * columns


def guide(mask: np.ndarray, layer: str, pooling: str) -> tf.Tensor:
    """Returns `mask` [height, width] averaged to [h, w] of `layer`; its sum is 1."""
    step = vgg.stride(layer, pooling)
    height, width = mask.shape
    rows, columns = vgg.shape(layer, height, width, pooling)
    cells = mask[: rows * step, : columns * step].reshape(rows, step, columns, step)
    small = cells.mean(axis=(1, 3), dtype=np.float32)
    return tf.constant(small / small.sum())


def _seen(
    network: Network, image: np.ndarray, names: Sequence[str], side: int | None
) -> Iterator[tuple[Tile, Maps]]:
    """Each tile of `image` with the feature maps of its outer pixels."""
    height, width = image.shape[:2]
    reach = vgg.reach(names, network.name, network.pooling)
    for tile in tiles.cut(height, width, side, reach):
        yield tile, network.features(tile.crop(tf.constant(image)), names)


def _whole_maps(
    network: Network, image: np.ndarray, names: Sequence[str], side: int | None
) -> Maps:
    """F^l of the whole `image` in float32."""
    height, width = image.shape[:2]
    whole: dict[str, np.ndarray] = {}
    for tile, maps in _seen(network, image, names, side):
        for name in names:
            if name not in whole:
                shape = vgg.shape(name, height, width, network.pooling)
                whole[name] = np.empty((*shape, maps[name].shape[-1]), np.float32)
            stride = vgg.stride(name, network.pooling)
            tile.part(whole[name], stride)[...] = tile.own(maps[name], stride)
    return {name: tf.constant(array) for name, array in whole.items()}


def _mean_grams(
    network: Network, image: np.ndarray, names: Sequence[str], side: int | None
) -> dict[str, tf.Tensor]:
    """G^l / M_l of the whole `image`, by layer."""
    height, width = image.shape[:2]
    grams: dict = dict.fromkeys(names, 0.0)
    for tile, maps in _seen(network, image, names, side):
        for name in names:
            count = positions(name, height, width, network.pooling)
            own = tile.own(maps[name], vgg.stride(name, network.pooling))
            grams[name] += losses.mean_gram_matrix(own, count)
    return grams


class Objective:
    """Called with an image [height, width, 3], returns its losses and the gradient.

    The losses are those of the post before alpha and beta: "content_loss",
    "style_loss", "total_variation" or "pixel_loss", as far as the mode has them, and
    their weighted sum "total_loss", whose gradient it is.

    Args:
        config: The mode, the layers and the weights.
        pictures: What is aimed at.
        network: The source of the feature maps; None will do in mode "pixels".
        side: The side of a tile in pixels, a multiple of `vgg.ALIGNMENT`; None takes
            the picture whole.
    """

    def __init__(
        self,
        config: Config,
        pictures: Pictures,
        network: Network | None,
        side: int | None = None,
    ):
        self._config = config
        self._network = network
        self._target = tf.constant(pictures.content)
        self._terms: list[Term] = []
        reach = 0
        if network and config.mode != "pixels":
            self._layers = needed_layers(config)
            self._terms = make_terms(config, pictures, network, side)
            reach = vgg.reach(self._layers, network.name, network.pooling)
        height, width = pictures.content.shape[:2]
        self._pixel_share = pixel_share(config, pictures)
        self._tiles = tiles.cut(height, width, side, reach)
        self._whole = tf.function(self._whole_gradient)
        self._rest = tf.function(self._rest_gradient)
        self._slopes = tf.function(self._statistic_slopes)
        outer = tf.TensorSpec([None, None, 3])  # one graph for tiles of all shapes
        edges = tf.TensorSpec([2, 4], tf.int32)
        self._first = tf.function(self._first_pass, [outer, edges])
        slopes = [tf.TensorSpec(term.statistic_shape) for term in self._terms]
        self._second = tf.function(self._second_pass, [outer, edges, slopes])

    def __call__(self, image: np.ndarray | tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """See the class."""
        image = tf.convert_to_tensor(image)
        if len(self._tiles) == 1:
            return self._whole(image)
        sums = [self._first(tile.crop(image), tile.edges()) for tile in self._tiles]
        statistics = [tf.add_n(parts) for parts in zip(*sums, strict=True)]
        found, total, slopes = self._slopes(statistics)
        others, rest, gradient = self._rest(image)
        gradient = np.array(gradient)
        for tile in self._tiles:
            tile.crop(gradient)[...] += self._second(
                tile.crop(image), tile.edges(), slopes
            )
        return found | others | {"total_loss": total + rest}, tf.constant(gradient)

    def _statistics(self, image: tf.Tensor, tile: Tile) -> list[tf.Tensor]:
        """Each term's statistic of the outer pixels `image` of a tile."""
        if not self._terms or not self._network:
            return []
        maps = self._network.features(image, self._layers)
        return [term.statistic(maps[term.layer], tile) for term in self._terms]

    def _weighed(self, statistics: list[tf.Tensor]) -> tuple[Losses, tf.Tensor]:
        """The losses of the terms by name, and their weighted sum."""
        found: Losses = {}
        total = tf.constant(0.0)
        for term, statistic in zip(self._terms, statistics, strict=True):
            loss = term.loss(statistic)
            found[term.name] = found.get(term.name, 0.0) + loss
            total += term.weight * loss
        return found, total

    def _others(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """The losses of the pixels themselves, and their weighted sum."""
        found, total = {}, tf.constant(0.0)
        if self._config.mode == "pixels":
            found["pixel_loss"] = losses.pixel_loss(image, self._target)
            total += found["pixel_loss"]
        if self._config.total_variation_weight:
            found["total_variation"] = losses.total_variation(image)
            weight = self._config.total_variation_weight * self._pixel_share
            total += weight * found["total_variation"]
        return found, total

    def _whole_gradient(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            found, total = self._weighed(self._statistics(image, self._tiles[0]))
            others, rest = self._others(image)
            total += rest
        return found | others | {"total_loss": total}, tape.gradient(total, image)

    def _rest_gradient(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            others, rest = self._others(image)
        gradient = tape.gradient(
            rest, image, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return others, rest, gradient

    def _first_pass(self, outer: tf.Tensor, edges: tf.Tensor) -> list[tf.Tensor]:
        return self._statistics(outer, Tile.of(edges))

    def _statistic_slopes(
        self, statistics: list[tf.Tensor]
    ) -> tuple[Losses, tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(statistics)
            found, total = self._weighed(statistics)
        return found, total, tape.gradient(total, statistics)

    def _second_pass(
        self, outer: tf.Tensor, edges: tf.Tensor, slopes: list[tf.Tensor]
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(outer)
            statistics = self._statistics(outer, Tile.of(edges))
            pairs = zip(slopes, statistics, strict=True)
            total = tf.add_n([tf.reduce_sum(slope * part) for slope, part in pairs])
        return tape.gradient(total, outer)

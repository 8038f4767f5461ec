"""The loss over a picture and its gradient: of the whole at once, or tile by tile.

In tiles, a first pass sums each term's statistic, whose slope then gives each tile
its share of the gradient in a second: the same numbers for a third of the memory and
half as much work again.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from style_transfer import features, losses, terms, tiles
from style_transfer.config import Config
from style_transfer.features import Network
from style_transfer.terms import REFERENCE_PIXELS, Pictures, Term
from style_transfer.tiles import Tile

Losses = dict[str, tf.Tensor]


class Objective:
    """Called with an image [height, width, 3]: its losses, and the gradient.

    The losses are those of the post before alpha and beta: "content_loss",
    "style_loss", "total_variation" or "pixel_loss", as far as the mode has them, and
    their weighted sum "total_loss", whose gradient it is.
    """

    def __init__(
        self,
        config: Config,
        pictures: Pictures,
        network: Network | None,
        side: int | None = None,
        pulls: list[float] | None = None,
    ):
        """Args:
        config: mode, layers and weights.
        pictures: what is aimed at.
        network: the feature maps; None will do in mode "pixels".
        side: of a tile, pixels, a multiple of `features.ALIGNMENT`; None takes the
            picture whole.
        pulls: divides each term, see `gradient_pulls`.
        """
        self._config = config
        self._network = network
        self._target = tf.constant(pictures.content)
        self._terms: list[Term] = []
        reach = 0
        if network:
            self._layers = terms.layers(config)
            self._terms = terms.make(config, pictures, network, side)
            reach = features.reach(self._layers, network.name)
        if pulls:
            self._terms = [
                dataclasses.replace(term, weight=balanced(config, term) / pull)
                for term, pull in zip(self._terms, pulls, strict=True)
            ]
        height, width = pictures.content.shape[:2]
        self._share = REFERENCE_PIXELS / (height * width)
        self._tiles = tiles.cut(height, width, side, reach)
        self._whole = tf.function(self._whole_gradient)
        self._rest = tf.function(self._rest_gradient)
        self._slopes = tf.function(self._statistic_slopes)
        outer = tf.TensorSpec([None, None, 3])  # one graph for tiles of all shapes
        edges = tf.TensorSpec([2, 4], tf.int32)
        self._first = tf.function(self._first_pass, [outer, edges])
        slopes = [tf.TensorSpec(term.shape) for term in self._terms]
        self._second = tf.function(self._second_pass, [outer, edges, slopes])

    def __call__(self, image: np.ndarray | tf.Tensor) -> tuple[Losses, tf.Tensor]:
        image = tf.convert_to_tensor(image)
        if len(self._tiles) == 1:
            return self._whole(image)
        sums = [self._first(tile.crop(image), tile.edges()) for tile in self._tiles]
        statistics = [tf.add_n(parts) for parts in zip(*sums, strict=True)]
        found, total, slopes = self._slopes(statistics)
        others, rest, gradient = self._rest(image)
        gradient = gradient.numpy()
        for tile in self._tiles:
            tile.crop(gradient)[...] += self._second(
                tile.crop(image), tile.edges(), slopes
            )
        return found | others | {"total_loss": total + rest}, tf.constant(gradient)

    def _statistics(self, image: tf.Tensor, tile: Tile) -> list[tf.Tensor]:
        """Each term's statistic of the outer pixels `image` of a tile."""
        if not self._terms:
            return []
        maps = self._network.features(image, self._layers)
        return [term.statistic(maps[term.layer], tile) for term in self._terms]

    def _weighed(self, statistics: list[tf.Tensor]) -> tuple[Losses, tf.Tensor]:
        """The losses of the terms by name, and their weighted sum."""
        found, total = {}, tf.constant(0.0)
        for term, statistic in zip(self._terms, statistics, strict=True):
            loss = term.loss(statistic)
            found[term.name] = found.get(term.name, 0.0) + loss
            total += term.weight * loss
        return found, total

    def _others(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        """Losses of the pixels themselves, and their weighted sum."""
        found, total = {}, tf.constant(0.0)
        if self._config.mode == "pixels":
            found["pixel_loss"] = losses.pixel_loss(image, self._target)
            total += found["pixel_loss"]
        if self._config.total_variation_weight:
            found["total_variation"] = losses.total_variation(image)
            weight = self._config.total_variation_weight * self._share
            total += weight * found["total_variation"]
        return found, total

    def _whole_gradient(self, image: tf.Tensor) -> tuple[Losses, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            found, total = self._weighed(self._statistics(image, self._tiles[0]))
            others, rest = self._others(image)
            total += rest
        return found | others | {"total_loss": total}, tape.gradient(total, image)

    def _rest_gradient(self, image: tf.Tensor):
        with tf.GradientTape() as tape:
            tape.watch(image)
            others, rest = self._others(image)
        gradient = tape.gradient(
            rest, image, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return others, rest, gradient

    def _first_pass(self, outer: tf.Tensor, edges: tf.Tensor) -> list[tf.Tensor]:
        return self._statistics(outer, Tile.of(edges))

    def _statistic_slopes(self, statistics: list[tf.Tensor]):
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

    def pulls(self, image: np.ndarray) -> list[float]:
        """Mean absolute gradient of each term's loss at `image`, before its share."""
        found = []
        for index, term in enumerate(self._terms):
            pixels = tf.constant(image)
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                statistics = self._statistics(pixels, self._tiles[0])
                loss = term.loss(statistics[index]) / term.share
            gradient = tape.gradient(loss, pixels)
            found.append(float(tf.reduce_mean(tf.abs(gradient))))
        return found


# With normalised gradients, this beta / alpha pulls as much to style as to content.
EVEN_RATIO = 1e3


def balanced(config: Config, term: Term) -> float:
    """The weight of a term whose gradient is to be normalised."""
    if term.name == "content_loss":
        return config.content_weight
    return config.style_weight / EVEN_RATIO

"""Cuts a picture into tiles whose feature maps are exactly those of the whole.

Each tile is seen with a margin as wide as the network's reach, and only its core is
used, so that padding at the margin's edge is never felt.
"""

import dataclasses

import tensorflow as tf

from style_transfer.vgg import ALIGNMENT


@dataclasses.dataclass(frozen=True)
class Tile:
    """The pixels of one tile as (top, left, bottom, right), ends excluded.

    Attributes:
        core: The part that is its own; the cores cover the picture once.
        outer: The core and its margin, within the picture.
    """

    core: tuple[int, int, int, int]
    outer: tuple[int, int, int, int]

    @classmethod
    def of(cls, edges: tf.Tensor) -> "Tile":
        """Returns the tile that has these `edges`, inside a graph."""
        core, outer = (tuple(tf.unstack(row)) for row in tf.unstack(edges))
        return cls(core, outer)

    def edges(self) -> tf.Tensor:
        """Returns core and outer pixels, int32 [2, 4]."""
        return tf.constant([self.core, self.outer], tf.int32)

    def crop(self, image: tf.Tensor) -> tf.Tensor:
        """Returns the outer pixels of `image` [height, width, 3]."""
        top, left, bottom, right = self.outer
        return image[top:bottom, left:right]

    def own(self, maps: tf.Tensor, stride: int) -> tf.Tensor:
        """Returns the core of `maps` [h, w, N_l], which are of the outer pixels."""
        if self.core is self.outer:  # A slice's gradient would be a copy.
            return maps
        top, left, bottom, right = self._at(stride)
        down, across = (edge // stride for edge in self.outer[:2])
        return maps[top - down : bottom - down, left - across : right - across]

    def part(self, maps: tf.Tensor, stride: int) -> tf.Tensor:
        """Returns the core of `maps`, which are of the whole picture."""
        top, left, bottom, right = self._at(stride)
        return maps[top:bottom, left:right]

    def _at(self, stride: int) -> tuple[int, ...]:
        return tuple(edge // stride for edge in self.core)


def cut(height: int, width: int, side: int | None, reach: int) -> list[Tile]:
    """Returns the tiles of a picture.

    Args:
        height: The picture's height in pixels.
        width: Its width in pixels.
        side: A core's side in pixels, a multiple of `ALIGNMENT`; None makes one tile.
        reach: Pixels of margin at least.
    """
    if side is None:
        whole = (0, 0, height, width)
        return [Tile(whole, whole)]
    margin = -(-reach // ALIGNMENT) * ALIGNMENT
    tiles = []
    for top, bottom in _spans(height, side):
        for left, right in _spans(width, side):
            outer = (
                max(0, top - margin),
                max(0, left - margin),
                min(height, bottom + margin),
                min(width, right + margin),
            )
            tiles.append(Tile((top, left, bottom, right), outer))
    return tiles


def _spans(length: int, side: int) -> list[tuple[int, int]]:
    """Begin and end of each core along one axis; the last may be up to 1.5 sides."""
    count = max(1, round(length / side))
    edges = [index * side for index in range(count)] + [length]
    return list(zip(edges[:-1], edges[1:], strict=True))

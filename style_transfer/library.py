"""The package as a library: pictures in, pictures out, step by step."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from runkit import start
from style_transfer.config import Config

Picture = str | os.PathLike[str] | Image.Image | np.ndarray


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a transfer.

    Attributes:
        step: Its number, from 1.
        steps: The number of steps of the whole run.
        losses: "total_loss" and its parts, "content_loss" and "style_loss"; in mode
            "pixels" there is "pixel_loss".
        image: The picture so far at full size, uint8 [height, width, 3].
    """

    step: int
    steps: int
    losses: dict[str, float]
    image: np.ndarray = dataclasses.field(repr=False)


def transfer(
    content: Picture | None = None,
    style: Picture | Sequence[Picture] | None = None,
    masks: Sequence[Picture] = (),
    **settings: Any,
) -> Iterator[Step]:
    """Paints the content of one picture in the style of others.

    >>> import numpy as np
    >>> import style_transfer
    >>> photo = np.linspace(0, 255, 64 * 48).reshape(48, 64)  # grey, [height, width]
    >>> *_, last = style_transfer.transfer(photo, size=64, steps=2, scales=1)
    >>> last.step, last.image.shape, last.image.dtype.name
    (2, (48, 64, 3), 'uint8')

    A picture is the path of a file, a picture of Pillow, or an array: grey [height,
    width], RGB [height, width, 3] or RGBA [height, width, 4], of uint8, or of floats in
    [0, 1] or [0, 255]; the greatest value decides between the two. What is transparent
    is laid on white.

    Args:
        content: The photograph; None means the embedded one.
        style: The painting, or several; None means the embedded one.
        masks: For each style where it goes, white in black; or none.
        settings: Fields of `Config`, such as size=256 (pixels of the longest side),
            steps=36 (at the finest of the scales) or style_weight=2e4.

    Yields:
        Each step with the picture so far; about ten steps a second at 256 pixels on
        two cores.

    Raises:
        OSError: A file cannot be had or read.
        ValueError: A picture or a setting is wrong.
        FloatingPointError: A loss is not finite.
    """
    config = Config.of_recipe(**settings)
    start.library()
    from style_transfer import images, painter, samples

    content = samples.PHOTOGRAPH if content is None else content
    style = samples.PAINTING if style is None else style
    styles = style if isinstance(style, list | tuple) else [style]
    sources = painter.Sources(
        images.as_source(content),
        tuple(map(images.as_source, styles)),
        tuple(map(images.as_source, masks)),
    )
    return _steps(painter.prepare(config, sources))


def _steps(run: Any) -> Iterator[Step]:
    from style_transfer import images

    steps = run.steps()
    for each in run.paint():
        image = np.asarray(images.to_picture(run.finished(each.image)))
        yield Step(each.step, steps, each.losses, image)

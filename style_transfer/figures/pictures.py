"""The pictures that the figures are made of: descents from noise, and a transfer."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from style_transfer import painter
from style_transfer.config import BLOCKS, Config
from style_transfer.objective import Pictures
from style_transfer.painter import Run

NOISE_STEPS = 160  # of Adam


def reconstructions(config: Config) -> dict[str, dict[str, Config]]:
    """Returns what is painted for each figure, by label."""
    content = dataclasses.replace(config, mode="content", init="noise")
    style = dataclasses.replace(config, mode="style", init="noise")

    def of_style(layers: Sequence[str]) -> Config:
        return dataclasses.replace(
            style, style_layers=tuple(layers), style_layer_weights=()
        )

    growing = [BLOCKS[: count + 1] for count in range(len(BLOCKS))]
    return {
        "content": {
            layer: dataclasses.replace(content, content_layers=(layer,))
            for layer in BLOCKS
        },
        "style": {
            " to ".join(dict.fromkeys((layers[0], layers[-1]))): of_style(layers)
            for layers in growing
        },
        "style_layers": {f"{layer} alone": of_style([layer]) for layer in BLOCKS},
        "transfer": {"transfer": config},
    }


def paint_all(
    first: Run, names: Sequence[str]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yields figure, label and picture of every panel, the sources among them.

    Args:
        first: The transfer; of the others, layers and start are varied.
        names: The figures, from `reconstructions`.

    Raises:
        FloatingPointError: A loss is not finite.
    """
    content, style = first.shown
    shown = {"content": {"the picture": content}} | {
        name: {"the picture": style} for name in ("style", "style_layers")
    }
    shown["transfer"] = {"content": content, "style": style}
    done: dict[Config, np.ndarray] = {}  # conv1_1 is in two figures
    height, width = content.shape[:2]
    noise = painter.noise(height, width, first.config.seed)
    for figure in names:
        for label, picture in shown[figure].items():
            yield figure, label, picture
        for label, config in reconstructions(first.config)[figure].items():
            if config not in done:
                start = first.start if figure == "transfer" else noise
                run = dataclasses.replace(first, config=config, start=start)
                done[config] = start
                for progress in run.paint():
                    done[config] = progress.image
            yield figure, label, done[config]


def descend(target: np.ndarray, seed: int) -> tuple[list[np.ndarray], list[float]]:
    """Lets white noise walk down the pixel loss, by the post's Adam.

    Args:
        target: The picture to become, [height, width, 3] in [0, 255].
        seed: The seed of the noise.

    Returns:
        The pictures after 0 to `NOISE_STEPS` steps, and the loss of each.
    """
    config = Config(mode="pixels", optimizer="adam", scales=1, steps=NOISE_STEPS + 1)
    height, width = target.shape[:2]
    start = painter.noise(height, width, seed)
    steps = painter.paint(config, Pictures(target, ()), None, start)
    frames, losses = [start], []
    for progress in steps:  # each with the loss of the picture that it started from
        frames.append(progress.image)
        losses.append(progress.losses["pixel_loss"])
    return frames[:-1], losses

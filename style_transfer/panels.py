"""The pictures that the figures are made of: descents from noise, and a transfer."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from style_transfer import session, transfer
from style_transfer.config import Config
from style_transfer.terms import Pictures

LAYERS = Config().style_layers  # conv1_1 to conv5_1
NOISE_STEPS = 160  # of Adam


def content_configs(config: Config) -> dict[str, Config]:
    """Reconstructions of the content from each layer, by label."""
    return {
        layer: dataclasses.replace(
            config, mode="content", init="noise", content_layers=(layer,)
        )
        for layer in LAYERS
    }


def style_configs(config: Config) -> dict[str, Config]:
    """Reconstructions of the style from the first layers, by label."""
    return {
        f"conv1_1 to {LAYERS[count - 1]}" if count > 1 else LAYERS[0]: _style_config(
            config, LAYERS[:count]
        )
        for count in range(1, len(LAYERS) + 1)
    }


def style_layer_configs(config: Config) -> dict[str, Config]:
    """Reconstructions of the style from each layer alone, by label."""
    return {f"{layer} alone": _style_config(config, (layer,)) for layer in LAYERS}


def _style_config(config: Config, layers: tuple[str, ...]) -> Config:
    return dataclasses.replace(
        config, mode="style", init="noise", style_layers=layers, style_layer_weights=()
    )


def reconstructions(config: Config) -> dict[str, dict[str, Config]]:
    """What is painted for each figure, by label."""
    return {
        "content": content_configs(config),
        "style": style_configs(config),
        "style_layers": style_layer_configs(config),
        "transfer": {"transfer": config},
    }


def paint_all(
    first: session.Session, sources: session.Sources, names: Sequence[str]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Figure, label and picture of every panel, the sources among them.

    Args:
        first: the transfer; of the others, layers and start are varied.
        sources: its pictures.
        names: of the figures, from `reconstructions`.

    Raises:
        FloatingPointError: a loss is not finite.
    """
    config = dataclasses.replace(first.config, weights=first.network.weights)
    content, style = first.shown
    shown = {"content": {"the picture": content}} | {
        name: {"the picture": style} for name in ("style", "style_layers")
    }
    shown["transfer"] = {"content": content, "style": style}
    done: dict[Config, np.ndarray] = {}  # conv1_1 is in two figures
    for figure in names:
        for label, picture in shown[figure].items():
            yield figure, label, picture
        for label, panel in reconstructions(config)[figure].items():
            if panel not in done:
                run = session.prepare(panel, sources)
                done[panel] = run.start
                for progress in transfer.paint(
                    panel, run.pictures, run.network, run.start, run.side
                ):
                    done[panel] = progress.image
            yield figure, label, done[panel]


def descend(target: np.ndarray, seed: int) -> tuple[list[np.ndarray], list[float]]:
    """White noise walking down the pixel loss, by the post's Adam.

    Args:
        target: the picture to become, [height, width, 3] in [0, 255].
        seed: of the noise.

    Returns:
        The pictures after 0 to `NOISE_STEPS` steps, and the loss of each.
    """
    config = Config(mode="pixels", optimizer="adam", scales=1, steps=NOISE_STEPS + 1)
    start = transfer.noise(*target.shape[:2], seed)
    steps = transfer.paint(config, Pictures(target, ()), None, start)
    frames, losses = [start], []
    for progress in steps:  # each with the loss of the picture that it started from
        frames.append(progress.image)
        losses.append(progress.losses["pixel_loss"])
    return frames[:-1], losses

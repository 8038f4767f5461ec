"""The post's figures for any pair of pictures, each as one labelled grid.

python -m style_transfer.figures --content photo.jpg --style painting.jpg

Content reconstructions from one layer after the other, style reconstructions from
growing sets of layers (the post's sections of these names; the paper's figure 1), and
the transfer.
"""

import dataclasses
import os
from collections.abc import Iterator

import numpy as np
from absl import flags, logging
from tqdm import tqdm

from style_transfer import entry
from style_transfer.config import Config

DEFAULT = Config(size=256)
LAYERS = DEFAULT.style_layers  # conv1_1 to conv5_1

flags.DEFINE_string("content", None, "Photograph. Default: an embedded one.")
flags.DEFINE_string("style", None, "Painting. Default: one painted here.")
flags.DEFINE_string("out_dir", "out/style_transfer/figures", "Folder of the figures.")
flags.DEFINE_string("weights", DEFAULT.weights, "As for style_transfer.main.")
flags.DEFINE_float("style_weight", DEFAULT.style_weight, "beta of the transfer.")
flags.DEFINE_integer("size", DEFAULT.size, "Longest side of each picture, pixels.")
flags.DEFINE_integer("steps", DEFAULT.steps, "Steps at each scale.")
flags.DEFINE_integer("seed", DEFAULT.seed, "Of noise, random filters and painting.")
FLAGS = flags.FLAGS


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
        f"conv1_1 to {LAYERS[count - 1]}" if count > 1 else LAYERS[0]: (
            dataclasses.replace(
                config,
                mode="style",
                init="noise",
                style_layers=LAYERS[:count],
                style_layer_weights=(),
            )
        )
        for count in range(1, len(LAYERS) + 1)
    }


def figures(config: Config) -> dict[str, dict[str, Config]]:
    """What is painted for each figure, by label."""
    return {
        "content": content_configs(config),
        "style": style_configs(config),
        "transfer": {"transfer": config},
    }


def grid(panels: dict[str, np.ndarray], columns: int = 3):
    """A figure of labelled pictures [height, width, 3] in [0, 255]."""
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    height, width = max(image.shape[:2] for image in panels.values())
    tall = 3.2 * height / width + 0.3
    figure = Figure(figsize=(3.2 * columns, tall * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, (label, image) in zip(axes, panels.items(), strict=False):
        axis.imshow(np.uint8(np.clip(np.round(image), 0, 255)))
        axis.set_title(label, fontsize=10)
    return figure


def paint_all(config: Config, sources) -> Iterator[tuple[str, str, np.ndarray]]:
    """Figure, label and picture of every panel, the sources among them.

    Args:
        config: what the transfer is made with; layers and start are varied.
        sources: see `session.Sources`.

    Raises:
        ValueError, OSError: see `session.prepare`, before anything is yielded.
        FloatingPointError: a loss is not finite.
    """
    from style_transfer import session, transfer

    first = session.prepare(config, sources)
    config = dataclasses.replace(config, weights=first.network.weights)
    content, style = first.shown
    yield "content", "the picture", content
    yield "style", "the picture", style
    yield "transfer", "content", content
    yield "transfer", "style", style
    for figure, panels in figures(config).items():
        for label, panel in panels.items():
            run = session.prepare(panel, sources)
            image = run.start
            for progress in transfer.paint(
                panel, run.pictures, run.network, run.start, run.side
            ):
                image = progress.image
            yield figure, label, image


def main(argv: list[str]) -> int:
    """Returns the exit code: 2 for bad input, 1 for a diverged run."""
    panels: dict[str, dict[str, np.ndarray]] = {}
    try:
        if argv[1:]:
            raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
        config = Config(
            weights=FLAGS.weights,
            style_weight=FLAGS.style_weight,
            size=FLAGS.size,
            steps=FLAGS.steps,
            seed=FLAGS.seed,
        )
        entry.start_tensorflow()
        from style_transfer import images, session

        images.check_writable(os.path.join(FLAGS.out_dir, "content.png"))
        styles = (FLAGS.style,) if FLAGS.style else ()
        sources = session.Sources(FLAGS.content, styles)
        count = 4 + sum(map(len, figures(config).values()))
        work = paint_all(config, sources)
        for figure, label, image in tqdm(work, total=count, disable=None):
            panels.setdefault(figure, {})[label] = image
    except (ValueError, OSError) as error:
        entry.fail(error)
        return 2
    except FloatingPointError as error:
        entry.fail(error)
        return 1
    for name, pictures in panels.items():
        path = os.path.join(FLAGS.out_dir, f"{name}.png")
        figure = grid(pictures)
        images.write_whole(path, lambda file, f=figure: f.savefig(file, dpi=120))
        logging.info("%s: %d pictures", path, len(pictures))
    return 0


if __name__ == "__main__":
    entry.run(main)

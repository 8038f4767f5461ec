"""Draw the post's figures for any pair of pictures.

python -m style_transfer.figures --content photo.jpg --style painting.jpg
python -m style_transfer.figures --figures=maps,noise          # no network

By section of the post: the content picture as three maps of numbers ("Computer
vision"); noise that becomes the style picture ("Calculus with images"); content from
one layer after the other ("Content reconstruction"); style from growing sets of layers
(the paper's figure 1) and from each layer alone ("Style reconstruction"); the transfer.
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import dataclasses
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from runkit import files, progress, settings, start
from style_transfer import samples
from style_transfer.config import DEFAULTS, Config

if TYPE_CHECKING:
    import numpy as np

    from style_transfer.painter import Run

PAINTED = ("content", "style", "style_layers", "transfer")  # by a network
FIGURES = ("maps", "noise", *PAINTED)
DPI = 120
NOISE_SIZE = 128  # longest side of "noise", pixels

flags.DEFINE_list("figures", list(FIGURES), "Figures to draw.")
flags.DEFINE_string("content", samples.PHOTOGRAPH, "Photograph.")
flags.DEFINE_string("style", samples.PAINTING, "Painting.")
flags.DEFINE_string("out_dir", "out/style_transfer/figures", "Folder of the figures.")
settings.define_flags(Config, DEFAULTS)
FLAGS = flags.FLAGS


def prepare() -> "Run":
    """Loads the transfer and its pictures; no network if none is painted.

    Raises:
        ValueError, OSError: See `painter.prepare`.
    """
    from style_transfer import painter

    sources = painter.Sources(FLAGS.content, (FLAGS.style,))
    config = Config.of_recipe(**settings.given(Config))
    if not set(PAINTED) & set(FLAGS.figures):
        config = dataclasses.replace(config, mode="pixels", init="noise")
    return painter.prepare(config, sources)


def draw_all(first: "Run") -> Iterator[tuple[str, Any, dict]]:
    """Yields name, figure and numbers of each figure that the flags name.

    Raises:
        FloatingPointError: A loss is not finite.
    """
    from style_transfer.figures import drawings

    content, style = first.shown
    if "maps" in FLAGS.figures:
        yield "maps", drawings.maps(content), {}
    if "noise" in FLAGS.figures:
        yield "noise", *draw_noise(style, first.config.seed)
    names = [name for name in PAINTED if name in FLAGS.figures]
    for name, panels in (paint(first, names) if names else {}).items():
        numbers, notes = measure(name, panels, first)
        shown = {label + notes.get(label, ""): panels[label] for label in panels}
        yield name, drawings.grid(shown), numbers


def paint(first: "Run", names: list[str]) -> "dict[str, dict[str, np.ndarray]]":
    """Returns the pictures of each figure by label; see `pictures.paint_all`."""
    from style_transfer.figures import pictures

    painted: dict[str, dict] = {name: {} for name in names}
    configs = pictures.reconstructions(first.config)
    count, done = sum(len(configs[name]) for name in names), 0
    with progress.Bar(count, "picture") as bar:
        for name, label, image in pictures.paint_all(first, names):
            painted[name][label] = image
            done += label in configs[name]
            bar.update(done, name)
    return painted


def draw_noise(picture: "np.ndarray", seed: int) -> tuple[Any, dict]:
    """Returns the figure "noise" of `picture` [height, width, 3], and its losses."""
    from style_transfer import images
    from style_transfer.figures import drawings, pictures

    factor = NOISE_SIZE / max(picture.shape)
    height, width = (round(side * factor) for side in picture.shape[:2])
    target = images.resize(picture, height, width)
    frames, losses = pictures.descend(target, seed)
    shown = {step: losses[step] for step in drawings.shown_steps(len(frames) - 1)}
    return drawings.noise(frames, losses, target), {"pixel_loss": shown}


def measure(
    name: str, panels: "dict[str, np.ndarray]", first: "Run"
) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Returns what the post claims of reconstructions: numbers by label, and titles.

    Of the content it is how far each is from the picture, as later layers are to lose
    detail. Later layers are to describe style at larger scales: it is the wavelength
    of what was painted, and of a layer alone what its Gram matrix is sensitive at.
    """
    from style_transfer.config import BLOCKS
    from style_transfer.figures import measures

    if name == "transfer" or first.network is None:
        return {}, {}
    if name == "content":
        original = panels["the picture"]
        off = {x: measures.rms_difference(panels[x], original) for x in panels}
        notes = {x: f": off by {off[x]:.1f}" for x in panels if off[x]}
        return {"rms_difference": off}, notes
    found = {"wavelength": {x: measures.wavelength(panels[x]) for x in panels}}
    if name == "style":
        return found, {}
    of_gram = measures.gram_wavelengths(
        first.network, first.shown[1], BLOCKS, first.config.seed
    )
    found["gram_wavelength"] = of_gram
    notes = {f"{x} alone": f": sensitive at {of_gram[x]:.1f} pixels" for x in of_gram}
    return found, notes


def main(argv: list[str]) -> None:
    """Draws the figures, and writes them and their numbers."""
    began = time.monotonic()
    if not FLAGS.figures or not set(FLAGS.figures) <= set(FIGURES):
        raise ValueError(
            f"--figures={','.join(FLAGS.figures)}: choose from {', '.join(FIGURES)}"
        )
    start.tensorflow()
    import tensorflow as tf

    from style_transfer import record

    tf.config.experimental.enable_op_determinism()
    first = prepare()
    files.make_folder(FLAGS.out_dir)
    metrics: dict[str, Any] = {}
    names = []
    for name, figure, numbers in draw_all(first):
        path = os.path.join(FLAGS.out_dir, f"{name}.png")
        files.save_figure(path, figure, DPI)
        metrics |= {name: numbers} if numbers else {}
        names.append(f"{name}.png")
    metrics |= first.metrics() | {"seconds": round(time.monotonic() - began, 3)}
    files.write_result(FLAGS.out_dir, first.config, metrics, record.PACKAGES)
    logging.info("%s: %s, result.json", FLAGS.out_dir, ", ".join(names))


def command() -> None:
    """Runs the command."""
    flags.FLAGS.set_default("size", 256)
    cli.run(
        main,
        "style_transfer.figures",
        ("content", "style", "figures", "size", "out_dir"),
    )


if __name__ == "__main__":
    command()

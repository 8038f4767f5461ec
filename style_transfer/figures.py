"""The post's figures for any pair of pictures.

python -m style_transfer.figures --content photo.jpg --style painting.jpg
python -m style_transfer.figures --figures=maps,noise          # no network

By section of the post: the content picture as three maps of numbers ("Computer
vision"); noise that becomes the style picture ("Calculus with images"); content from
one layer after the other ("Content reconstruction"); style from growing sets of layers
(the paper's figure 1) and from each layer alone ("Style reconstruction"); the transfer.
"""

import dataclasses
import os
import time
from collections.abc import Iterator

import numpy as np
from absl import flags, logging
from tqdm import tqdm

from style_transfer import entry
from style_transfer.config import Config

DEFAULT = Config(size=256)
PAINTED = ("content", "style", "style_layers", "transfer")  # by a network
FIGURES = ("maps", "noise", *PAINTED)
DPI = 120
NOISE_SIZE = 128  # longest side of "noise", pixels

flags.DEFINE_list("figures", list(FIGURES), "Which to draw.")
flags.DEFINE_string("content", None, "Photograph. Default: an embedded one.")
flags.DEFINE_string("style", None, "Painting. Default: one painted here.")
flags.DEFINE_string("out_dir", "out/style_transfer/figures", "Folder of the figures.")
flags.DEFINE_string("weights", DEFAULT.weights, "As for style_transfer.main.")
flags.DEFINE_float("style_weight", DEFAULT.style_weight, "beta of the transfer.")
flags.DEFINE_integer("size", DEFAULT.size, "Longest side of each picture, pixels.")
flags.DEFINE_integer("steps", DEFAULT.steps, "Steps at each scale.")
flags.DEFINE_integer("seed", DEFAULT.seed, "Of noise, random filters and painting.")
FLAGS = flags.FLAGS


def settings() -> Config:
    """What the flags say; a `ValueError` for a wrong one."""
    if not FLAGS.figures or not set(FLAGS.figures) <= set(FIGURES):
        raise ValueError(
            f"--figures={','.join(FLAGS.figures)}: choose from {', '.join(FIGURES)}"
        )
    names = "weights", "style_weight", "size", "steps", "seed"
    return Config(**{name: FLAGS[name].value for name in names})


def prepare(config: Config):
    """The transfer before it begins, and its pictures; no network if none paints.

    Raises:
        ValueError, OSError: see `session.prepare`.
    """
    from style_transfer import session

    sources = session.Sources(FLAGS.content, (FLAGS.style,) if FLAGS.style else ())
    if not set(PAINTED) & set(FLAGS.figures):
        config = dataclasses.replace(config, mode="pixels", init="noise")
    return session.prepare(config, sources), sources


def draw_all(first, sources) -> Iterator[tuple[str, object, dict]]:
    """Name, figure and numbers of each figure that the flags name.

    Raises:
        FloatingPointError: a loss is not finite.
    """
    from style_transfer import drawings

    of_network = [name for name in PAINTED if name in FLAGS.figures]
    content, style = first.shown
    if "maps" in FLAGS.figures:
        yield "maps", drawings.maps(content), {}
    if "noise" in FLAGS.figures:
        yield "noise", *draw_noise(style, first.config.seed)
    painted = paint(first, sources, of_network) if of_network else {}
    for name, pictures in painted.items():
        numbers, notes = measure(name, pictures, first)
        shown = {label + notes.get(label, ""): pictures[label] for label in pictures}
        yield name, drawings.grid(shown), numbers


def paint(first, sources, names: list[str]) -> dict[str, dict[str, np.ndarray]]:
    """The pictures of each figure by label, with a bar; see `panels.paint_all`."""
    from style_transfer import panels

    painted = {name: {} for name in names}
    configs = panels.reconstructions(first.config)
    count = sum(len(configs[name]) for name in names)
    work = panels.paint_all(first, sources, names)
    with tqdm(total=count, unit="picture", disable=None) as bar:
        for name, label, image in work:
            painted[name][label] = image
            bar.update(label in configs[name])
    return painted


def draw_noise(picture: np.ndarray, seed: int) -> tuple[object, dict]:
    """The figure "noise" of `picture` [height, width, 3], and the losses in it."""
    from style_transfer import drawings, images, panels

    factor = NOISE_SIZE / max(picture.shape)
    target = images.resize(picture, *(round(x * factor) for x in picture.shape[:2]))
    frames, losses = panels.descend(target, seed)
    shown = {step: losses[step] for step in drawings.shown_steps(len(frames) - 1)}
    return drawings.noise(frames, losses, target), {"pixel_loss": shown}


def measure(
    name: str, pictures: dict[str, np.ndarray], first
) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """What the post claims of reconstructions, as numbers by label, and as titles.

    Of the content it is how far each is from the picture, as later layers are to lose
    detail. Later layers are to describe style at larger scales: it is the wavelength
    of what was painted, and of a layer alone what its Gram matrix is sensitive at.
    """
    from style_transfer import measures, panels

    if name == "transfer":
        return {}, {}
    if name == "content":
        original = pictures["the picture"]
        off = {x: measures.rms_difference(pictures[x], original) for x in pictures}
        notes = {x: f": off by {off[x]:.1f}" for x in pictures if off[x]}
        return {"rms_difference": off}, notes
    found = {"wavelength": {x: measures.wavelength(pictures[x]) for x in pictures}}
    if name == "style":
        return found, {}
    of_gram = measures.gram_wavelengths(
        first.network, first.shown[1], panels.LAYERS, first.config.seed
    )
    found["gram_wavelength"] = of_gram
    notes = {f"{x} alone": f": sensitive at {of_gram[x]:.1f} pixels" for x in of_gram}
    return found, notes


def main(argv: list[str]) -> int:
    """Returns the exit code: 2 for bad input, 1 for a diverged run."""
    began = time.monotonic()
    try:
        if argv[1:]:
            raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
        config = settings()
        entry.start_tensorflow()
        from style_transfer import images, outputs

        images.check_writable(os.path.join(FLAGS.out_dir, "content.png"))
        first, sources = prepare(config)
        for note in first.notes:
            logging.info("%s", note)
        drawn = list(draw_all(first, sources))
    except (ValueError, OSError) as error:
        entry.fail(error)
        return 2
    except FloatingPointError as error:
        entry.fail(error)
        return 1
    for name, figure, _ in drawn:
        path = os.path.join(FLAGS.out_dir, f"{name}.png")
        images.write_whole(path, lambda file, f=figure: f.savefig(file, dpi=DPI))
    metrics = {name: numbers for name, _, numbers in drawn if numbers}
    metrics |= first.metrics()
    metrics["seconds"] = round(time.monotonic() - began, 3)
    path = os.path.join(FLAGS.out_dir, "result.json")
    outputs.write_result(path, config, metrics)
    names = ", ".join(f"{name}.png" for name, *_ in drawn)
    logging.info("%s: %s, result.json", FLAGS.out_dir, names)
    return 0


if __name__ == "__main__":
    entry.run(main)

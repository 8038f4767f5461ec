"""Paint one picture in the style of another.

python -m style_transfer.main --content photo.jpg --style painting.jpg
python -m style_transfer.main --content a.jpg b.jpg photos/ --style painting.jpg
python -m style_transfer.main --recipe=post --size=96 --steps=100     # as the author
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags, logging

from runkit import files, progress, settings, start, stop
from style_transfer import samples
from style_transfer.config import DEFAULTS, Config

if TYPE_CHECKING:
    from runkit.checkpoint import Arrays
    from style_transfer.painter import Run, Sources
    from style_transfer.record import Recorder
    from style_transfer.vgg import Network

NAME = "style_transfer"
flags.DEFINE_multi_string(
    "content",
    [],
    "Photograph; several paths or a folder make a picture each. The default is an "
    "embedded one.",
)
flags.DEFINE_multi_string(
    "style",
    [],
    "Painting; several paths, also with commas, are mixed, or divided by --mask. The "
    "default comes with this package.",
)
flags.DEFINE_multi_string(
    "mask", [], "Picture of where each style goes, white on black."
)
flags.DEFINE_string(
    "output", None, "File of the picture; the default is <out_dir>/<mode>.png."
)
flags.DEFINE_string(
    "out_dir",
    "out/style_transfer",
    "Folder of everything that a run leaves; several contents get a folder each in it.",
)
flags.DEFINE_bool("overwrite", False, "Whether --output may replace a file.")
flags.DEFINE_bool(
    "resume", False, "Whether to go on from the checkpoint in the folder of the run."
)
flags.DEFINE_float(
    "checkpoint_seconds", 30.0, "Seconds between checkpoints; 0 writes one at the end."
)
flags.DEFINE_float(
    "memory_gib", None, "GiB of memory to use; the default is most of what is free."
)
flags.DEFINE_string(
    "device", "auto", "Device to paint on: auto, cpu, gpu, or one of several as gpu:1."
)
flags.DEFINE_bool(
    "tensorboard", False, "Whether to write summaries into <folder>/tensorboard."
)
settings.define_flags(Config, DEFAULTS)
flags.DEFINE_alias("content_layer", "content_layers")
FLAGS = flags.FLAGS
FIRST = ("content", "style", "size", "steps", "out_dir")
SEVERAL = {"--content", "--style", "--mask"}
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")


def spread(arguments: list[str]) -> list[str]:
    """Repeats a flag before each further value: `--content a b` means two contents."""
    found, flag = [], ""
    for argument in arguments:
        if argument.startswith("-"):
            name = argument.partition("=")[0].replace("--", "-").replace("-", "--")
            flag, waits = (name if name in SEVERAL else ""), "=" not in argument
        elif flag and waits:
            waits = False
        elif flag:
            found.append(flag)
        found.append(argument)
    return found


def contents() -> list[str]:
    """Returns the paths of the photographs."""
    found = []
    for path in FLAGS.content or [samples.PHOTOGRAPH]:
        if not os.path.isdir(path):
            found.append(path)
            continue
        names = sorted(os.listdir(path))
        inside = [name for name in names if name.lower().endswith(PICTURES)]
        if not inside:
            raise FileNotFoundError(f"--content={path}: no picture in this folder")
        found += [os.path.join(path, name) for name in inside]
    return found


def styles() -> tuple[str, ...]:
    """Returns the paths of the paintings; commas divide what is no file's name."""
    return tuple(
        path
        for given in FLAGS.style or [samples.PAINTING]
        for path in ([given] if os.path.exists(given) else given.split(","))
    )


def folders(paths: list[str]) -> list[str]:
    """Returns the folder of each content's run."""
    if len(paths) == 1:
        return [FLAGS.out_dir]
    found: list[str] = []
    for path in paths:
        stem = os.path.splitext(os.path.basename(path))[0]
        name, count = stem, 1
        while (folder := os.path.join(FLAGS.out_dir, name)) in found:
            count += 1
            name = f"{stem}_{count}"
        found.append(folder)
    return found


def check_inputs(sources: Sequence["Sources"]) -> None:
    """Finds what is no picture before the first of several is painted."""
    from style_transfer import images

    for path in {path for each in sources for path in each.paths()}:
        if images.dimensions(path) is None:
            images.load_image(path)


def check_output(picture: str, inputs: Sequence[str]) -> None:
    """Checks that the picture can be written, and replaces nothing of the user's."""
    from style_transfer import images

    for path in inputs:
        if os.path.exists(picture) and os.path.samefile(picture, path):
            raise ValueError(
                f"output {picture}: it would replace the input {path}: give another "
                "--output or --out_dir"
            )
    kept = FLAGS.output is not None and not (FLAGS.overwrite or FLAGS.resume)
    if kept and os.path.isfile(picture):
        raise FileExistsError(f"output {picture}: this file exists: give --overwrite")
    images.check_writable(picture)


def choose_device() -> str:
    """Makes --device the only one that TensorFlow sees; returns it in words."""
    import tensorflow as tf

    kind, _, number = FLAGS.device.lower().partition(":")
    cards = tf.config.get_visible_devices("GPU")
    if kind not in ("auto", "cpu", "gpu") or not (number or "0").isdigit():
        raise ValueError(f"--device={FLAGS.device}: choose auto, cpu, gpu or gpu:1")
    index = int(number or 0)
    if kind == "gpu" and index >= len(cards):
        raise ValueError(
            f"--device={FLAGS.device}: TensorFlow sees {len(cards)} GPUs here; "
            "`python -m gpu_setup.check` says why"
        )
    if kind == "cpu" or not cards:
        tf.config.set_visible_devices([], "GPU")
        return f"the CPU, {os.cpu_count()} cores"
    tf.config.set_visible_devices(cards[index : index + 1], "GPU")
    details = tf.config.experimental.get_device_details(cards[index])
    return f"the GPU, {details.get('device_name', cards[index].name)}"


def main(argv: list[str]) -> int:
    """Paints every picture; returns the highest exit code of any."""
    config = Config.of_recipe(**settings.given(Config))
    found, paintings = contents(), styles()
    if FLAGS.output and len(found) > 1:
        raise ValueError(
            f"--output names one file, and there are {len(found)} contents"
        )
    device = start.tensorflow(connect=choose_device)
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    from style_transfer.painter import Sources

    masks = tuple(FLAGS.mask)
    sources = [Sources(path, paintings, masks) for path in found]
    check_inputs(sources)
    logging.info("Painting on %s.", device)
    codes, network = [], None
    for each, folder in zip(sources, folders(found), strict=True):
        try:
            code, network = paint_one(config, each, folder, network)
        except (ValueError, OSError) as error:
            if len(sources) == 1:
                raise
            code = cli.complain(NAME, error, cli.BAD_INPUT)
        codes.append(code)
        if code == cli.INTERRUPTED:
            break
    return max(codes)


def paint_one(
    config: Config, sources: "Sources", folder: str, network: "Network | None"
) -> tuple[int, "Network | None"]:
    """Paints one picture and writes all about it; returns exit code and network."""
    import tensorflow as tf

    from style_transfer import memory, painter, record

    picture = FLAGS.output or os.path.join(folder, f"{config.mode}.png")
    inputs = [*sources.paths(), config.init]
    check_output(picture, [path for path in inputs if os.path.isfile(path)])
    limit = FLAGS.memory_gib and FLAGS.memory_gib * 2**30
    try:
        run = painter.prepare(config, sources, limit, network)
        saved, rows = record.load(folder, run) if FLAGS.resume else (None, [])
        files.make_folder(folder)
        with files.locked(folder):
            image = saved["image"] if saved else None
            recorder = record.Recorder(folder, run, rows, image, FLAGS.tensorboard)
            code = follow(run, recorder, saved)
            recorder.finish(picture)
            logging.info("%s: %d steps", picture, len(recorder.rows))
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        free = memory.available() / memory.GIB
        raise cli.Failed(
            f"out of memory: give --size={(config.size or 2048) // 2}, or less memory "
            f"than is free, such as --memory_gib={free / 2:.1f}"
        ) from error
    return code, run.network


def follow(run: "Run", recorder: "Recorder", saved: "Arrays | None") -> int:
    """Makes the picture; the recorder has the newest whatever ends the work."""
    code, newest, kept = cli.DONE, None, time.monotonic()
    done = len(recorder.rows)
    logging.info("%s", run.note)
    with stop.asked() as request, progress.Bar(run.steps(), initial=done) as bar:
        try:
            for newest in run.paint(saved):
                recorder.report(newest)
                losses = newest.losses.items()
                bar.update(newest.step, "  ".join(f"{k} {v:.4g}" for k, v in losses))
                every = FLAGS.checkpoint_seconds
                if every and time.monotonic() - kept >= every:
                    recorder.save(newest)
                    kept = time.monotonic()
                if request.now:
                    code = cli.complain(
                        NAME, "interrupted: saving what there is", cli.INTERRUPTED
                    )
                    break
        except FloatingPointError as error:
            step = len(recorder.rows) + 1
            code = cli.complain(NAME, f"step {step}: {error}", cli.FAILED)
        if newest:
            recorder.save(newest)
    return code


def command() -> None:
    """Runs the command."""
    sys.argv = spread(sys.argv)
    cli.run(main, NAME, FIRST)


if __name__ == "__main__":
    command()

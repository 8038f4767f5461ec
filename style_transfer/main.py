"""Paint one picture in the style of another.

python -m style_transfer.main --content photo.jpg --style painting.jpg
"""

import os
import time

from absl import flags, logging

from style_transfer import entry
from style_transfer.config import CHOICES, Config

DEFAULT = Config()

flags.DEFINE_string("content", None, "Photograph. Default: an embedded one.")
flags.DEFINE_multi_string(
    "style", [], "Painting; may be given several times. Default: one painted here."
)
flags.DEFINE_multi_string(
    "mask", [], "For each style the part of the content that gets it, white in black."
)
flags.DEFINE_string("output", None, "Final picture. Default: <out_dir>/<mode>.png.")
flags.DEFINE_string("out_dir", "out/style_transfer", "Folder of everything else.")
flags.DEFINE_enum(
    "mode",
    DEFAULT.mode,
    CHOICES["mode"],
    "What to make: the transfer; one of the two reconstructions that it joins; or, "
    "with pixels, the content picture by its pixels alone.",
)
flags.DEFINE_string(
    "init",
    "auto",
    "Where to start: noise, content, style or a picture file. auto is content for "
    "transfer, else noise.",
)
flags.DEFINE_enum(
    "network",
    DEFAULT.network,
    CHOICES["network"],
    "vgg19, or the compact network that comes with the package. auto: by the weights.",
)
flags.DEFINE_string(
    "weights",
    DEFAULT.weights,
    "The filters: compact (shipped), imagenet (Keras's 80 MB download for vgg19), "
    "random (calibrated on the pictures) or a file of Keras or of pretrain. auto is "
    "imagenet if it is cached or arrives, else compact.",
)
flags.DEFINE_enum("pooling", DEFAULT.pooling, CHOICES["pooling"], "Kind of pooling.")
flags.DEFINE_enum(
    "precision",
    DEFAULT.precision,
    CHOICES["precision"],
    "Of the convolutions. auto is bfloat16 where the processor has it.",
)
flags.DEFINE_list(
    "content_layer", list(DEFAULT.content_layers), "Layer or layers of the content."
)
flags.DEFINE_list("style_layers", list(DEFAULT.style_layers), "Layers of the style.")
flags.DEFINE_list(
    "style_layer_weights", [], "A weight for each style layer. Default: equal."
)
flags.DEFINE_list("style_blend", [], "A share for each style. Default: equal.")
flags.DEFINE_float(
    "style_scale", DEFAULT.style_scale, "Size of the style picture, of --size."
)
flags.DEFINE_float("content_weight", DEFAULT.content_weight, "alpha of the post.")
flags.DEFINE_float("style_weight", DEFAULT.style_weight, "beta of the post.")
flags.DEFINE_float(
    "total_variation_weight", DEFAULT.total_variation_weight, "Smooths; 0: off."
)
flags.DEFINE_bool(
    "normalize_gradients",
    DEFAULT.normalize_gradients,
    "Weigh each layer by the gradient that its loss has at noise.",
)
flags.DEFINE_enum(
    "preserve_colors",
    DEFAULT.preserve_colors,
    CHOICES["preserve_colors"],
    "Keep the content's: transfer luminance alone, or match the style's to them.",
)
flags.DEFINE_enum(
    "optimizer",
    DEFAULT.optimizer,
    CHOICES["optimizer"],
    "lbfgs as in the paper, or adam as in the post.",
)
flags.DEFINE_float(
    "learning_rate", DEFAULT.learning_rate, "Adam's, in intensities of 0 to 255."
)
flags.DEFINE_integer("scales", DEFAULT.scales, "Sizes from coarse to fine, by halves.")
flags.DEFINE_integer("steps", DEFAULT.steps, "Steps of the optimizer at each scale.")
flags.DEFINE_integer("size", DEFAULT.size, "Longest side of the picture, pixels.")
flags.DEFINE_integer(
    "save_every", DEFAULT.save_every, "Steps between saved pictures; 0: none, no GIF."
)
flags.DEFINE_float("checkpoint_seconds", 30.0, "Between checkpoints; 0: none.")
flags.DEFINE_bool("resume", False, "Go on from the checkpoint in --out_dir.")
flags.DEFINE_float("memory_gib", None, "To use at most. Default: most that is free.")
flags.DEFINE_integer("seed", DEFAULT.seed, "Of noise, random filters and painting.")
flags.DEFINE_bool("tensorboard", False, "Summaries in <out_dir>/tensorboard.")
FLAGS = flags.FLAGS


def config_from_flags() -> Config:
    """The settings that the command line gives, checked."""
    numbers = {}
    for name in ("style_layer_weights", "style_blend"):
        try:
            numbers[name] = tuple(float(number) for number in FLAGS[name].value)
        except ValueError as error:
            raise ValueError(f"--{name}: {error}") from None
    return Config(
        content_layers=tuple(FLAGS.content_layer),
        style_layers=tuple(FLAGS.style_layers),
        **numbers,
        **{
            name: FLAGS[name].value
            for name in Config.__dataclass_fields__
            if name in FLAGS and not isinstance(FLAGS[name].value, list)
        },
    )


def prepare():
    """Everything that can be a mistake of the user happens here, before any work."""
    config = config_from_flags()
    entry.start_tensorflow()
    from style_transfer import checkpoint, images, session

    picture = FLAGS.output or os.path.join(FLAGS.out_dir, f"{config.mode}.png")
    images.check_writable(os.path.join(FLAGS.out_dir, "loss.png"))
    images.check_writable(picture)
    sources = session.Sources(FLAGS.content, tuple(FLAGS.style), tuple(FLAGS.mask))
    limit = FLAGS.memory_gib and FLAGS.memory_gib * 2**30
    run = session.prepare(config, sources, limit)
    saved, rows = None, []
    if FLAGS.resume:
        saved, rows = checkpoint.load(checkpoint_path(), run.mark())
    for note in run.notes:
        logging.info("%s", note)
    return run, picture, saved, rows


def checkpoint_path() -> str:
    """Where a run keeps its state until it is done."""
    return os.path.join(FLAGS.out_dir, "checkpoint.npz")


def main(argv: list[str]) -> int:
    """Returns the exit code: 2 for bad input, 1 for a diverged run, 130 for Ctrl-C."""
    try:
        if argv[1:]:
            raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
        run, picture, saved, rows = prepare()
    except (ValueError, OSError) as error:
        entry.fail(error)
        return 2
    from style_transfer import outputs

    start = run.finished(saved["image"] if saved else run.start)
    recorder = outputs.Recorder(FLAGS.out_dir, start, run.config.save_every, rows)
    began = time.monotonic()
    code = 0
    try:
        paint(run, saved, recorder)
    except FloatingPointError as error:
        step = len(recorder.rows) + 1
        entry.fail(f"step {step}: {error}")
        code = 1
    except KeyboardInterrupt:
        entry.fail("interrupted: saving what there is")
        code = 130
    seconds = time.monotonic() - began
    recorder.finish(picture)
    overview = os.path.join(FLAGS.out_dir, "overview.jpg")
    sources = {"transfer": run.shown, "style": run.shown[1:]}
    shown = sources.get(run.config.mode, run.shown[:1])
    outputs.save_overview(overview, [*shown, recorder.image])
    made = len(recorder.rows) - len(rows)
    metrics = recorder.metrics() | run.metrics()
    metrics["seconds"] = round(seconds, 3)
    metrics["seconds_per_step"] = round(seconds / max(made, 1), 4)
    path = os.path.join(FLAGS.out_dir, "result.json")
    outputs.write_result(path, run.config, metrics | {"picture": picture})
    logging.info("%s: %d steps in %.1f s", picture, made, seconds)
    return code


def paint(run, saved, recorder) -> None:
    """Make the picture; the newest is with `recorder` whatever ends the work."""
    from style_transfer import checkpoint, outputs, transfer

    scales = transfer.scale_factors(run.config, *run.start.shape[:2])
    folder = FLAGS.tensorboard and os.path.join(FLAGS.out_dir, "tensorboard")
    done = len(recorder.rows)
    watch = outputs.Watch(run.config.steps * len(scales), done, folder)
    path, progress, kept = checkpoint_path(), None, time.monotonic()

    def keep():
        checkpoint.save(path, progress.state(), recorder.rows, run.mark())

    steps = transfer.paint(
        run.config, run.pictures, run.network, run.start, run.side, saved
    )
    try:
        for progress in steps:
            image = run.finished(progress.image)
            recorder.report(progress.step, progress.losses, image)
            watch.report(progress.step, progress.losses, image)
            every = FLAGS.checkpoint_seconds
            if every and time.monotonic() - kept >= every:
                keep()
                kept = time.monotonic()
    except KeyboardInterrupt:
        if progress and progress.step == len(recorder.rows):
            keep()
        raise
    finally:
        watch.close()
    if os.path.exists(path):
        os.remove(path)


if __name__ == "__main__":
    entry.run(main)

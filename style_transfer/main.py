"""Paint one picture in the style of another.

python -m style_transfer.main --content photo.jpg --style painting.jpg
"""

import contextlib
import math
import os
import sys
import time

from absl import app, flags, logging
from tqdm import tqdm

from style_transfer import config as config_lib
from style_transfer.config import Config

DEFAULT = Config()

flags.DEFINE_string("content", None, "Photograph. Default: an embedded one.")
flags.DEFINE_string("style", None, "Painting. Default: one this package paints.")
flags.DEFINE_string("output", None, "Final picture. Default: <out_dir>/<mode>.png.")
flags.DEFINE_string("out_dir", "out/style_transfer", "Folder of everything else.")
flags.DEFINE_enum(
    "mode",
    DEFAULT.mode,
    config_lib.MODES,
    "What to make: the transfer; one of the two reconstructions that it joins; or, "
    "with pixels, the content picture by its pixels alone.",
)
flags.DEFINE_string(
    "init",
    "auto",
    "Where to start: noise, content, style or a picture file. auto is content for "
    "transfer, else noise.",
)
flags.DEFINE_string(
    "weights",
    DEFAULT.weights,
    "VGG-19's filters: imagenet (Keras's 80 MB download), random (offline, "
    "calibrated on the two pictures) or a Keras file. auto is imagenet if it is "
    "cached or arrives, else random.",
)
flags.DEFINE_enum("pooling", DEFAULT.pooling, config_lib.POOLINGS, "Kind of pooling.")
flags.DEFINE_list(
    "content_layer", list(DEFAULT.content_layers), "Layer or layers of the content."
)
flags.DEFINE_list("style_layers", list(DEFAULT.style_layers), "Layers of the style.")
flags.DEFINE_list(
    "style_layer_weights", [], "A weight for each style layer. Default: equal."
)
flags.DEFINE_float("content_weight", DEFAULT.content_weight, "alpha of the post.")
flags.DEFINE_float("style_weight", DEFAULT.style_weight, "beta of the post.")
flags.DEFINE_float(
    "total_variation_weight", DEFAULT.total_variation_weight, "Smooths; 0: off."
)
flags.DEFINE_enum(
    "optimizer",
    DEFAULT.optimizer,
    config_lib.OPTIMIZERS,
    "adam as in the post, or lbfgs as in the paper.",
)
flags.DEFINE_float(
    "learning_rate", DEFAULT.learning_rate, "Adam's, in intensities of 0 to 255."
)
flags.DEFINE_integer("steps", DEFAULT.steps, "Steps of the optimizer.")
flags.DEFINE_integer("size", DEFAULT.size, "Longest side, pixels, of every picture.")
flags.DEFINE_integer(
    "save_every", DEFAULT.save_every, "Steps between saved pictures; 0: none, no GIF."
)
flags.DEFINE_integer("seed", DEFAULT.seed, "Of noise, random filters and painting.")
flags.DEFINE_bool("tensorboard", False, "Summaries in <out_dir>/tensorboard.")
FLAGS = flags.FLAGS


def config_from_flags() -> Config:
    """The settings that the command line gives, checked."""
    try:
        layer_weights = tuple(float(weight) for weight in FLAGS.style_layer_weights)
    except ValueError as error:
        raise ValueError(f"--style_layer_weights: {error}") from None
    return Config(
        content_layers=tuple(FLAGS.content_layer),
        style_layers=tuple(FLAGS.style_layers),
        style_layer_weights=layer_weights,
        **{
            name: FLAGS[name].value
            for name in Config.__dataclass_fields__
            if name in FLAGS and not isinstance(FLAGS[name].value, list)
        },
    )


def load_pictures(config: Config):
    """The content, the style and the picture to start from."""
    from style_transfer import images, samples, transfer

    def load(path, sample):
        return images.load_image(path, config.size) if path else sample()

    content = load(FLAGS.content, lambda: samples.photograph(config.size))
    style = load(FLAGS.style, lambda: samples.painting(config.size, config.seed))
    height, width = content.shape[:2]
    if config.init == "noise":
        start = transfer.noise(height, width, config.seed)
    elif config.init in ("content", "style"):
        start = {"content": content, "style": style}[config.init]
    else:
        start = images.load_image(config.init)
    return content, style, images.resize(start, height, width)


@contextlib.contextmanager
def quiet_stderr():
    """Drops what native code writes to stderr; exceptions still pass."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def prepare():
    """Everything that can be a mistake of the user happens here, before any work."""
    config = config_from_flags()
    with quiet_stderr():  # some of TensorFlow's greetings obey no setting
        import tensorflow as tf

        tf.config.list_logical_devices()
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(config.seed)
    from style_transfer import features, images, transfer

    picture = FLAGS.output or os.path.join(FLAGS.out_dir, f"{config.mode}.png")
    images.check_writable(os.path.join(FLAGS.out_dir, "loss.png"))
    images.check_writable(picture)
    content, style, start = load_pictures(config)
    network = None
    if config.mode != "pixels":
        network, reason = features.load(
            config.weights,
            transfer.layers(config),
            config.pooling,
            [content, style],
            config.seed,
        )
        if reason:
            logging.warning("%s: using calibrated random filters instead.", reason)
    objective = transfer.make_objective(config, content, style, network)
    sources = {"transfer": [content, style], "style": [style]}
    shown = sources.get(config.mode, [content])
    return config, picture, shown, start, network, objective


def main(argv: list[str]) -> int:
    """Returns the exit code: 2 for bad input, 1 for a diverged run, 130 for Ctrl-C."""
    try:
        if argv[1:]:
            raise ValueError(f"unexpected {argv[1]!r}: see --helpshort")
        config, picture, shown, start, network, objective = prepare()
    except (ValueError, OSError) as error:
        print(f"style_transfer: {error}", file=sys.stderr)
        return 2
    from style_transfer import outputs, transfer

    recorder = outputs.Recorder(FLAGS.out_dir, start, config.save_every)
    watch = Watch(config.steps)
    began = time.monotonic()

    def report(step, losses, image):
        recorder.report(step, losses, image)
        watch.report(step, losses, image)

    code = 0
    try:
        transfer.run(config, objective, start, report)
    except FloatingPointError as error:
        print(f"style_transfer: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("style_transfer: interrupted: saving what there is", file=sys.stderr)
        code = 130
    seconds = time.monotonic() - began
    watch.close()
    recorder.finish(picture)
    overview = os.path.join(FLAGS.out_dir, "overview.jpg")
    outputs.save_overview(overview, [*shown, recorder.image])
    losses, _ = objective(recorder.image)
    steps = len(recorder.rows)
    metrics = {
        name: float(loss) if math.isfinite(loss) else None
        for name, loss in losses.items()
    } | {
        "steps": steps,
        "seconds": round(seconds, 3),
        "seconds_per_step": round(seconds / max(steps, 1), 4),
        "weights": network.weights if network else None,
        "seed": config.seed,
        "image_size": [start.shape[1], start.shape[0]],
        "picture": picture,
    }
    outputs.write_result(os.path.join(FLAGS.out_dir, "result.json"), config, metrics)
    logging.info("%s: %d steps in %.1f s", picture, steps, seconds)
    return code


class Watch:
    """Shows a run while it goes: a bar on a terminal, else a line now and then."""

    def __init__(self, steps: int):
        self._bar = tqdm(total=steps, unit="step", disable=None)
        self._every = max(1, steps // 10)
        self._writer = None
        if FLAGS.tensorboard:
            import tensorflow as tf

            folder = os.path.join(FLAGS.out_dir, "tensorboard")
            self._writer = tf.summary.create_file_writer(folder)

    def report(self, step, losses, image):
        """See `optimize.Report`."""
        text = "  ".join(f"{name} {loss:.4g}" for name, loss in losses.items())
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update()
        if self._bar.disable and step % self._every == 0:
            logging.info("step %d  %s", step, text)
        if self._writer:
            import tensorflow as tf

            with self._writer.as_default(step):
                for name, loss in losses.items():
                    tf.summary.scalar(name, loss)
                if step % self._every == 0:
                    tf.summary.image("picture", image[None] / 255.0)

    def close(self):
        """Leave the terminal and the summaries complete."""
        self._bar.close()
        if self._writer:
            self._writer.close()


def parse(argv: list[str]) -> list[str]:
    """Flags, with one line and exit code 2 for a wrong one."""
    try:
        return FLAGS(argv)
    except flags.Error as error:
        print(f"style_transfer: {error}: see --helpshort", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.set_verbosity(logging.INFO)
    try:
        app.run(main, flags_parser=parse)
    except KeyboardInterrupt:
        sys.exit(130)

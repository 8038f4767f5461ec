"""Count what the 1x1 reductions of Inception modules save, draw it, and time it.

python -m inception_mnist.operations
python -m inception_mnist.operations --map1=64 --map2=128 --head=gap --pool=2
python -m inception_mnist.operations --channels=480 --module_widths=192,96,208,16,48,64
python -m inception_mnist.operations --nomeasure          # without TensorFlow

Post, "Dimensionality reduction".
"""

import os

from absl import flags

from inception_mnist import arithmetic, entry
from inception_mnist import operations_tables as tables
from inception_mnist.arithmetic import HEADS, MODULES, Inception
from inception_mnist.config import Config

DEFAULT = Config()
LARGEST = 1_000_000  # of a width


def define_count(name: str, default: int, text: str, most: int = LARGEST) -> None:
    """A flag for a whole number from 1."""
    flags.DEFINE_integer(name, default, text, lower_bound=1, upper_bound=most)


define_count("map1", DEFAULT.map1, "Of the model: channels a branch of module 1.")
define_count("map2", DEFAULT.map2, "Of the model: channels a branch of module 2.")
define_count(
    "reduce1x1",
    DEFAULT.reduce1x1,
    "Of the model: channels after each 1x1 convolution before a large one.",
)
define_count("hidden", DEFAULT.hidden, "Of the model: units of the hidden layer.")
flags.DEFINE_enum(
    "head",
    DEFAULT.head,
    HEADS,
    "Of the model. dense: the hidden layer reads every value, as in the post; gap: the "
    "mean of each channel.",
)
flags.DEFINE_enum(
    "module",
    DEFAULT.module,
    MODULES,
    "Of the model. reduced: the post's Figure 3; naive: its Figure 4, with 1x1 "
    "convolutions neither before the large ones nor after the pooling.",
)
define_count(
    "pool",
    DEFAULT.pool,
    "Of the model: stride of a max pooling between the modules; 1: none.",
    arithmetic.SIZE,
)
define_count("size", tables.EXAMPLE.height, "Of a module of your own: pixels a side.")
define_count(
    "channels", tables.EXAMPLE.channels_in, "Of a module of your own: of its input."
)
flags.DEFINE_string(
    "module_widths",
    ",".join(str(getattr(tables.EXAMPLE, name)) for name in tables.WIDTHS),
    "Of a module of your own, as in the paper's Table 1: #1x1, #3x3 reduce, #3x3, "
    "#5x5 reduce, #5x5, pool proj.",
)
flags.DEFINE_bool(
    "measure", True, "Also time both kinds of the model's modules, forward and back."
)
define_count(
    "batch_size", DEFAULT.batch_size, "Of --measure: pictures at once.", 10_000
)
define_count(
    "repeats", 5, "Of --measure: passes of each kind; their median is told.", 10_000
)
flags.DEFINE_integer(
    "threads",
    0,
    "Of --measure: TensorFlow's; 0: one a core.",
    lower_bound=0,
    upper_bound=1024,
)
flags.DEFINE_string(
    "out_dir", "out/inception_mnist/operations", "Folder of everything written."
)
FLAGS = flags.FLAGS


def own_module() -> Inception:
    """The module that the flags describe; a `ValueError` for wrong widths."""
    try:
        widths = [int(text) for text in FLAGS.module_widths.split(",")]
    except ValueError:
        widths = []
    count = len(tables.WIDTHS)
    if len(widths) != count or not all(1 <= width <= LARGEST for width in widths):
        raise ValueError(
            f"--module_widths={FLAGS.module_widths}: {count} whole numbers from 1 to "
            f"{LARGEST:,} with commas between are needed"
        )
    return Inception(FLAGS.size, FLAGS.size, FLAGS.channels, *widths)


def model_settings() -> tables.Settings:
    """What the flags say of the model."""
    names = "map1", "map2", "reduce1x1", "hidden", "head", "module", "pool"
    return {name: FLAGS[name].value for name in names}


def measure(settings: tables.Settings) -> dict[str, dict[str, float]]:
    """Time both kinds of module, with a bar."""
    entry.start_tensorflow(FLAGS.threads)
    from tqdm import tqdm

    from inception_mnist import operations_timing

    passes = len(MODULES) * (FLAGS.repeats + 1)
    with tqdm(total=passes, unit="pass", disable=None, leave=False) as bar:
        return operations_timing.measure(
            settings, FLAGS.batch_size, FLAGS.repeats, bar.update
        )


def write(settings: tables.Settings, own: Inception, found: dict) -> None:
    """operations.csv, the figures and result.json."""
    from inception_mnist import operations_drawings, operations_figure, outputs
    from inception_mnist.checkpoint import write_whole

    rows = tables.layer_rows(settings, own)
    outputs.write_rows(os.path.join(FLAGS.out_dir, "operations.csv"), rows)
    for name, draw, of in (
        ("operations", operations_figure.draw, settings),
        ("module", operations_drawings.draw_modules, own),
        ("computation", operations_drawings.draw_computation, own),
    ):
        path = os.path.join(FLAGS.out_dir, f"{name}.png")
        write_whole(path, lambda file, draw=draw, of=of: draw(file, of))
    metrics = {
        "post": tables.post_numbers(),
        "googlenet": tables.googlenet_counts() | {"all": tables.googlenet_totals()},
        "model": {
            name: {
                "multiplications": arithmetic.multiplications(layers),
                "parameters": arithmetic.parameters(layers),
            }
            for name, layers in tables.model_columns(settings).items()
        },
        "own": {
            module: {
                "multiplications": arithmetic.multiplications(own.layers(module)),
                "parameters": arithmetic.parameters(own.layers(module)),
                "channels_out": own.channels_out(module),
                "layers": {x.name: x.multiplications for x in own.layers(module)},
            }
            for module in MODULES
        },
        "measured": found,
    }
    names = "size", "channels", "module_widths", "batch_size", "repeats", "threads"
    config = settings | {name: FLAGS[name].value for name in names}
    outputs.write_result(os.path.join(FLAGS.out_dir, "result.json"), config, metrics)


def main(_) -> int:
    """Returns the exit code."""
    own, settings = own_module(), model_settings()
    entry.make_folder(FLAGS.out_dir)
    sections = [
        tables.post_section(),
        tables.googlenet_section(),
        tables.paper_section(),
        tables.model_section(settings),
        tables.own_section(own),
    ]
    print("\n\n".join(sections), flush=True)
    found = measure(settings) if FLAGS.measure else {}
    if found:
        print(f"\n{tables.measured_section(found)}")
    write(settings, own, found)
    names = "operations.csv, operations.png, module.png, computation.png, result.json"
    print(f"\nWritten to {FLAGS.out_dir}: {names}")
    return 0


if __name__ == "__main__":
    entry.run(main)

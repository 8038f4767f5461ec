"""Count what the 1x1 reductions of Inception modules save, draw it, and time it.

python -m inception_mnist.operations
python -m inception_mnist.operations --map1=64 --map2=128 --head=gap --pool=2
python -m inception_mnist.operations --channels=480 --module_widths=192,96,208,16,48,64
python -m inception_mnist.operations --nomeasure          # without TensorFlow

Post, "Dimensionality reduction".
"""

from runkit import cli  # first, so that Ctrl-C is quiet from here on

# isort: split
import dataclasses
import os

from absl import flags

from inception_mnist.config import Config
from inception_mnist.operations import tables
from inception_mnist.operations.counts import MODULES, Inception
from runkit import files, progress, settings, start
from runkit.settings import setting

LARGEST = 1_000_000  # of a width
MODEL = ("map1", "map2", "reduce1x1", "hidden", "head", "module", "pool")
CONFIG = {field.name: field for field in dataclasses.fields(Config)}
FLAGS = flags.FLAGS


def of_model(name: str):
    """Declare a setting as `Config` has it."""
    field = CONFIG[name]
    facts = {"low": 1, "high": LARGEST} if field.type is int else {}
    given = {key: value for key, value in field.metadata.items() if value is not None}
    return setting(field.default, **facts | given)


def count(default: int, help: str, high: int = LARGEST):
    """Declare a setting that is a whole number from 1."""
    return setting(default, help, low=1, high=high)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is counted: this project's model, and a module of the user's."""

    map1: int = of_model("map1")
    map2: int = of_model("map2")
    reduce1x1: int = of_model("reduce1x1")
    hidden: int = of_model("hidden")
    head: str = of_model("head")
    module: str = of_model("module")
    pool: int = of_model("pool")
    size: int = count(tables.EXAMPLE.height, "Pixels a side of a module of your own.")
    channels: int = count(
        tables.EXAMPLE.channels_in, "Channels that a module of your own reads."
    )
    module_widths: tuple[int, ...] = count(
        tuple(getattr(tables.EXAMPLE, name) for name in tables.WIDTHS),
        "Widths of a module of your own, as in the paper's Table 1: #1x1, #3x3 reduce, "
        "#3x3, #5x5 reduce, #5x5, pool proj.",
    )
    batch_size: int = count(50, "Pictures in a pass that is timed.", 10_000)
    repeats: int = count(5, "Passes of which the median time counts.", 10_000)
    threads: int = setting(
        0, "Threads of TensorFlow; 0 means one for each core.", low=0, high=1024
    )

    def __post_init__(self) -> None:
        settings.check(self)
        if len(self.module_widths) != len(tables.WIDTHS):
            raise ValueError(
                f"--module_widths={','.join(map(str, self.module_widths))}: "
                f"{len(tables.WIDTHS)} whole numbers with commas between are needed"
            )

    @property
    def own(self) -> Inception:
        """The module of the user's."""
        return Inception(self.size, self.size, self.channels, *self.module_widths)

    @property
    def model(self) -> tables.Settings:
        """The arguments of `counts.model_layers`."""
        return {name: getattr(self, name) for name in MODEL}


def define_flags() -> None:
    """Declare the flags."""
    flags.DEFINE_bool(
        "measure", True, "Time both kinds of the model's modules, forward and back."
    )
    flags.DEFINE_string(
        "out_dir",
        "out/inception_mnist/operations",
        "Folder into which everything goes.",
    )
    settings.define_flags(Settings)


def measure(chosen: Settings) -> dict[str, dict[str, float]]:
    """Time both kinds of module, with a bar."""
    start.tensorflow(chosen.threads)
    from inception_mnist.operations import timing

    passes = len(MODULES) * (chosen.repeats + 1)
    with progress.Bar(passes, "pass") as bar:
        done = iter(range(1, passes + 1))
        return timing.measure(
            chosen.model,
            chosen.batch_size,
            chosen.repeats,
            lambda: bar.update(next(done)),
        )


def write(chosen: Settings, found: dict) -> None:
    """Write operations.csv, the figures and result.json."""
    from inception_mnist.operations import drawings

    own, folder = chosen.own, FLAGS.out_dir
    rows = tables.layer_rows(chosen.model, own)
    files.write_csv(os.path.join(folder, "operations.csv"), rows)
    for name, draw, what in (
        ("operations", drawings.draw_bars, chosen.model),
        ("module", drawings.draw_modules, own),
        ("computation", drawings.draw_computation, own),
    ):
        path = os.path.join(folder, f"{name}.png")
        files.write_whole(path, lambda file, draw=draw, what=what: draw(file, what))
    kinds = tables.model_columns(chosen.model)
    metrics = {
        "post": tables.post_numbers(),
        "googlenet": tables.googlenet_counts(),
        "model": {name: tables.totals(layers) for name, layers in kinds.items()},
        "own": {
            module: tables.totals(own.layers(module))
            | {
                "channels_out": own.channels_out(module),
                "layers": {x.name: x.multiplications for x in own.layers(module)},
            }
            for module in MODULES
        },
        "measured": found,
    }
    files.write_result(folder, chosen, metrics, ("tensorflow", "keras", "numpy"))


def main(_) -> None:
    """Print the tables, time, and write everything."""
    chosen = Settings(**settings.given(Settings))
    files.make_folder(FLAGS.out_dir)
    sections = [
        tables.post_section(),
        tables.googlenet_section(),
        tables.paper_section(),
        tables.model_section(chosen.model),
        tables.own_section(chosen.own),
    ]
    print("\n\n".join(sections), flush=True)
    found = measure(chosen) if FLAGS.measure else {}
    if found:
        print(f"\n{tables.measured_section(found)}")
    write(chosen, found)
    names = "operations.csv, operations.png, module.png, computation.png, result.json"
    print(f"\nWritten to {FLAGS.out_dir}: {names}")


if __name__ == "__main__":
    define_flags()
    cli.run(
        main,
        "inception_mnist",
        first=("head", "module", "channels", "module_widths", "out_dir"),
    )

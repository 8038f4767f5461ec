"""Count what the 1x1 reductions of Inception modules save, draw it, and time it.

python -m inception_mnist.operations
python -m inception_mnist.operations --map1=64 --map2=128 --head=gap --pool=2
python -m inception_mnist.operations --channels=480 --module_widths=192,96,208,16,48,64
python -m inception_mnist.operations --nomeasure          # without TensorFlow

Post, "Dimensionality reduction".
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import dataclasses
import functools
import os
import sys
from typing import Any

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


def of_model(name: str) -> Any:
    """Declare a setting as `Config` has it, with a limit to numbers."""
    field = CONFIG[name]
    facts = dict(field.metadata)
    if field.type is int and facts["high"] is None:
        facts["high"] = LARGEST
    return setting(field.default, **facts)


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
    size: int = setting(28, "Pixels a side of the user's module.", low=1, high=LARGEST)
    channels: int = setting(
        192, "Channels that the user's module reads.", low=1, high=LARGEST
    )
    module_widths: tuple[int, ...] = setting(
        (64, 96, 128, 16, 32, 32),
        "Widths of the user's module, as in the paper's Table 1: #1x1, #3x3 reduce, "
        "#3x3, #5x5 reduce, #5x5, pool proj.",
        low=1,
        high=LARGEST,
    )
    batch_size: int = setting(50, "Pictures in a timed pass.", low=1, high=10_000)
    repeats: int = setting(
        5, "Timed passes, of which the median counts.", low=1, high=10_000
    )
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
        """The user's module."""
        return Inception(self.size, self.size, self.channels, *self.module_widths)

    @property
    def model(self) -> dict[str, Any]:
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
    sizes = chosen.batch_size, chosen.repeats
    with progress.Bar(passes, "pass", enabled=sys.stderr.isatty()) as bar:
        return timing.measure(chosen.model, *sizes, bar.update)


def write(chosen: Settings, found: dict) -> None:
    """Write operations.csv, the figures and result.json."""
    from inception_mnist.operations import drawings

    own, folder = chosen.own, FLAGS.out_dir
    rows = tables.layer_rows(chosen.model, own)
    files.write_csv(os.path.join(folder, "operations.csv"), rows)
    figures: dict[str, tuple[Any, Any]] = {
        "operations": (drawings.draw_bars, chosen.model),
        "module": (drawings.draw_modules, own),
        "computation": (drawings.draw_computation, own),
    }
    for name, (draw, what) in figures.items():
        path = os.path.join(folder, f"{name}.png")
        files.write_whole(path, functools.partial(draw, what=what))
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


def command() -> None:
    """Runs the command."""
    define_flags()
    cli.run(
        main,
        "inception_mnist",
        first=("head", "module", "channels", "module_widths", "out_dir"),
    )


if __name__ == "__main__":
    command()

"""The tables of `inception_mnist.operations`, as text and as rows of numbers.

Post, "Dimensionality reduction"; Szegedy et al. 2015, Table 1.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from inception_mnist.operations import counts
from inception_mnist.operations.counts import (
    GOOGLENET,
    HEADS,
    MODULES,
    NAIVE,
    PAPER,
    REDUCED,
    Inception,
    Layer,
)
from runkit import tables

EXAMPLE = GOOGLENET["3a"]  # the post's
WIDTHS = ("ones", "reduce3", "threes", "reduce5", "fives", "pool")
NOTABLE = 0.02  # a difference from the paper that is marked
Settings = dict[str, Any]  # the arguments of `counts.model_layers`


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return aligned lines; whole numbers get separators."""
    cells = [[f"{x:,}" if isinstance(x, int) else x for x in row] for row in rows]
    return tables.text(header, cells)


def _section(heading: str, *lines: str) -> str:
    """Return an underlined heading with lines below."""
    return "\n".join([heading, "-" * len(heading), *lines])


def _layer_table(names: Iterable[str], layers: Sequence[Layer]) -> str:
    """Return a line for each layer and one for their sum."""
    total = counts.multiplications(layers)
    rows = [
        (
            name,
            each.formula,
            each.multiplications,
            f"{each.multiplications / total:.1%}",
            each.parameters,
        )
        for name, each in zip(names, layers, strict=True)
    ]
    rows.append(("all", "", total, "100.0%", counts.parameters(layers)))
    return _table(("layer", "formula", "multiplications", "share", "parameters"), rows)


def _example() -> tuple[Layer, Layer, Layer]:
    """Return the 5x5 branch of GoogLeNet's 3a: naive, its reduction, what follows."""
    first, second = (x for x in EXAMPLE.layers(REDUCED) if x.branch == "5x5")
    return EXAMPLE.layers(NAIVE)[-1], first, second


def post_numbers() -> dict[str, int | float]:
    """Return the multiplications of the post's example, and the factor saved."""
    naive, first, second = (layer.multiplications for layer in _example())
    return {
        "naive": naive,
        "reduced_1x1": first,
        "reduced_5x5": second,
        "reduced": first + second,
        "factor": naive / (first + second),
    }


def post_section() -> str:
    """Return the post's two formulas, spelled out."""
    numbers = post_numbers()
    naive, first, second = (
        f"{x.formula:<22} = {x.multiplications:>11,}" for x in _example()
    )
    return _section(
        "The post: the 5x5 branch of GoogLeNet's first module, 3a",
        "kernel^2 * pixels * channels in * channels out",
        f"naive      {naive}",
        f"reduced    {first}",
        f"         + {second}",
        f"{'':34}= {numbers['reduced']:>11,}",
        f"Saved: a factor of {numbers['factor']:.2f}; the post says ten.",
    )


def totals(layers: Sequence[Layer]) -> dict[str, Any]:
    """Return the multiplications and the parameters of layers."""
    return {
        "multiplications": counts.multiplications(layers),
        "parameters": counts.parameters(layers),
    }


def googlenet_counts() -> dict[str, dict[str, int]]:
    """Return the counts of the nine modules by name; "all" has their sums."""
    stacked = counts.stack(GOOGLENET.values(), NAIVE)
    found = {}
    for (name, each), upon_naive in zip(GOOGLENET.items(), stacked, strict=True):
        layers = each.layers(REDUCED)
        found[name] = {
            "naive": counts.multiplications(each.layers(NAIVE)),
            "reduced": counts.multiplications(layers),
            "naive_stacked": counts.multiplications(upon_naive.layers(NAIVE)),
            "weights": sum(layer.weights for layer in layers),
            "parameters": counts.parameters(layers),
        }
    found["all"] = {
        key: sum(each[key] for each in found.values()) for key in found["3a"]
    }
    return found


def googlenet_section() -> str:
    """Return the nine modules, naive beside reduced."""
    inputs = {
        name: f"{each.height}x{each.width}x{each.channels_in}"
        for name, each in GOOGLENET.items()
    }
    rows = [
        (
            name,
            inputs.get(name, ""),
            count["naive"],
            count["reduced"],
            f"{count['naive'] / count['reduced']:.1f}",
            count["naive_stacked"],
            count["parameters"],
        )
        for name, count in googlenet_counts().items()
    ]
    names = "module", "input", "naive", "reduced", "saved", "stacked", "parameters"
    return _section(
        "GoogLeNet's nine modules: multiplications for one picture",
        _table(names, rows),
        "naive: on the input that Table 1 gives, as in the post; saved: naive over "
        "reduced.",
        "stacked: naive on the output of the naive modules before it, each of which "
        "passes its",
        "whole input on through its pooling. parameters: of the reduced module, with "
        "biases.",
    )


def paper_section() -> str:
    """Return our counts beside the paper's own columns."""
    rows = []
    for name, paper in PAPER.items():
        row, count = [name], googlenet_counts()[name]
        ours = count["weights"] / 1024, count["reduced"] / 1e6
        for own, theirs, unit in zip(ours, paper, "KM", strict=True):
            off = round(theirs / own - 1, 3) + 0.0  # not -0.0
            mark = "*" if abs(off) > NOTABLE else " "
            row += [f"{own:,.1f} {unit}", f"{theirs} {unit}", f"{off:+.1%}{mark}"]
        rows.append(row)
    names = "module", "weights", "params", "off ", "counted", "ops", "off "
    return _section(
        "The paper's Table 1 beside these counts",
        _table(names, rows),
        "params and ops: the paper's. K: 1024, biases left out; M: a million.",
        "* 4c: the paper's ops follow from its widths, its params do not. 5a: its "
        "params and ops",
        "  agree with each other, but not with the widths beside them.",
    )


def model_columns(settings: Settings) -> dict[str, list[Layer]]:
    """Return the layers of the model with both kinds of module and both heads."""
    return {
        f"{module} {head}": counts.model_layers(
            **settings | {"module": module, "head": head}
        )
        for head in HEADS
        for module in MODULES
    }


def model_section(settings: Settings) -> str:
    """Return both kinds of module with both heads, and the layers of one model."""
    columns = model_columns(settings)
    parts = {"module 1": (1,), "module 2": (2,), "head": (0,), "all": (0, 1, 2)}
    lines = [
        "--map1={map1} --map2={map2} --reduce1x1={reduce1x1} --hidden={hidden} "
        "--pool={pool}".format(**settings)
    ]
    for count in counts.multiplications, counts.parameters:
        rows = [
            (
                part,
                *(
                    count(x for x in each if x.module in ones)
                    for each in columns.values()
                ),
            )
            for part, ones in parts.items()
        ]
        header = f"{count.__name__:15}", *(f"{name:>13}" for name in columns)
        lines += [_table(header, rows), ""]
    if settings["reduce1x1"] > counts.PICTURE_CHANNELS:
        lines[-1:] = [
            "The picture has 1 channel: in module 1 the 1x1 convolutions before the "
            f"large ones make\n{settings['reduce1x1']:,} of it, which costs instead of "
            "saving.",
            "",
        ]
    chosen = counts.model_layers(**settings)
    names = [f"module {x.module}: {x.name}" if x.module else x.name for x in chosen]
    return _section(
        "This project's model",
        *lines,
        "Its layers with --module={module} --head={head}:".format(**settings),
        _layer_table(names, chosen),
    )


def own_section(own: Inception) -> str:
    """Return one module of the user's, layer by layer, in both kinds."""
    widths = ",".join(str(getattr(own, name)) for name in WIDTHS)
    lines = [
        f"--size={own.height} --channels={own.channels_in} --module_widths={widths}"
    ]
    totals = {}
    for module in MODULES:
        layers = own.layers(module)
        totals[module] = counts.multiplications(layers)
        lines += [
            f"{module}, {own.channels_out(module):,} channels out:",
            _layer_table([each.name for each in layers], layers),
            "",
        ]
    lines.append(f"naive over reduced: {totals[NAIVE] / totals[REDUCED]:.2f}")
    return _section("A module of your own", *lines)


def measured_section(found: dict[str, dict[str, float]]) -> str:
    """Return the counts beside the times that `timing.measure` found."""
    rows: list[tuple[Any, ...]] = [
        (
            module,
            each["multiplications"],
            f"{1e3 * each['seconds']:,.1f}",
            f"{each['gflops']:,.1f}",
        )
        for module, each in found.items()
    ]
    ratios = (
        f"{found[NAIVE][key] / found[REDUCED][key]:.2f}"
        for key in ("multiplications", "seconds")
    )
    rows.append(("naive over reduced", *ratios, ""))
    return _section(
        "Counted and measured: the model's two modules, a training pass",
        _table(("modules", "multiplications", "milliseconds", "GFLOP/s"), rows),
        "The forward and backward pass of one batch in float32, median. The count "
        "includes the",
        "products of the gradients; a multiplication and its addition are 2 FLOP. "
        "Pooling,",
        "activations and joining the branches take time, but do not count.",
    )


def layer_rows(settings: Settings, own: Inception) -> list[dict[str, int | str]]:
    """Return every layer of everything that is counted, for the csv file."""
    modules = {f"googlenet {name}": each for name, each in GOOGLENET.items()}
    kinds = {
        (name, kind): each.layers(kind)
        for name, each in (modules | {"own": own}).items()
        for kind in MODULES
    }
    for name, layers in model_columns(settings).items():
        kind, head = name.split()
        kinds[f"model {head}", kind] = layers
    return [
        {
            "network": network,
            "kind": kind,
            "module": layer.module or "",
            "layer": layer.name,
            "branch": layer.branch,
            **{name: getattr(layer, name) for name in counts.SIZES},
            "multiplications": layer.multiplications,
            "parameters": layer.parameters,
        }
        for (network, kind), layers in kinds.items()
        for layer in layers
    ]

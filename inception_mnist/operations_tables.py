"""The tables of `inception_mnist.operations`, as text and as rows of numbers.

Post, "Dimensionality reduction"; Szegedy et al. 2015, Table 1.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from inception_mnist import arithmetic
from inception_mnist.arithmetic import (
    GOOGLENET,
    HEADS,
    MODULES,
    NAIVE,
    PAPER,
    REDUCED,
    Inception,
    Layer,
)

EXAMPLE = GOOGLENET["3a"]  # the post's
WIDTHS = ("ones", "reduce3", "threes", "reduce5", "fives", "pool")
NOTABLE = 0.02  # a difference from the paper that is marked
Settings = dict[str, int | str]  # the arguments of `arithmetic.model_layers`


def table(header: Sequence[str], rows: Iterable[Sequence[int | str]]) -> str:
    """Aligned lines: whole numbers with separators, texts as they are."""
    lines = [list(header)]
    lines += [[f"{x:,}" if isinstance(x, int) else x for x in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = range(2 if "formula" in header else 1)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def heading(text: str) -> str:
    """A line and its underline."""
    return f"{text}\n{'-' * len(text)}"


def layer_table(names: Sequence[str], layers: Sequence[Layer]) -> str:
    """A line a layer and their sum."""
    total = arithmetic.multiplications(layers)
    rows = [
        (
            name,
            each.convolution.formula,
            each.multiplications,
            f"{each.multiplications / total:.1%}",
            each.parameters,
        )
        for name, each in zip(names, layers, strict=True)
    ]
    rows.append(("all", "", total, "100.0%", arithmetic.parameters(layers)))
    return table(("layer", "formula", "multiplications", "share", "parameters"), rows)


def post_numbers() -> dict[str, int | float]:
    """The post's example: multiplications of the 5x5 branch of GoogLeNet's 3a."""
    naive = EXAMPLE.layers(NAIVE)[-1].multiplications
    first, second = (x for x in EXAMPLE.layers(REDUCED) if x.branch == "5x5")
    reduced = arithmetic.multiplications([first, second])
    return {
        "naive": naive,
        "reduced_1x1": first.multiplications,
        "reduced_5x5": second.multiplications,
        "reduced": reduced,
        "factor": naive / reduced,
    }


def post_section() -> str:
    """The post's two formulas, spelled out."""
    numbers = post_numbers()
    layers = [EXAMPLE.layers(NAIVE)[-1]]
    layers += [x for x in EXAMPLE.layers(REDUCED) if x.branch == "5x5"]
    naive, first, second = (
        f"{x.convolution.formula:<22} = {x.multiplications:>11,}" for x in layers
    )
    return "\n".join(
        [
            heading("The post: the 5x5 branch of GoogLeNet's first module, 3a"),
            "kernel^2 * pixels * channels in * channels out",
            f"naive      {naive}",
            f"reduced    {first}",
            f"         + {second}",
            f"{'':34}= {numbers['reduced']:>11,}",
            f"Saved: a factor of {numbers['factor']:.2f}; the post says ten.",
        ]
    )


def googlenet_counts() -> dict[str, dict[str, int]]:
    """Multiplications of the nine modules by kind, and weights and parameters."""
    stacked = arithmetic.stack(GOOGLENET.values(), NAIVE)
    counts = {}
    for (name, each), upon_naive in zip(GOOGLENET.items(), stacked, strict=True):
        layers = each.layers(REDUCED)
        counts[name] = {
            "naive": arithmetic.multiplications(each.layers(NAIVE)),
            "reduced": arithmetic.multiplications(layers),
            "naive_stacked": arithmetic.multiplications(upon_naive.layers(NAIVE)),
            "weights": arithmetic.weights(layers),
            "parameters": arithmetic.parameters(layers),
        }
    return counts


def googlenet_totals() -> dict[str, int]:
    """The sums of `googlenet_counts`."""
    counts = googlenet_counts()
    return {key: sum(each[key] for each in counts.values()) for key in counts["3a"]}


def googlenet_section() -> str:
    """The nine modules, naive against reduced."""
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
        for name, count in (googlenet_counts() | {"all": googlenet_totals()}).items()
    ]
    names = "module", "input", "naive", "reduced", "saved", "stacked", "parameters"
    return "\n".join(
        [
            heading("GoogLeNet's nine modules: multiplications for one picture"),
            table(names, rows),
            "naive: on the input that Table 1 gives, as in the post; saved: naive over "
            "reduced.",
            "stacked: naive on what the naive modules before it give; each passes its "
            "whole input",
            "on through its pooling. parameters: of the reduced module, with biases.",
        ]
    )


def paper_section() -> str:
    """Our counts beside the paper's own columns."""
    rows = []
    for name, count in googlenet_counts().items():
        row = [name]
        ours = count["weights"] / 1024, count["reduced"] / 1e6
        for own, theirs, unit in zip(ours, PAPER[name], "KM", strict=True):
            off = round(theirs / own - 1, 3) + 0.0  # not -0.0
            mark = "*" if abs(off) > NOTABLE else " "
            row += [f"{own:,.1f} {unit}", f"{theirs} {unit}", f"{off:+.1%}{mark}"]
        rows.append(row)
    return "\n".join(
        [
            heading("The paper's Table 1 beside these counts"),
            table(
                ("module", "weights", "params", "off ", "counted", "ops", "off "), rows
            ),
            "params and ops: the paper's. K: 1024, biases left out; M: a million.",
            "* 4c: the paper's ops follow from its widths, its params do not. 5a: its "
            "params and ops",
            "  agree with each other, but not with the widths beside them.",
        ]
    )


def model_columns(settings: Settings) -> dict[str, list[Layer]]:
    """The layers of the model with both kinds of module under both heads."""
    return {
        f"{module} {head}": arithmetic.model_layers(
            **settings | {"module": module, "head": head}
        )
        for head in HEADS
        for module in MODULES
    }


def model_section(settings: Settings) -> str:
    """Both kinds of module under both heads, and the layers of the chosen ones."""
    columns = model_columns(settings)
    widths = "--map1={map1} --map2={map2} --reduce1x1={reduce1x1} --hidden={hidden}"
    names = [f"{name:>13}" for name in columns]  # both tables as wide
    lines = [
        heading("This project's model"),
        (widths + " --pool={pool}").format(**settings),
        table(
            ["multiplications", *names], _part_rows(columns, arithmetic.multiplications)
        ),
        "",
        table(["parameters     ", *names], _part_rows(columns, arithmetic.parameters)),
    ]
    if settings["reduce1x1"] > arithmetic.PICTURE_CHANNELS:
        lines.append(
            "The picture has 1 channel: in module 1 the 1x1 convolutions before the "
            f"large ones make\n{settings['reduce1x1']:,} of it, which costs instead of "
            "saving."
        )
    chosen = arithmetic.model_layers(**settings)
    prefixes = (f"module {x.module}: " if x.module else "" for x in chosen)
    names = [f"{prefix}{x.name}" for prefix, x in zip(prefixes, chosen, strict=True)]
    lines += [
        "",
        "Its layers with --module={module} --head={head}:".format(**settings),
        layer_table(names, chosen),
    ]
    return "\n".join(lines)


def _part_rows(
    columns: dict[str, list[Layer]], count: Callable[[Iterable[Layer]], int]
) -> Iterator[Sequence[int | str]]:
    parts = {"module 1": (1,), "module 2": (2,), "head": (0,), "all": (0, 1, 2)}
    for name, modules in parts.items():
        kept = (
            [x for x in layers if x.module in modules] for layers in columns.values()
        )
        yield name, *map(count, kept)


def own_section(own: Inception) -> str:
    """One module, layer by layer, in both kinds."""
    widths = ",".join(str(getattr(own, name)) for name in WIDTHS)
    lines = [
        heading("A module of your own"),
        f"--size={own.height} --channels={own.channels_in} --module_widths={widths}",
    ]
    totals = {}
    for module in MODULES:
        layers = own.layers(module)
        totals[module] = arithmetic.multiplications(layers)
        lines += [
            f"{module}, {own.channels_out(module):,} channels out:",
            layer_table([each.name for each in layers], layers),
            "",
        ]
    lines.append(f"naive over reduced: {totals[NAIVE] / totals[REDUCED]:.2f}")
    return "\n".join(lines)


def measured_section(found: dict[str, dict[str, float]]) -> str:
    """Counted beside measured.

    Args:
        found: what `operations_timing.measure` returns.
    """
    rows = [
        (
            module,
            each["multiplications"],
            f"{1e3 * each['seconds']:,.1f}",
            f"{each['gflops']:,.1f}",
        )
        for module, each in found.items()
    ]
    counted, measured = (
        found[NAIVE][key] / found[REDUCED][key]
        for key in ("multiplications", "seconds")
    )
    rows.append(("naive over reduced", f"{counted:.2f}", f"{measured:.2f}", ""))
    return "\n".join(
        [
            heading("Counted and measured: the model's two modules, a training pass"),
            table(("modules", "multiplications", "milliseconds", "GFLOP/s"), rows),
            "Forward and backward of one batch, float32, median. The count has the "
            "products of the",
            "gradients too; a multiplication and its addition are 2 FLOP. Pooling, "
            "activations and",
            "joining the branches take time, and do not count.",
        ]
    )


def layer_rows(settings: Settings, own: Inception) -> list[dict[str, int | str]]:
    """Every layer of everything that is counted, for the CSV."""
    networks = {f"googlenet {name}": each for name, each in GOOGLENET.items()}
    kinds = {
        (name, module): each.layers(module)
        for name, each in (networks | {"own": own}).items()
        for module in MODULES
    }
    for name, layers in model_columns(settings).items():
        module, head = name.split()
        kinds[f"model {head}", module] = layers
    return [
        {
            "network": network,
            "kind": kind,
            "module": layer.module or "",
            "layer": layer.name,
            "branch": layer.branch,
            **vars(layer.convolution),
            "multiplications": layer.multiplications,
            "parameters": layer.parameters,
        }
        for (network, kind), layers in kinds.items()
        for layer in layers
    ]

"""The tables of the READMEs that are written from kept results, between two marks."""

import re
from typing import Any

from reproduce import report
from reproduce.report import Kept, seconds, table

FILES = (
    "README.md",
    "char_rnn/README.md",
    "genetic/README.md",
    "inception_mnist/README.md",
    "style_transfer/README.md",
)
BLOCK = re.compile(r"(<!-- results: (\w+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)

TEXTS = (
    "arch1",
    "init_printed",
    "concat",
    "sum",
    "squared",
    "rnn_modern",
    "rnn_512",
    "arch2",
    "arch2_own",
    "arch2_modern",
    "arch2_printed",
)
DIGITS = ("digits_few", "digits_post", "digits_dense", "digits_fast", "digits_modern")
PICTURES = ("transfer", "paper_pair", "post_pair")
FLIGHTS = ("flights_post", "flights")
GPU = "Installing 10-series GPUs, CUDA and TensorFlow"


def updated(text: str, kept: Kept) -> str:
    """A README with its marked tables as the results have them."""
    return BLOCK.sub(lambda m: m[1] + TABLES[m[2]](kept) + m[4], text)


def flags(run: dict[str, Any]) -> str:
    """What follows the module in a command, without the data."""
    parts = run["command"].split()[3:]
    kept = [p for p in parts if not re.match(r"--(corpus|dataset|\w+_csv|weights)=", p)]
    return f"`{' '.join(kept)}`" if kept else "(none)"


def texts(kept: Kept) -> str:
    """Runs of char_rnn, and counting on the same text."""
    runs = [kept[name] for name in TEXTS if name in kept]
    rows = []
    for run in runs:
        result = run["result"]
        figures = [f"{result[name]:.3f}" for name in ("valid_bpc", "test_bpc")]
        first = [flags(run), f"{result['steps']:,}", f"{seconds(run):,.0f}"]
        rows.append([*first, *figures])
        if "valid_bpc_own_output" in result:
            own = [result[f"{name}_bpc_own_output"] for name in ("valid", "test")]
            figures = [f"{value:.3f}" for value in own]
            if figures != rows[-1][3:]:
                rows.append(["the same, fed its own output", "", "", *figures])
    counted = " ".join(f"{b:.3f}" for b in runs[0]["result"]["ngram_valid_bpc"][1:])
    rows.append(["counting: bigram, trigram, 4-gram, 5-gram", "", "", counted, ""])
    return table(["settings", "steps", "seconds", "bits/character", "test"], rows)


def digits(kept: Kept) -> str:
    """Runs of inception_mnist."""
    rows = []
    for run in (kept[name] for name in DIGITS if name in kept):
        result = run["result"]
        rows.append(
            [
                flags(run),
                result["dataset"],
                f"{result['steps']:,}",
                f"{result['seconds']:,.0f}",
                f"{100 * result['valid_accuracy']:.2f} %",
                f"{100 * result['test_accuracy']:.2f} %",
            ]
        )
    head = ["settings", "data", "steps", "seconds", "validation", "test"]
    return table(head, rows)


def pictures(kept: Kept) -> str:
    """Transfers."""
    rows = []
    for run in (kept[name] for name in PICTURES if name in kept):
        result = run["result"]
        losses = f"{result['style_loss']:.1e}, {result['content_loss']:.2e}"
        size = "x".join(map(str, result["image_size"]))
        took = f"{result['seconds']:.1f}"
        rows.append([run["data"], size, f"{result['steps']}", took, losses])
    head = ["pictures", "size", "steps", "seconds", "style loss, content loss"]
    return table(head, rows)


def layers(kept: Kept) -> str:
    """What the layers of the network keep, from the figures of style_transfer."""
    result = kept["style_figures"]["result"]
    away, single = result["content"]["rms_difference"], result["style_layers"]
    painting = single["wavelength"]["the picture"]
    names = list(single["gram_wavelength"])
    measures = {
        "content: RMS difference from the photograph, of 255": away,
        "style: wavelength that the Gram matrix is sensitive at, pixels": single[
            "gram_wavelength"
        ],
        f"style: wavelength of the reconstruction (the painting: {painting:.1f})": {
            name: single["wavelength"][f"{name} alone"] for name in names
        },
    }
    rows = [
        [measure, *(f"{values[name]:.1f}" for name in names)]
        for measure, values in measures.items()
    ]
    return table(["layer, alone", *names], rows)


def flights(kept: Kept) -> str:
    """The embedded flights."""
    rows = []
    for run in (kept[name] for name in FLIGHTS if name in kept):
        result = run["result"]
        rows.append(
            [
                flags(run),
                str(result["config"]["seed"]),
                f"{result['generations']:,}",
                f"{result['seconds']:.1f}",
                f"{result['best_objective']:g}",
                f"{100 * result['gap']:.1f} %",
            ]
        )
    return table(["flags", "seed", "generations", "seconds", "best", "gap"], rows)


def posts(kept: Kept) -> str:
    """The front page: each post, its command, what it claims, what came out here."""
    painted, text, modern = (
        kept[name]["result"] for name in ("transfer", "arch1", "rnn_modern")
    )
    post, repaired, best = (
        kept[f"digits_{name}"]["result"] for name in ("post", "dense", "modern")
    )
    flown = kept["flights"]["result"]
    _, cuda = report.judged(report.POSTS[GPU][0], kept)
    rows = [
        [
            "[Reconstructing artistic style](style_transfer/README.md)",
            "any picture in the style of any other",
            "`python -m style_transfer.main --content photo.jpg --style painting.jpg`",
            "Adam, 500 to 2000 iterations",
            f"{painted['steps']} steps, {painted['seconds']:.0f} s",
        ],
        [
            "[Vanilla recurrent neural networks](char_rnn/README.md)",
            "text, a character at a time",
            "`make train-rnn`",
            "a text of Arch 1, no figures",
            f"{text['valid_bpc']:.2f} bits/character, by today's means "
            f"{modern['valid_bpc']:.2f} with as many nodes",
        ],
        [
            "[Inception modules](inception_mnist/README.md)",
            "handwritten digits, and what 1x1 convolutions save",
            "`make train-inception`",
            "98.5 % in 20,000 steps",
            f"{100 * post['test_accuracy']:.1f} % in as many, "
            f"{100 * repaired['test_accuracy']:.1f} % with repairs, "
            f"{100 * best['test_accuracy']:.1f} % by today's means with "
            f"{best['parameters'] / 1e6:.2f} of the {post['parameters'] / 1e6:.0f} "
            "million weights",
        ],
        [
            "[Genetic algorithms](genetic/README.md)",
            "which flights an airline should fly",
            "`python -m genetic.main --exact`",
            "good solutions",
            f"{100 * flown['gap']:g} % short of the proven optimum",
        ],
        [
            "[Installing a GPU](gpu_setup/README.md)",
            "what is wrong with this machine, step by step",
            "`python -m gpu_setup.check`",
            "a GTX 1060 needs CUDA 8",
            f"{cuda}, on saved machines",
        ],
        [
            "[A remote notebook](gpu_setup/README.md#a-notebook-on-a-remote-machine)",
            "Jupyter through ssh, in one command",
            "`python -m gpu_setup.notebook user@host`",
            "two commands",
            "one, which also looks after the tunnel",
        ],
    ]
    return table(["post", "what it does", "command", "the post", "here"], rows)


TABLES = {
    "posts": posts,
    "texts": texts,
    "digits": digits,
    "pictures": pictures,
    "layers": layers,
    "flights": flights,
}

"""One page with a figure for every figure of the posts, all in one file."""

import base64
import html
import io
import pathlib
from typing import Any

from PIL import Image

from reproduce import report

# By post: the run that made it, its file, what it shows.
FIGURES = {
    "Reconstructing artistic style": [
        ("style_figures", "maps.png", "A colour image is three maps of intensities."),
        ("style_figures", "noise.png", "White noise becomes the picture."),
        ("style_figures", "content.png", "Content, reconstructed layer by layer."),
        ("style_figures", "style.png", "Style, from growing sets of layers."),
        ("style_figures", "style_layers.png", "Style, from each layer alone."),
        ("transfer", "overview.jpg", "Content, style, and both."),
        ("paper_pair", "overview.jpg", "The paper's pair."),
        ("post_pair", "overview.jpg", "A skyline, as The Great Wave is painted."),
        ("adam_1_500", "transfer.png", "Adam, learning rate 1, 500 steps."),
        ("adam_1_2000", "transfer.png", "Learning rate 1, 2000 steps."),
        ("adam_5_500", "transfer.png", "Learning rate 5, 500 steps."),
        ("adam_5_2000", "transfer.png", "Learning rate 5, 2000 steps."),
        ("adam_0.1_500", "transfer.png", "Below the range: 0.1, 500 steps."),
        ("adam_50_500", "transfer.png", "Above the range: 50, 500 steps."),
    ],
    "Vanilla recurrent neural networks": [
        ("rnn_figures", "architectures.png", "Arch 1 and Arch 2."),
        (
            "rnn_figures",
            "cursors.png",
            "Cursors of the first, second and eighth batch.",
        ),
        ("arch1", "learning.png", "The post's Arch 1, learning."),
        ("arch2", "learning.png", "Arch 2 with teacher forcing: the bigram, no more."),
        ("squared", "learning.png", "Without the log-likelihood."),
        ("gradients", "gradients.png", "Gradients on their way back."),
    ],
    "Inception modules: explained and implemented": [
        ("operations", "module.png", "The module with 1x1 reductions, and without."),
        (
            "operations",
            "computation.png",
            "The 5x5 branch with the reduction, and without.",
        ),
        ("operations", "operations.png", "All nine modules of GoogLeNet."),
        ("digits_fast", "learning.png", "Learning digits."),
        ("digits_fast", "feature_maps.png", "What each branch makes of a digit."),
        ("digits_fast", "confusion.png", "What is taken for what."),
        ("digits_fast", "mistakes.png", "The surest mistakes."),
    ],
    "Gett'n jiggy with genetic algorithms": [
        ("flights_post", "convergence.png", "The post's algorithm on 36 flights."),
        ("flights", "convergence.png", "The modern scheme."),
        ("flights_post", "population.png", "Which flights the population takes."),
    ],
    "Installing 10-series GPUs, CUDA and TensorFlow": [
        ("gtx_1060_cuda_7.5", "report.txt", "The post's card with the old CUDA."),
        ("gtx_1060_cuda_8.0", "report.txt", "And with the new one."),
    ],
    "Using your remote Jupyter Notebook through ssh": [
        ("notebook", "log.txt", "The two commands."),
    ],
}
WIDEST = 1600  # pixels
WIDE = 1000  # pixels, of a figure that gets a row of its own
PAGE = pathlib.Path(__file__).parent / "data" / "gallery.html"


def picture(path: pathlib.Path) -> str:
    """A file as an <img> of its own bytes, or text as <pre>."""
    if path.suffix == ".txt":
        return f"<pre>{html.escape(path.read_text())}</pre>"
    with Image.open(path) as image:
        kind, size, data = image.format.lower(), image.size, path.read_bytes()
        if image.width > WIDEST:
            small, buffer = image.copy(), io.BytesIO()
            small.thumbnail((WIDEST, WIDEST * 4))
            small.save(buffer, image.format)
            size, data = small.size, buffer.getvalue()
    code = base64.b64encode(data).decode()
    return (
        f'<img src="data:image/{kind};base64,{code}" width="{size[0]}" '
        f'height="{size[1]}" alt="" loading="lazy">'
    )


def figure(path: pathlib.Path, shows: str, kept: dict[str, Any]) -> str:
    """A figure with its caption, data and command."""
    wide = " wide" if path.suffix == ".txt" or is_wide(path) else ""
    return (
        f'<figure class="figure{wide}">{picture(path)}<figcaption>'
        f"<b>{html.escape(shows)}</b> {html.escape(kept['data'])}"
        f"<code>{html.escape(kept['command'])}</code></figcaption></figure>\n"
    )


def is_wide(path: pathlib.Path) -> bool:
    """Whether a picture needs the whole width of the page."""
    with Image.open(path) as image:
        return image.width > WIDE and image.width > 1.2 * image.height


def plain(text: str) -> str:
    """Text of a Markdown table as HTML."""
    return html.escape(text.replace("`", ""))


def verdicts(post: str, kept: report.Kept) -> str:
    """The post's claims as a list."""
    lines = []
    for claim in report.POSTS[post]:
        found, verdict = report.judged(claim, kept)
        kind = verdict.split()[0]
        lines.append(
            f'<li class="{kind}"><b>{plain(verdict)}</b> '
            f"{plain(claim.says)}<span>{plain(found)}</span></li>\n"
        )
    return f"<ul>\n{''.join(lines)}</ul>\n"


def render(kept: report.Kept, folder: pathlib.Path) -> str:
    """The page.

    Args:
        kept: results by name.
        folder: has a folder for each length, and there one for each run.
    """
    sections = []
    for post, figures in FIGURES.items():
        shown = []
        for name, file, shows in figures:
            if name not in kept:
                continue
            path = folder / kept[name]["length"] / name / file
            if path.exists():
                shown.append(figure(path, shows, kept[name]))
        sections.append(
            f"<section><h2>{html.escape(post)}</h2>\n{verdicts(post, kept)}"
            f'<div class="figures">\n{"".join(shown)}</div></section>\n'
        )
    tally = report.counts(kept).items()
    summary = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in tally)
    page = PAGE.read_text()
    return page.replace("{{summary}}", summary).replace("{{body}}", "".join(sections))

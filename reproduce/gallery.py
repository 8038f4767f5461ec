"""One HTML file with a figure for every figure of the posts."""

import base64
import html
import pathlib
from typing import Any

from PIL import Image

from reproduce import report
from reproduce.config import HERE
from reproduce.post import Kept, Post
from reproduce.posts import POSTS

WIDE = 1000  # pixels, of a figure that gets a row of its own


def figure(path: pathlib.Path, shows: str, run: dict[str, Any]) -> str:
    """Shows a picture or a text with its caption, data and command."""
    if path.suffix == ".txt":
        wide, shown = True, f"<pre>{html.escape(path.read_text())}</pre>"
    else:
        with Image.open(path) as image:
            kind, (width, height) = str(image.format).lower(), image.size
        wide = width > WIDE and width > 1.2 * height
        data = base64.b64encode(path.read_bytes()).decode()
        shown = (
            f'<img src="data:image/{kind};base64,{data}" width="{width}" '
            f'height="{height}" alt="" loading="lazy">'
        )
    return (
        f'<figure class="figure{" wide" if wide else ""}">{shown}<figcaption>'
        f"<b>{html.escape(shows)}</b> {html.escape(run['data'])}"
        f"<code>{html.escape(run['command'])}</code></figcaption></figure>\n"
    )


def plain(text: str) -> str:
    """Makes HTML of a Markdown table's text."""
    return html.escape(text.replace("`", ""))


def section(post: Post, kept: Kept, folder: pathlib.Path) -> str:
    """Shows a post: its claims as a list, and the figures that there are."""
    claims, figures = [], []
    for claim in post.claims:
        found, verdict = report.judged(claim, kept)
        claims.append(
            f'<li class="{verdict.split()[0]}"><b>{plain(verdict)}</b> '
            f"{plain(claim.says)}<span>{plain(found)}</span></li>\n"
        )
    for key, shows in post.figures.items():
        name, file = key.split("/")
        path = folder / kept.get(name, {}).get("length", "") / name / file
        if name in kept and path.exists():
            figures.append(figure(path, shows, kept[name]))
    return (
        f"<section><h2>{html.escape(post.title)}</h2>\n<ul>\n{''.join(claims)}</ul>\n"
        f'<div class="figures">\n{"".join(figures)}</div></section>\n'
    )


def render(kept: Kept, folder: pathlib.Path) -> str:
    """Renders the page.

    Args:
        kept: Results by name.
        folder: Has a folder for each length, and there one for each run.
    """
    body = "".join(section(post, kept, folder) for post in POSTS)
    page = (HERE / "data" / "gallery.html").read_text()
    return page.replace("{{summary}}", report.summary(kept)).replace("{{body}}", body)

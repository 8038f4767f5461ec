"""Check a GPU installation step by step, and find the cause in a log.

`judge` looks at a machine, `explain` reads a log. Nothing but Python is needed.
"""

from typing import TYPE_CHECKING

from runkit import lazy

if TYPE_CHECKING:
    from gpu_setup.guide import Judgement, Step
    from gpu_setup.library import judge
    from gpu_setup.logs import Explanation, explain
    from gpu_setup.report import as_markdown, as_text, headline

__all__ = ["judge", "Judgement", "Step", "headline", "as_text", "as_markdown"]
__all__ += ["explain", "Explanation"]
HOMES = {
    "Explanation": "logs",
    "Judgement": "guide",
    "Step": "guide",
    "as_markdown": "report",
    "as_text": "report",
    "explain": "logs",
    "headline": "report",
    "judge": "library",
}
__getattr__, __dir__ = lazy.exports(__name__, HOMES)

"""The package as a library: a machine in, a judgement out."""

import os
from typing import Any

from gpu_setup import check, guide
from gpu_setup.config import Config


def judge(root: str | os.PathLike[str] = "/", **settings: Any) -> guide.Judgement:
    """Judges this machine, or a saved one, step by step.

    >>> import gpu_setup
    >>> judgement = gpu_setup.judge(tensorflow=False, run_commands=False)
    >>> judgement.verdict in ("ready", "problem", "cpu")
    True
    >>> judgement.steps[0].title
    '0. Removing previous drivers and modules'

    Args:
        root: "/" for this machine; a saved one is a folder, or the .tar.gz of
            `python -m gpu_setup.snapshot`.
        settings: Fields of `config.Config`, such as tensorflow=False (TensorFlow is not
            asked, which saves seconds) or run_commands=False.

    Returns:
        The verdict, and what was found in each step; `as_text`, `as_markdown` and
        `headline` put it into words.

    Raises:
        OSError: The saved machine cannot be read.
        ValueError: There is no such machine, or a setting is wrong.
    """
    config = Config(root=os.fspath(root), **settings)
    return check.judge(config, config.root, config.run_commands)[0]

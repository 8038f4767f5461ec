"""The commands that the Markdown files print can be typed as they stand."""

import collections
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md")]
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}
COMMAND = re.compile(
    r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:python -m|make) [a-z].*", re.MULTILINE
)
FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`((?:python -m|make) [^`]+)`")
# Parses command lines, one on each line of stdin, as the module's own `main` would.
PARSE = """
import runpy, shlex, sys
from runkit import cli

def parse(main, name, first=(), arguments=False):
    from absl import flags
    for line in sys.stdin:
        flags.FLAGS.unparse_flags()
        rest = flags.FLAGS(shlex.split(line))
        assert arguments or not rest[1:], line

cli.run = parse
runpy.run_module(sys.argv.pop(), run_name="__main__")
"""


def commands(text: str) -> list[list[str]]:
    """The words of each command in code blocks and between backticks."""
    found = [
        line.group()
        for block in FENCED.findall(text)
        for line in COMMAND.finditer(block.replace("\\\n", " "))
    ]
    found += [" ".join(quoted.split()) for quoted in QUOTED.findall(text)]
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in found]


def by_module() -> dict[str, dict[str, str]]:
    """For each module of ours, its command lines and the file of each."""
    found: dict[str, dict[str, str]] = collections.defaultdict(dict)
    for path in FILES:
        for words in commands(path.read_text()):
            package = "".join(words[2:3]).partition(".")[0]
            if words[:2] == ["python", "-m"] and package in PACKAGES:
                found[words[2]][shlex.join(words[2:])] = str(path.relative_to(ROOT))
    return found


BY_MODULE = by_module()


def test_there_are_commands():
    assert {"style_transfer.main", "char_rnn.main", "genetic.main"} <= set(BY_MODULE)


@pytest.mark.parametrize("module", BY_MODULE)
def test_commands_parse(module):
    done = subprocess.run(
        [sys.executable, "-c", PARSE, module],
        input="\n".join(BY_MODULE[module]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stderr}\n{BY_MODULE[module]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_of_make_exist(path):
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    for words in commands(path.read_text()):
        if words[0] == "make":
            targets = {word for word in words[1:] if "=" not in word}
            assert targets <= known, f"{path}: {words}"

"""No topic imports another, runkit imports none, and the light ones stay light."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent != ROOT
)
LIGHT = ["genetic.main", "inception_mnist.operations.__main__", "reproduce.main"]
LIGHT += ["gpu_setup.check", "gpu_setup.snapshot", "remote_notebook.main"]


def imported(path: pathlib.Path) -> set[str]:
    """The top-level names of everything that a file imports, wherever it does so."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            names.add(node.module.split(".")[0])
    return names


def test_there_are_packages():
    assert "style_transfer" in PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_no_topic_imports_another_and_runkit_imports_none(package):
    """`reproduce` stands above the topics, and may read data as they do."""
    may = set(PACKAGES) if package == "reproduce" else {package, "runkit"}
    others = set(PACKAGES) - (may if package != "runkit" else {package})
    for path in (ROOT / package).rglob("*.py"):
        assert not imported(path) & others, path


@pytest.mark.parametrize(
    "module", ["gpu_setup.check", "gpu_setup.snapshot", "remote_notebook.main"]
)
def test_imports_with_nothing_installed(module):
    """`-I -S` leaves the standard library alone."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}"
    command = [sys.executable, "-I", "-S", "-c", code]
    assert subprocess.run(command, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("entry", LIGHT)
def test_starts_without_tensorflow(entry):
    code = f"import sys, {entry}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0

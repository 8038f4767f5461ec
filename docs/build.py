"""Builds a page for each module's functions into a folder: `make docs`.

Entry points are left out, since they declare flags when they are imported.
"""

import importlib
import pathlib
import pkgutil
import sys

import pdoc

from runkit import start

PACKAGES = "style_transfer char_rnn inception_mnist genetic gpu_setup remote_notebook"
ENTRY_POINTS = "main sample figures gradients export predict quantize check snapshot"
ENTRY_POINTS += " convnet __main__ tensorflow_child tensorflow_probe"


def modules(package: str) -> list[str]:
    """Lists a package and its modules, and loads the names that it has lazily."""
    found = importlib.import_module(package)
    for name in found.__all__:
        setattr(found, name, getattr(found, name))
    inside = pkgutil.iter_modules(found.__path__)
    names = (each.name for each in inside if each.name not in ENTRY_POINTS.split())
    return [package, *(f"{package}.{name}" for name in names)]


if __name__ == "__main__":
    start.library()
    templates = pathlib.Path(__file__).with_name("templates")
    pdoc.render.configure(docformat="google", math=True, template_directory=templates)
    listed = [name for package in PACKAGES.split() for name in modules(package)]
    pdoc.pdoc(*listed, output_directory=pathlib.Path(sys.argv[1]))

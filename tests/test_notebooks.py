"""The notebooks run from the first cell to the last, offline."""

import pathlib
import re

import nbclient
import nbformat
import pytest

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
POSTS = ["style_transfer", "char_rnn", "inception", "genetic", "gpu", "remote"]


def test_there_is_a_notebook_for_each_post():
    assert len(NOTEBOOKS) == len(POSTS)
    for number, (path, post) in enumerate(zip(NOTEBOOKS, POSTS, strict=True), 1):
        assert path.name.startswith(f"{number}_{post}")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_holds_its_outputs(path):
    assert path.stat().st_size < 400 * 1024
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds and "error" not in kinds
    assert not re.search(r"/(home|root|work|tmp|Users)/", path.read_text())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_three_things_to_try(path):
    *_, last = nbformat.read(path, as_version=4).cells
    _, _, tries = last.source.partition("## Try yourself\n")
    assert re.findall(r"^\d\. \*\*", tries, re.MULTILINE) == ["1. **", "2. **", "3. **"]
    assert tries.count("xpect") >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_somewhere(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for target in re.findall(r"\]\((\.\./[^)#]+)\)", cell.source):
            assert (path.parent / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path):
    """A cell that raises ends this with its traceback."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(ROOT)}}
    nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources=where
    ).execute()

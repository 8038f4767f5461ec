"""Files appear whole or not at all, and a folder belongs to one run."""

import dataclasses
import json
import subprocess
import sys

import pytest

from runkit import files


def test_a_failing_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "kept"
    files.write_text(path, "old")

    def fail(file):
        file.write(b"half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        files.write_whole(path, fail)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_rows_become_csv(tmp_path):
    files.write_csv(tmp_path / "log.csv", [{"step": 1, "loss": 0.5}])
    assert (tmp_path / "log.csv").read_text() == "step,loss\n1,0.5\n"


def test_a_result_has_figures_settings_and_versions(tmp_path):
    @dataclasses.dataclass
    class Config:
        steps: int = 3

    files.write_result(tmp_path, Config(), {"loss": 0.25}, ["numpy", "scipy"])
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["loss"] == 0.25 and result["config"] == {"steps": 3}
    assert set(result["versions"]) == {"numpy", "scipy", "python"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"--out_dir=.*file/run"):
        files.make_folder(str(tmp_path / "file" / "run"))


def test_a_folder_belongs_to_one_run_until_its_process_is_gone(tmp_path):
    code = (
        "import sys; from runkit import files\n"
        f"with files.locked({str(tmp_path)!r}): print(1, flush=True); input()"
    )
    command = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == b"1\n"
        with (
            pytest.raises(OSError, match="another run is using"),
            files.locked(str(tmp_path)),
        ):
            pass
        other.kill()
    with files.locked(str(tmp_path)):
        pass


def test_memory_has_a_peak():
    assert files.peak_memory_gib() > 0.001


def test_memory_of_the_parent_is_not_counted():
    held = bytearray(300 * 2**20)
    code = "from runkit import files; print(files.peak_memory_gib())"
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert float(child.stdout) < 0.25 < files.peak_memory_gib()
    assert len(held)

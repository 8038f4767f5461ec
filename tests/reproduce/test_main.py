"""The command ends as it should, and publishes only into a clone."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from PIL import Image

from reproduce import report, store

ROOT = pathlib.Path(__file__).parents[2]


def publish(folder, *flags):
    """Publish from a package that stands in another folder."""
    (folder / "reproduce").symlink_to(ROOT / "reproduce")
    command = [sys.executable, "-m", "reproduce.main", "--publish", *flags]
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True
    )


def test_a_signal_ends_the_command_and_its_processes(tmp_path):
    """The experiment is still importing TensorFlow then; its kept curve is drawn."""
    folders = f"--out_dir={tmp_path}", f"--gallery={tmp_path}/a.html"
    flags = "--length=full", "--only=arch1", *folders
    command = [sys.executable, "-m", "reproduce.main", *flags]
    folder = tmp_path / "full" / "arch1"
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 300
        while not (folder / "log.txt").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert b"Traceback" not in process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert not json.loads((folder / "run.json").read_text())["done"]
    assert not (folder / "result.json").exists()
    assert Image.open(tmp_path / "kept" / "arch1_author.png").size == (800, 450)


def test_an_installed_copy_cannot_publish(tmp_path):
    done = publish(tmp_path, "--only=toy")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is no clone of the repository" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["reproduce"]


def test_a_clone_gets_results_tables_and_readmes(tmp_path):
    shutil.copytree(ROOT / "results", tmp_path / "results")
    (tmp_path / "RESULTS.md").write_text("old")
    for name in report.FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    kept = tmp_path / "results" / "short" / "gtx_1060_cuda_8.0.json"
    kept.unlink()
    done = publish(tmp_path, "--only=gtx_1060_cuda_8.0")
    assert done.returncode == 0, done.stderr
    assert json.loads(kept.read_text())["result"]["verdict"] == "ready"
    known = store.load(tmp_path / "results")
    assert (tmp_path / "RESULTS.md").read_text() == report.render(known)
    assert (tmp_path / "README.md").read_text() == (ROOT / "README.md").read_text()

"""What a log's lines mean: each form that is known, and whole logs with their cause."""

import json
import pathlib
import re

import pytest

from gpu_setup import logs
from gpu_setup.log_origin import cudnn_version, origin_of

# Of our own writing: a line for every entry of log_lines.json, and whole logs.
FILE = pathlib.Path(__file__).with_name("log_examples.json")
LINES, LOGS, VARIANTS = json.loads(FILE.read_text()).values()
SKIP = "Skipping registering GPU devices...\n"


def test_every_entry_is_whole_and_has_an_example():
    entries = logs.knowledge()
    assert len(entries) >= 90
    assert [entry["id"] for entry in entries] == list(
        dict.fromkeys(entry["id"] for entry in entries)
    )
    assert {entry["id"] for entry in entries} == set(LINES)
    for entry in entries:
        assert entry["kind"] in {"cause", "follows", "harmless"}
        assert re.compile(entry["pattern"]) and entry["means"].endswith((".", "}"))
        assert entry["source"] and entry["tested"] and entry["releases"]
        if entry["kind"] == "cause":
            assert entry["rank"] > 0 and entry["fix"], entry["id"]


@pytest.mark.parametrize("id", LINES)
def test_each_form(id):
    line, words = LINES[id].values()
    explanation = logs.explain(line)
    assert [known.id for known in explanation.lines] == [id]
    known = explanation.lines[0]
    answer = " ".join([known.means, known.hint, known.fix])
    assert words.lower() in answer.lower(), answer
    assert not re.search(r"[{}]\w", answer.replace("{cuda,nvidia}", "")), answer
    if known.kind == "cause":
        assert explanation.exit_code == 1 and known.fix


@pytest.mark.parametrize(("line", "id"), VARIANTS.items())
def test_other_forms_of_the_same_line(line, id):
    assert [known.id for known in logs.explain(line).lines] == [id]


@pytest.mark.parametrize("name", LOGS)
def test_the_cause_of_a_whole_log(name):
    log, id, words = LOGS[name].values()
    explanation = logs.explain("\n".join(log))
    assert explanation.exit_code == 1
    assert explanation.cause.id == id
    assert words in explanation.headline
    assert logs.as_text(explanation).startswith("Cause, in line ")


@pytest.mark.parametrize(
    ("log", "code", "words"),
    [
        ("", 3, "no line of this log is known"),
        ("all well\nno doubt\n", 3, "no line of this log is known"),
        ("E tensorflow/core/new.cc:9] a failure that nobody knows", 3, "Cannot tell"),
        ("Using TensorFlow backend.\nFooError: who knows\n", 3, "Cannot tell"),
        ("W op_kernel.cc:1830] OP_REQUIRES failed at x.cc:9 : x", 3, "Cannot tell"),
        ("Using TensorFlow backend.\n", 0, "Nothing is wrong"),
        (
            "W asm_compiler.cc:235] Your CUDA software stack is old. The ptxas error "
            "was: ptxas fatal   : Value 'sm_86' is not",
            0,
            "ptxas is missing or older than the card",
        ),
    ],
)
def test_silence_is_no_all_clear(log, code, words):
    explanation = logs.explain(log)
    assert explanation.exit_code == code
    assert words in explanation.headline


def test_what_only_follows_is_no_cause_beside_a_cause():
    log = "DNN library is not found.\nCould not create cudnn handle: X\n" + SKIP
    kinds = [known.kind for known in logs.explain(log).lines]
    assert kinds == ["follows", "cause", "follows"]
    assert logs.explain("DNN library is not found.").lines[0].kind == "cause"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("8.6.0", "8.6.0"),
        ("5110", "5.1.10"),
        ("7005", "7.0.5"),
        ("90300", "9.3.0"),
        ("9", "9"),
    ],
)
def test_cudnn_version(text, version):
    assert cudnn_version(text) == version


@pytest.mark.parametrize(
    ("log", "releases", "system"),
    [
        ("", "2.18 to 2.21", "linux"),
        ("pip install tensorflow==2.12.1", "2.12", "linux"),
        ("Could not find 'cudart64_80.dll'", "1.3 to 1.4", "windows"),
        ("external/local_xla/xla/x.cc", "2.18 to 2.21", "linux"),
        ("tensorflow/tsl/cuda/cudart_stub.cc:28]", "2.12 to 2.13", "linux"),
        ("OSError: libcublas.so.10: x", "2.1 to 2.3", "linux"),
        ("tensorflow-2.10.0 in /usr/lib/python3.9/x", "2.10", "linux"),
        ("Linux version 5.15 microsoft-standard-WSL2", "2.18 to 2.21", "wsl"),
        ("nvidia@tegra-ubuntu", "2.18 to 2.21", "jetson"),
    ],
)
def test_what_a_log_tells_of_its_origin(log, releases, system):
    origin = origin_of(log)
    assert (origin.releases, origin.platform.system) == (releases, system)

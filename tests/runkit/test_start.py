import importlib.util
import subprocess
import sys

import pytest

from runkit import start

COMMAND = """
import sys
from runkit import start
assert start.tensorflow(1, lambda: 7) == 7
import tensorflow as tf
assert tf.config.threading.get_intra_op_parallelism_threads() == 1
assert not {"sklearn", "matplotlib.pyplot"} & set(sys.modules)
from sklearn import datasets
from matplotlib import pyplot
"""


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="is missing")
def test_tensorflow_starts_quietly_and_without_what_no_command_uses():
    command = [sys.executable, "-c", COMMAND]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_hidden_module_is_back_afterwards():
    with pytest.raises(ModuleNotFoundError), start.without(("tabnanny", "sys")):
        assert sys  # It was imported before, and stays.
        import tabnanny
    import tabnanny

    assert tabnanny

"""What holds for every test: Ctrl-C as a terminal has it, and no POSIX on Windows.

A background job inherits that Ctrl-C is ignored.
"""

import os
import signal

import pytest

signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    if os.name == "nt":
        for item in items:
            if item.get_closest_marker("posix"):
                item.add_marker(pytest.mark.skip(reason="needs POSIX"))

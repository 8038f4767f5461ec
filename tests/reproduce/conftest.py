"""Kept results for the tests."""

import pytest


@pytest.fixture
def kept():
    """Makes a kept result, by its name."""

    def make(name, **result):
        return {
            name: {
                "name": name,
                "length": "short",
                "command": f"python -m some.main --{name} --corpus=text8.zip",
                "data": "some data",
                "wall_seconds": 1.5,
                "machine": "a machine",
                "result": result,
            }
        }

    return make

"""What is kept says nothing about the machine's folders."""

import pathlib

from reproduce import store

ROOT = pathlib.Path(__file__).parents[2]


def test_paths_of_the_machine_are_not_kept():
    kept = store.bare(
        {"a": ["--corpus=/home/eve/text8.zip", "/x/y.png", "a/b", 1], "b": "c = /d"}
    )
    assert kept == {"a": ["--corpus=text8.zip", "y.png", "a/b", 1], "b": "c = /d"}
    ours = f"--problem={ROOT}/reproduce/data/toy.csv"
    assert store.bare(ours) == "--problem=reproduce/data/toy.csv"

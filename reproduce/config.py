"""What a reproduction runs, and on which data."""

import dataclasses
import os
import pathlib

from reproduce.post import Experiment
from reproduce.posts import EXPERIMENTS
from runkit import settings
from runkit.settings import setting

LENGTHS = ("short", "full")
# Pictures that the posts or the paper name.
PICTURES = ["starry_night.jpg", "tuebingen_neckarfront.jpg"]
PICTURES += ["great_wave.jpg", "chicago_skyline.jpg"]
HERE = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Config:
    """Which experiments run, how long, and where the real data is.

    Raises:
        ValueError: A setting is wrong, or a file is not there.
    """

    length: str = setting(
        "short",
        "short runs take 20 minutes in all; full ones are as long as the posts'.",
        LENGTHS,
    )
    only: tuple[str, ...] = setting(
        (),
        "Names of the experiments to run, instead of all.",
        [experiment.name for experiment in EXPERIMENTS],
    )
    text: str = setting(
        "",
        "Text file in text8's format, or a zip of it. By default the text8 that "
        "char_rnn has fetched is read, or else the text that it ships with.",
    )
    train_csv: str = setting(
        "",
        "MNIST's training images as CSV. By default inception_mnist takes the MNIST "
        "that it finds, or else scikit-learn's digits.",
    )
    test_csv: str = setting("", "MNIST's test images as CSV; it goes with --train_csv.")
    pictures: str = setting(
        "",
        f"Folder that holds {', '.join(PICTURES)}. By default style_transfer takes the "
        "pictures that it ships with.",
    )

    def __post_init__(self) -> None:
        settings.check(self)
        if bool(self.train_csv) != bool(self.test_csv):
            raise ValueError("--train_csv and --test_csv go together")
        for name in ("text", "train_csv", "test_csv"):
            path = getattr(self, name)
            if path and not os.path.isfile(path):
                raise ValueError(f"--{name}={path}: no such file")
        for picture in PICTURES if self.pictures else ():
            if not os.path.isfile(os.path.join(self.pictures, picture)):
                raise ValueError(f"--pictures={self.pictures}: it has no {picture}")

    def experiments(self) -> list[Experiment]:
        """Returns the experiments that have this length, or the named ones of them."""
        known = [each for each in EXPERIMENTS if each.takes(self.length)]
        return [each for each in known if not self.only or each.name in self.only]

    def inputs(self, experiment: Experiment) -> list[str]:
        """Returns the flags that name an experiment's data, if it is not embedded."""
        if experiment.command.startswith("char_rnn.main"):
            return [f"--corpus={self.text or text8() or 'embedded'}"]
        digits = ("inception_mnist.main", "reproduce.convnet")
        if experiment.command.startswith(digits) and self.train_csv:
            files = f"--train_csv={self.train_csv}", f"--test_csv={self.test_csv}"
            return ["--dataset=csv", *files]
        if experiment.pictures and self.pictures:
            names = zip(("content", "style"), experiment.pictures.split(), strict=True)
            return [f"--{flag}={os.path.join(self.pictures, n)}" for flag, n in names]
        return []

    def command(self, experiment: Experiment, folder: str) -> list[str]:
        """Returns what follows `python` to run an experiment into a folder."""
        further = experiment.full if self.length == "full" else experiment.short
        flags = [*experiment.command.split(), *further.split()]
        flags = [flag.replace("{data}", str(HERE / "data")) for flag in flags]
        return ["-m", *flags, *self.inputs(experiment), f"--out_dir={folder}"]


def text8() -> str:
    """Returns the path of the text8.zip that char_rnn has fetched before, or ""."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(cache, "char_rnn", "text8.zip")
    return path if os.path.isfile(path) else ""

"""What a reproduction runs, and on which data."""

import dataclasses
import os
import pathlib

from reproduce.post import Experiment

LENGTHS = ("short", "full")  # within 20 minutes; as long as the posts
# Pictures that the posts or the paper name, looked for in --pictures.
PICTURES = (
    "starry_night.jpg",
    "tuebingen_neckarfront.jpg",
    "great_wave.jpg",
    "chicago_skyline.jpg",
)
HERE = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Config:
    """Where the real data is, if it is anywhere; a `ValueError` names what is wrong."""

    length: str = "short"
    text: str = ""  # zip or text file in text8's format; "": text8 if it is cached
    train_csv: str = ""  # MNIST as the post has it; "": what inception_mnist finds
    test_csv: str = ""
    pictures: str = ""  # folder; "": the embedded pair

    def __post_init__(self):
        if self.length not in LENGTHS:
            listed = ", ".join(LENGTHS)
            raise ValueError(f"--length={self.length}: choose one of {listed}")
        if bool(self.train_csv) != bool(self.test_csv):
            raise ValueError("--train_csv and --test_csv go together")
        for name in ("text", "train_csv", "test_csv"):
            path = getattr(self, name)
            if path and not os.path.isfile(path):
                raise ValueError(f"--{name}={path}: no such file")
        for picture in PICTURES if self.pictures else ():
            if not os.path.isfile(os.path.join(self.pictures, picture)):
                raise ValueError(f"--pictures={self.pictures}: has no {picture}")

    def inputs(self, experiment: Experiment) -> list[str]:
        """The flags that name an experiment's data, where it is not the embedded."""
        if experiment.module == "char_rnn.main":
            return [f"--corpus={self.text or text8() or 'embedded'}"]
        if experiment.module == "inception_mnist.main" and self.train_csv:
            files = f"--train_csv={self.train_csv}", f"--test_csv={self.test_csv}"
            return ["--dataset=csv", *files]
        if experiment.pictures and self.pictures:
            names = zip(("content", "style"), experiment.pictures.split(), strict=True)
            return [f"--{flag}={os.path.join(self.pictures, n)}" for flag, n in names]
        return []

    def command(self, experiment: Experiment, folder: str) -> list[str]:
        """What follows `python`, for one experiment."""
        flags = experiment.command.split()
        flags += (
            experiment.full if self.length == "full" else experiment.short
        ).split()
        if experiment.package == "style_transfer":
            full = self.length == "full" and imagenet()
            flags.append(f"--weights={'imagenet' if full else 'compact'}")
        flags = [flag.replace("{data}", str(HERE / "data")) for flag in flags]
        return ["-m", *flags, *self.inputs(experiment), f"--out_dir={folder}"]


def text8() -> str:
    """The text8.zip that char_rnn has fetched before, or ""."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(cache, "char_rnn", "text8.zip")
    return path if os.path.isfile(path) else ""


def imagenet() -> bool:
    """Whether Keras has VGG-19's weights in its cache."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    name = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return os.path.isfile(os.path.join(home, "models", name))

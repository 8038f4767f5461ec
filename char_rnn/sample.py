"""Write text with a trained network.

python -m char_rnn.sample --checkpoint out/char_rnn --prime "the " --length 500
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import dataclasses
import os
import time

from absl import flags, logging

from runkit import files, settings
from runkit.settings import setting


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How a text is written."""

    checkpoint: str = setting("out/char_rnn", "Folder of a training run.")
    prime: str = setting(
        "",
        "Text to go on from; characters that the model does not know are left out. By "
        "default it is one character, drawn as in the post.",
    )
    length: int = setting(500, "Number of characters to write.", low=1)
    temperature: float = setting(
        1.0,
        "Below 1 the text is safer, above 1 wilder; 0 takes the likeliest character.",
        low=0,
    )
    top_k: int = setting(
        0, "Number of likeliest characters to draw from; 0 means all of them.", low=0
    )
    seed: int = setting(0, "Seed of all draws.", low=0)
    as_printed: bool = setting(
        False, "Whether softmax is applied twice, as in the post's sampler of Arch 2."
    )

    def __post_init__(self):
        settings.check(self)


settings.define_flags(Sampling)
flags.DEFINE_string(
    "out_dir", "out/char_rnn/sample", "Folder into which everything is written."
)
FLAGS = flags.FLAGS


def read_prime(prime: str, alphabet: str, random):
    """Looks up the ids of the prime; without any, draws the first character's."""
    import numpy as np

    from char_rnn import text

    known = "".join(each for each in prime if each in alphabet)
    if unknown := sorted(set(prime) - set(known)):
        listed = ", ".join(map(repr, unknown))
        logging.warning("--prime: the model does not know %s: left out", listed)
    if known:
        return text.encode(known, alphabet)
    return np.array([text.random_character(random, len(alphabet))])


def main(_) -> int:
    """Writes a text; returns the exit code."""
    given = Sampling(**settings.given(Sampling))
    import numpy as np

    from char_rnn import checkpoint
    from char_rnn.sampler import Sampler

    files.make_folder(FLAGS.out_dir)
    config, alphabet, weights = checkpoint.load_model(given.checkpoint)
    random = np.random.default_rng(given.seed)
    prime = read_prime(given.prime, alphabet, random)
    written = [alphabet[place] for place in prime]
    drawn = Sampler(config, weights).write(
        prime, given.length, random, given.temperature, given.top_k, given.as_printed
    )
    print("".join(written), end="", flush=True)
    began, code = time.monotonic(), cli.DONE
    try:
        for place in drawn:
            written.append(alphabet[place])
            print(written[-1], end="", flush=written[-1] == " ")
    except KeyboardInterrupt:
        code = cli.INTERRUPTED
    seconds = time.monotonic() - began
    print(flush=True)
    sample = "".join(written)
    files.write_text(os.path.join(FLAGS.out_dir, "sample.txt"), sample + "\n")
    metrics = {
        "sample": sample,
        "characters_per_second": round((len(written) - len(prime)) / seconds),
        "seconds": round(seconds, 3),
        "sampling": dataclasses.asdict(given),
    }
    files.write_result(FLAGS.out_dir, config, metrics)
    return code


def command() -> None:
    """Runs the command."""
    cli.run(
        main, "char_rnn", ("checkpoint", "prime", "length", "temperature", "out_dir")
    )


if __name__ == "__main__":
    command()

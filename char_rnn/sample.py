"""Write text with a trained network.

python -m char_rnn.sample --checkpoint out/char_rnn --prime "the " --length 500
"""

import math
import os
import time

from absl import flags

from char_rnn import entry

SETTINGS = (
    "checkpoint",
    "prime",
    "length",
    "temperature",
    "top_k",
    "seed",
    "as_printed",
)

flags.DEFINE_string("checkpoint", "out/char_rnn", "Folder of a training run.")
flags.DEFINE_string(
    "prime", "", "Text to go on from. Default: one character, drawn as in the post."
)
flags.DEFINE_integer("length", 500, "Characters to write.")
flags.DEFINE_float(
    "temperature", 1.0, "Below 1 safer, above 1 wilder; 0 takes the likeliest."
)
flags.DEFINE_integer("top_k", 0, "Draw from the k likeliest alone; 0: from all.")
flags.DEFINE_integer("seed", 0, "Settles every draw.")
flags.DEFINE_bool(
    "as_printed", False, "Softmax twice, as the post's sampler of Arch 2 does."
)
flags.DEFINE_string("out_dir", "out/char_rnn/sample", "Folder of what is written.")
FLAGS = flags.FLAGS


def prepare():
    """Everything that can be a mistake of the user happens here, before any work."""
    for name, wrong in (
        ("length", FLAGS.length < 1),
        ("temperature", not 0 <= FLAGS.temperature < math.inf),
        ("top_k", FLAGS.top_k < 0),
        ("seed", FLAGS.seed < 0),
    ):
        if wrong:
            raise ValueError(f"--{name}={FLAGS[name].value}: out of range")
    import numpy as np

    from char_rnn import checkpoint, text
    from char_rnn.sampler import Sampler

    entry.make_folder(FLAGS.out_dir)
    config, alphabet, weights = checkpoint.load_model(FLAGS.checkpoint)
    random = np.random.default_rng(FLAGS.seed)
    try:
        prime = text.encode(FLAGS.prime, alphabet)
    except ValueError as error:
        raise ValueError(f"--prime: {error}") from None
    if not FLAGS.prime:
        first = text.sample_prob(text.random_dist(random, len(alphabet)), random)
        prime = np.array([first])
    return Sampler(config, weights), alphabet, prime, random, config


def main(_) -> int:
    """Returns the exit code: 0, or 130 for Ctrl-C."""
    sampler, alphabet, prime, random, config = prepare()
    written = [alphabet[place] for place in prime]
    print("".join(written), end="", flush=True)
    began, code = time.monotonic(), 0
    drawn = sampler.write(
        prime, FLAGS.length, random, FLAGS.temperature, FLAGS.top_k, FLAGS.as_printed
    )
    try:
        for place in drawn:
            written.append(alphabet[place])
            print(written[-1], end="", flush=written[-1] == " ")
    except KeyboardInterrupt:
        code = 130
    seconds = time.monotonic() - began
    print(flush=True)
    write("".join(written), len(written) - len(prime), seconds, config)
    return code


def write(sample: str, drawn: int, seconds: float, config) -> None:
    """sample.txt and result.json."""
    from char_rnn import outputs

    outputs.write_text(os.path.join(FLAGS.out_dir, "sample.txt"), sample + "\n")
    metrics = {
        "sample": sample,
        "characters_per_second": round(drawn / seconds),
        "seconds": round(seconds, 3),
        "sampling": {name: FLAGS[name].value for name in SETTINGS},
    }
    path = os.path.join(FLAGS.out_dir, "result.json")
    outputs.write_result(path, config, metrics)


if __name__ == "__main__":
    entry.run(main)

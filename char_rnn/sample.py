"""Write text with a trained network.

python -m char_rnn.sample --checkpoint out/char_rnn --prime "the " --length 500
"""

from runkit import cli, files  # isort: skip  (first: it makes Ctrl-C quiet)

import os
import time

from absl import flags, logging

SETTINGS = "checkpoint", "prime", "length", "temperature", "top_k", "seed", "as_printed"

flags.DEFINE_string("checkpoint", "out/char_rnn", "Folder of a training run.")
flags.DEFINE_string(
    "prime",
    "",
    "Text to go on from; characters that the model does not know are left out. By "
    "default it is one character, drawn as in the post.",
)
flags.DEFINE_integer("length", 500, "Number of characters to write.", lower_bound=1)
flags.DEFINE_float(
    "temperature",
    1.0,
    "Below 1 the text is safer, above 1 wilder; 0 takes the likeliest character.",
    lower_bound=0.0,
    upper_bound=1e9,
)
flags.DEFINE_integer(
    "top_k",
    0,
    "Number of likeliest characters to draw from; 0 means all of them.",
    lower_bound=0,
)
flags.DEFINE_integer("seed", 0, "Seed of all draws.", lower_bound=0)
flags.DEFINE_bool(
    "as_printed", False, "Apply softmax twice, as the post's sampler of Arch 2 does."
)
flags.DEFINE_string(
    "out_dir", "out/char_rnn/sample", "Folder into which everything is written."
)
FLAGS = flags.FLAGS


def prepare():
    """Reads the model and the prime, before any work.

    Returns:
        The sampler, the alphabet, the ids of the prime, the source of all draws, and
        the model's settings.
    """
    import numpy as np

    from char_rnn import checkpoint, text
    from char_rnn.sampler import Sampler

    files.make_folder(FLAGS.out_dir)
    config, alphabet, weights = checkpoint.load_model(FLAGS.checkpoint)
    random = np.random.default_rng(FLAGS.seed)
    known = "".join(each for each in FLAGS.prime if each in alphabet)
    if unknown := sorted(set(FLAGS.prime) - set(known)):
        listed = ", ".join(map(repr, unknown))
        logging.warning("--prime: the model does not know %s: left out", listed)
    prime = text.encode(known, alphabet)
    if not known:
        first = text.sample_prob(text.random_dist(random, len(alphabet)), random)
        prime = np.array([first])
    return Sampler(config, weights), alphabet, prime, random, config


def main(_) -> int:
    """Writes a text; returns the exit code."""
    sampler, alphabet, prime, random, config = prepare()
    written = [alphabet[place] for place in prime]
    print("".join(written), end="", flush=True)
    began, code = time.monotonic(), cli.DONE
    drawn = sampler.write(
        prime, FLAGS.length, random, FLAGS.temperature, FLAGS.top_k, FLAGS.as_printed
    )
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
        "sampling": {name: FLAGS[name].value for name in SETTINGS},
    }
    files.write_result(FLAGS.out_dir, config, metrics)
    return code


if __name__ == "__main__":
    cli.run(
        main, "char_rnn", ("checkpoint", "prime", "length", "temperature", "out_dir")
    )

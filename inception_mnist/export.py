"""Write a trained network as a Keras file and as a SavedModel, both in float32.

python -m inception_mnist.export --checkpoint=out/inception_mnist
"""

import os
import shutil

from absl import flags, logging

from inception_mnist import entry

flags.DEFINE_string(
    "checkpoint",
    "out/inception_mnist",
    "Folder of a training run, or a file of weights in it (last.npz, best.npz).",
)
flags.DEFINE_string(
    "out_dir", "out/inception_mnist/export", "Folder of what is written."
)
FLAGS = flags.FLAGS


def main(_) -> int:
    """Returns the exit code, 0."""
    from inception_mnist import checkpoint

    config, weights = checkpoint.load_weights(FLAGS.checkpoint)
    entry.make_folder(FLAGS.out_dir)
    entry.start_tensorflow()
    from inception_mnist import evaluate, outputs

    model = evaluate.trained_model(config, weights)
    keras_file = os.path.join(FLAGS.out_dir, "model.keras")
    saved_model = os.path.join(FLAGS.out_dir, "saved_model")
    part = os.path.join(FLAGS.out_dir, f"{os.getpid()}.part")
    try:
        with entry.quiet():  # Keras describes the signature at length
            model.save(f"{part}.keras")
            model.export(part, verbose=False)
        shutil.rmtree(saved_model, ignore_errors=True)
        os.replace(part, saved_model)
        os.replace(f"{part}.keras", keras_file)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if os.path.exists(f"{part}.keras"):
            os.remove(f"{part}.keras")
    metrics = {"parameters": model.count_params(), "input": "pixels 0 to 255"}
    outputs.write_result(os.path.join(FLAGS.out_dir, "result.json"), config, metrics)
    logging.info("%s, %s: from pixels 0 to 255 to logits", keras_file, saved_model)
    return 0


if __name__ == "__main__":
    entry.run(main)

"""Write a trained network as a Keras file, a SavedModel and a TensorFlow Lite file.

python -m inception_mnist.export --checkpoint=out/inception_mnist

All three are float32, from pixels 0 to 255 to logits, and are checked to agree.
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import os
import shutil

from absl import flags, logging

from runkit import files, start

NAME = "inception_mnist"
FLAGS = flags.FLAGS
TOLERANCE = 1e-3  # of the largest logit: what TensorFlow Lite's may differ by


def define_flags() -> None:
    """Declare the flags."""
    flags.DEFINE_string(
        "checkpoint",
        "out/inception_mnist",
        "Folder of a training run, or a file of weights in it (last.npz, best.npz).",
    )
    flags.DEFINE_string(
        "out_dir", "out/inception_mnist/export", "Folder into which everything goes."
    )


def convert(saved_model: str) -> bytes:
    """Convert a SavedModel to TensorFlow Lite, and compare their logits.

    Raises:
        cli.Failed: They differ.
    """
    import numpy as np
    import tensorflow as tf

    content = tf.lite.TFLiteConverter.from_saved_model(saved_model).convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (given,), (taken,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    original = tf.saved_model.load(saved_model)
    for seed in range(4):
        random = np.random.default_rng(seed)
        images = random.uniform(0, 255, (1, 28, 28, 1)).astype(np.float32)
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        found = interpreter.get_tensor(taken["index"])
        expected = original.serve(images).numpy()
        if np.abs(found - expected).max() > TOLERANCE * np.abs(expected).max():
            raise cli.Failed("TensorFlow Lite's logits are not those of the SavedModel")
    return content


def main(_) -> None:
    """Write the three forms, each of them whole or not at all."""
    from inception_mnist import checkpoint

    config, weights = checkpoint.load_weights(FLAGS.checkpoint)
    files.make_folder(FLAGS.out_dir)
    start.tensorflow()
    from inception_mnist import evaluate, record

    model = evaluate.trained_model(config, weights)
    names = "model.keras", "saved_model", "model.tflite"
    targets = [os.path.join(FLAGS.out_dir, name) for name in names]
    part = os.path.join(FLAGS.out_dir, f"{os.getpid()}.part")
    try:
        with start.quiet_stderr():  # Keras describes the signature at length
            model.save(f"{part}.keras")
            model.export(part, verbose=False)
            content = convert(part)
        shutil.rmtree(targets[1], ignore_errors=True)
        os.replace(part, targets[1])
        os.replace(f"{part}.keras", targets[0])
        files.write_whole(targets[2], lambda file: file.write(content))
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if os.path.exists(f"{part}.keras"):
            os.remove(f"{part}.keras")
    metrics = {"parameters": model.count_params(), "input": "pixels 0 to 255"}
    files.write_result(FLAGS.out_dir, config, metrics, record.PACKAGES)
    logging.info("%s: from pixels 0 to 255 to logits", ", ".join(targets))


def command() -> None:
    """Runs the command."""
    define_flags()
    cli.run(main, NAME, first=("checkpoint", "out_dir"))


if __name__ == "__main__":
    command()

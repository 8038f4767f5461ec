"""Say which digit a picture shows.

python -m inception_mnist.predict --checkpoint=out/inception_mnist mine.png yours.jpg
"""

import os

from absl import flags

from inception_mnist import entry

flags.DEFINE_string(
    "checkpoint",
    "out/inception_mnist",
    "Folder of a training run, or a file of weights in it (last.npz, best.npz).",
)
flags.DEFINE_string(
    "out_dir", "out/inception_mnist/predict", "Folder of what is written."
)
FLAGS = flags.FLAGS


def main(argv) -> int:
    """Returns the exit code, 0."""
    paths = argv[1:]
    if not paths:
        raise ValueError("name at least one picture of a digit")
    import numpy as np

    from inception_mnist import checkpoint, outputs, pictures

    images = np.stack([pictures.load_picture(path) for path in paths])
    config, weights = checkpoint.load_weights(FLAGS.checkpoint)
    entry.make_folder(FLAGS.out_dir)
    entry.start_tensorflow()
    from inception_mnist import evaluate

    classifier = evaluate.Classifier(evaluate.trained_model(config, weights))
    views = [
        classifier.probabilities(images, config.test_batch_size, view)
        for view in range(config.views)
    ]
    found = np.mean(views, axis=0)
    answers = []
    for path, row in zip(paths, found, strict=True):
        first, second = np.argsort(-row)[:2]
        print(f"{path}: {first} ({row[first]:.1%}), or {second} ({row[second]:.1%})")
        answers.append({"path": path, "digit": int(first), "probabilities": row})
    answers = [a | {"probabilities": a["probabilities"].tolist()} for a in answers]
    outputs.plot_digits(os.path.join(FLAGS.out_dir, "digits.png"), images, found)
    path = os.path.join(FLAGS.out_dir, "result.json")
    outputs.write_result(path, config, {"answers": answers})
    return 0


if __name__ == "__main__":
    entry.run(main, arguments=True)

"""Say which digit a picture shows.

python -m inception_mnist.predict --checkpoint=out/inception_mnist mine.png yours.jpg
python -m inception_mnist.predict --checkpoint=out/inception_mnist folder_of_pictures
python -m inception_mnist.predict --checkpoint=out/inception_mnist --csv=test.csv
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import os
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from runkit import files, progress, start

if TYPE_CHECKING:
    import numpy as np

NAME = "inception_mnist"
FLAGS = flags.FLAGS
SHEET = 96  # pictures on digits.png at most


def define_flags() -> None:
    """Declare the flags."""
    flags.DEFINE_string(
        "checkpoint",
        "out/inception_mnist",
        "Folder of a training run, or a file of weights in it (last.npz, best.npz).",
    )
    flags.DEFINE_string(
        "csv",
        None,
        "File of images instead of pictures: a csv file, with labels or without (such "
        "as Kaggle's test.csv), or an idx file.",
    )
    flags.DEFINE_string(
        "out_dir", "out/inception_mnist/predict", "Folder into which answers go."
    )


def read_pictures(paths: list[str]) -> dict[str, tuple["np.ndarray", str]]:
    """Read pictures, and all those in folders; see `pictures.read_picture`."""
    from inception_mnist import pictures

    found = {}
    for path in paths:
        if not os.path.isdir(path):
            found[path] = pictures.read_picture(path)
            continue
        before = len(found)
        for file in pictures.in_folder(path):
            try:
                found[file] = pictures.read_picture(file)
            except (OSError, ValueError) as error:
                logging.warning("%s", error)
        if len(found) == before:
            raise ValueError(f"{path}: no picture of a digit in this folder")
    return found


def read_file(path: str, classes: int) -> tuple["np.ndarray", "np.ndarray | None"]:
    """Return the images of a csv or idx file, and their labels or None."""
    from inception_mnist import csv_reader, data, image_files

    if image_files.is_idx(path):
        images = image_files.read_idx(path)
        data.check_images(images)
        return images, None
    return csv_reader.read(path, classes, labelled=False)


def mean_probabilities(config, weights, images) -> "np.ndarray":
    """Return the mean of the answers over the views, [N, K], with a bar."""
    start.tensorflow()
    import numpy as np

    from inception_mnist import evaluate

    classifier = evaluate.Classifier(evaluate.trained_model(config, weights))
    found = []
    with progress.Bar(config.views, "view", enabled=len(images) > 1000) as bar:
        for view in range(config.views):
            found.append(classifier.probabilities(images, config.test_batch_size, view))
            bar.update(view + 1)
    return np.mean(found, axis=0)


def describe(name: str, config, probabilities, warning: str) -> dict[str, Any]:
    """Print the answer to a picture; return it as a row of predictions.csv."""
    first, second = (int(number) for number in (-probabilities).argsort()[:2])
    one, two = config.class_name(first), config.class_name(second)
    shares = float(probabilities[first]), float(probabilities[second])
    print(f"{name}: {one} ({shares[0]:.1%}), or {two} ({shares[1]:.1%})")
    if warning:
        logging.warning("%s: %s", name, warning)
    names = "file", "answer", "probability", "second", "second_probability", "warning"
    row = name, one, shares[0], two, shares[1], warning
    return dict(zip(names, row, strict=True))


def main(argv) -> None:
    """Print and write the answers."""
    paths, labels = argv[1:], None
    if bool(paths) == bool(FLAGS.csv):
        raise ValueError("name at least one picture of a digit, or a file with --csv")
    import numpy as np

    from inception_mnist import checkpoint

    pictures = read_pictures(paths)
    config, weights = checkpoint.load_weights(FLAGS.checkpoint)
    if paths:
        images = np.stack([image for image, _ in pictures.values()])
    else:
        images, labels = read_file(FLAGS.csv, config.classes)
    files.make_folder(FLAGS.out_dir)
    found = mean_probabilities(config, weights, images)
    answers = [int(answer) for answer in found.argmax(axis=1)]
    metrics: dict[str, Any] = {"images": len(images)}
    if paths:
        rows = [
            describe(name, config, row, warning)
            for (name, (_, warning)), row in zip(pictures.items(), found, strict=True)
        ]
        titles = [os.path.basename(name)[-18:] for name in pictures]
        metrics["answers"] = [
            {"path": name, "digit": answer, "probabilities": row.tolist()}
            for name, answer, row in zip(pictures, answers, found, strict=True)
        ]
    else:  # in the form of Kaggle's answers
        rows = [{"ImageId": n, "Label": each} for n, each in enumerate(answers, 1)]
        titles = [f"{row['ImageId']}" for row in rows]
        print(f"{FLAGS.csv}: {len(images):,} answers")
    if labels is not None:
        metrics["accuracy"] = float(np.mean(answers == labels))
        print(f"{metrics['accuracy']:.2%} of them agree with the file's labels")
    files.write_csv(os.path.join(FLAGS.out_dir, "predictions.csv"), rows)
    from inception_mnist import record

    sheet = images[:SHEET], found[:SHEET], config, titles[:SHEET]
    record.plot_digits(os.path.join(FLAGS.out_dir, "digits.png"), *sheet)
    files.write_result(FLAGS.out_dir, config, metrics, record.PACKAGES)


def command() -> None:
    """Runs the command."""
    define_flags()
    cli.run(main, NAME, first=("checkpoint", "csv", "out_dir"), arguments=True)


if __name__ == "__main__":
    command()

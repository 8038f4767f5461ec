"""The simpler convnet that the third post links: TensorFlow's "Deep MNIST for experts".

TensorFlow 0.12's tutorial, section "Build a Multilayer Convolutional Network": two 5x5
convolutions with poolings, 1,024 nodes, dropout, Adam at 1e-4 and 20,000 batches of 50.

python -m reproduce.convnet --train_csv=mnist_train.csv --test_csv=mnist_test.csv
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import dataclasses
import time
from typing import TYPE_CHECKING

from absl import flags, logging

from inception_mnist.config import DATASETS
from runkit import files, progress, settings, start
from runkit.settings import setting

if TYPE_CHECKING:
    import keras

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings; the defaults are the tutorial's.

    Raises:
        ValueError: A setting is wrong.
    """

    learning_rate: float = setting(1e-4, "Learning rate of Adam.", above=0)
    dropout: float = setting(0.5, "Share of the hidden nodes dropped.", low=0, high=0.9)
    batch_size: int = setting(50, "Images in a step.", low=1)
    steps: int = setting(20_000, "Steps to train.", low=1)
    # The post keeps 500 images back, the tutorial 5,000.
    valid_size: int = setting(500, "Training images that validate instead.", low=1)
    seed: int = setting(0, "Seed of initial values, order and dropout.", low=0)

    def __post_init__(self) -> None:
        settings.check(self)


def build_model(config: Config) -> "keras.Model":
    """Builds the network from pixels 0 to 255, [B, 28, 28, 1], to logits [B, 10]."""
    import keras
    from keras import layers

    begin = {
        "kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.1),
        "bias_initializer": keras.initializers.Constant(0.1),
    }
    rectified = {"padding": "same", "activation": "relu", **begin}
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 5, **rectified),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 5, **rectified),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1024, activation="relu", **begin),
            layers.Dropout(config.dropout, seed=config.seed),
            layers.Dense(10, **begin),
        ]
    )


def train(config: Config, images, labels) -> "keras.Model":
    """Trains a network under a progress bar.

    Args:
        config: The settings.
        images: uint8 [N, 28, 28, 1].
        labels: Their digits, integers [N].
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(config.seed)
    model = build_model(config)
    model.compile(
        keras.optimizers.Adam(config.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    examples = tf.data.Dataset.from_tensor_slices((images, labels))
    examples = examples.shuffle(len(labels), config.seed).repeat()
    with progress.Bar(config.steps) as bar:
        show = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: bar.update(
                batch + 1, f"mean loss {logs['loss']:.3f}"
            )
        )
        model.fit(
            examples.batch(config.batch_size, drop_remainder=True),
            steps_per_epoch=config.steps,
            shuffle=False,  # done above
            callbacks=[show],
            verbose=0,
        )
    return model


def main(_: list[str]) -> None:
    """Trains the convnet, and measures it on the test images."""
    config = Config(**settings.given(Config))
    from inception_mnist import data

    digits = data.load(FLAGS.dataset, FLAGS.train_csv, FLAGS.test_csv)
    files.make_folder(FLAGS.out_dir)
    start.tensorflow()
    images, labels = digits.train_images[..., None], digits.train_labels
    kept = len(labels) - config.valid_size
    if kept < config.batch_size:
        raise ValueError(f"--valid_size={config.valid_size}: leaves {kept} to train on")
    began = time.monotonic()
    model = train(config, images[:kept], labels[:kept])
    seconds = time.monotonic() - began

    def accuracy(images, labels) -> float:
        return float(model.evaluate(images, labels, batch_size=100, verbose=0)[1])

    metrics = {
        "dataset": digits.name,
        "is_mnist": digits.is_mnist,
        "steps": config.steps,
        "parameters": model.count_params(),
        "valid_accuracy": accuracy(images[kept:], labels[kept:]),
        "test_accuracy": accuracy(digits.test_images[..., None], digits.test_labels),
        "images_per_second": round(config.steps * config.batch_size / seconds, 1),
        "seconds": round(seconds, 1),
    }
    files.write_result(FLAGS.out_dir, config, metrics, ("tensorflow", "keras"))
    logging.info(
        "%s: test %.2f %% after %.0f s",
        digits.name,
        100 * metrics["test_accuracy"],
        seconds,
    )


def define_flags() -> None:
    """Declares the flags."""
    flags.DEFINE_string("out_dir", "out/reproduce/convnet", "Folder of the result.")
    flags.DEFINE_enum(
        "dataset",
        "auto",
        DATASETS,
        "Source of the images, as in inception_mnist.",
    )
    flags.DEFINE_string("train_csv", None, "MNIST's training images as CSV.")
    flags.DEFINE_string("test_csv", None, "MNIST's test images as CSV.")
    settings.define_flags(Config)


def command() -> None:
    """Runs the command."""
    define_flags()
    cli.run(main, "reproduce.convnet", ("train_csv", "test_csv", "steps", "out_dir"))


if __name__ == "__main__":
    command()

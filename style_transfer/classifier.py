"""The compact network as a classifier: trained with batch norm, shipped without.

The blocks are VGG's (Simonyan and Zisserman, 2014), with batch norm before each ReLU
(Ioffe and Szegedy, 2015) and average pooling. The recipe is the usual one of short
schedules: Nesterov momentum with one warm-up and a cosine, smoothed labels, crops of
random place, size and shape, mirrored, small at first and larger later (Tan and Le,
"EfficientNetV2", 2021, section 4).
"""

import dataclasses
import math
import zipfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from style_transfer import features, images

LAYERS = features.filter_shapes("compact")  # kernel shapes by name

# "<layer>/kernel" [3, 3, in, out] and "<layer>/bias" [out] of each layer, and
# "head/kernel" [N_l, classes], "head/bias" [classes]; float16.
Weights = dict[str, np.ndarray]

EPSILON = 1e-3  # added to variances, as in Keras
MOMENTUM = 0.9
PIXEL_SCALE = 64.0  # about the deviation of pixels


@dataclasses.dataclass(frozen=True)
class Training:
    """The settings of a training run."""

    epochs: int = 60
    batch: int = 128
    crops: tuple[int, ...] = (32, 32, 40, 48)  # pixels, by quarter of the run
    learning_rate: float = 0.1  # peak; usual for this batch with batch norm
    weight_decay: float = 5e-4  # usual for nets of this kind on small data
    label_smoothing: float = 0.1
    smallest_crop: float = 0.35  # share of the picture's area
    jitter: float = 0.2  # of brightness and of contrast
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch", "learning_rate"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"--{name}={value}: must be above 0")
        if self.seed < 0:
            raise ValueError(f"--seed={self.seed}: must be at least 0")


class Classifier:
    """Variables of the network while it is trained, and one step of training.

    Attributes:
        variables: every tf.Variable by name: the whole state but the step's number,
            from which all randomness follows.
    """

    def __init__(self, training: Training, classes: int):
        self.training = training
        self.classes = classes
        self.precision = features.fastest_precision()
        self.variables: dict[str, tf.Variable] = {}
        generator = np.random.default_rng(training.seed)
        for name, shape in LAYERS.items():
            deviation = math.sqrt(2 / np.prod(shape[:3]))  # He et al., 2015
            self._trained(f"{name}/kernel", generator.normal(0, deviation, shape))
            self._trained(f"{name}/scale", np.ones(shape[-1]))
            self._trained(f"{name}/offset", np.zeros(shape[-1]))
            self._add(f"{name}/mean", np.zeros(shape[-1]))
            self._add(f"{name}/variance", np.ones(shape[-1]))
        deviation = math.sqrt(1 / shape[-1])
        head = generator.normal(0, deviation, (shape[-1], classes))
        self._trained("head/kernel", head)
        self._trained("head/offset", np.zeros(classes))

    def _add(self, name: str, value: np.ndarray) -> None:
        self.variables[name] = tf.Variable(np.float32(value), trainable=False)

    def _trained(self, name: str, value: np.ndarray) -> None:
        self._add(name, value)
        self._add(f"{name}/velocity", np.zeros_like(value))

    def logits(self, pictures: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Class scores [n, classes] of preprocessed pictures, by batch statistics.

        Also moves the running means and variances towards those of the batch.
        """
        share = tf.maximum(0.01, 1.0 / (1.0 + tf.cast(step, tf.float32)))
        maps = tf.cast(pictures / PIXEL_SCALE, self.precision)  # [n, h, w, 3]
        for name in LAYERS:
            if features.begins_block(name):
                maps = features.pool(maps, "average")
            kernel = tf.cast(self.variables[f"{name}/kernel"], self.precision)
            maps = tf.nn.conv2d(maps, kernel, 1, "SAME")
            maps, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                maps,
                self.variables[f"{name}/scale"],
                self.variables[f"{name}/offset"],
                epsilon=EPSILON,
            )
            for kind, found in (("mean", mean), ("variance", variance)):
                running = self.variables[f"{name}/{kind}"]
                running.assign_add(share * (tf.stop_gradient(found) - running))
            maps = tf.nn.relu(maps)
        pooled = tf.reduce_mean(tf.cast(maps, tf.float32), [1, 2])
        return pooled @ self.variables["head/kernel"] + self.variables["head/offset"]

    @tf.function(reduce_retracing=True)
    def step(
        self,
        pictures: tf.Tensor,
        labels: tf.Tensor,
        side: int,
        step: tf.Tensor,
        rate: tf.Tensor,
    ) -> tf.Tensor:
        """One update; returns the cross-entropy of the batch before it.

        Args:
            pictures: uint8 [batch, h, w, 3].
            labels: int32 [batch].
            side: pixels of the crops.
            step: number of the step, which seeds its crops.
            rate: learning rate.
        """
        crops = features.preprocess(augment(pictures, side, self.training, step))
        smoothing = self.training.label_smoothing
        targets = tf.one_hot(
            labels,
            self.classes,
            1 - smoothing + smoothing / self.classes,
            smoothing / self.classes,
        )
        names = [n for n in self.variables if f"{n}/velocity" in self.variables]
        values = [self.variables[name] for name in names]
        with tf.GradientTape() as tape:
            tape.watch(values)
            logits = self.logits(crops, step)
            loss = tf.reduce_mean(
                tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            )
        gradients = tape.gradient(loss, values)
        for name, value, gradient in zip(names, values, gradients, strict=True):
            if name.endswith("kernel"):
                gradient += self.training.weight_decay * value
            velocity = self.variables[f"{name}/velocity"]
            velocity.assign(MOMENTUM * velocity + gradient)
            value.assign_sub(rate * (gradient + MOMENTUM * velocity))
        return loss

    def folded(self) -> Weights:
        """The filters with batch norm folded in, half precision, and the head."""
        get = {name: value.numpy() for name, value in self.variables.items()}
        weights = {}
        pixels = 1 / PIXEL_SCALE
        for name in LAYERS:
            scale = get[f"{name}/scale"] / np.sqrt(get[f"{name}/variance"] + EPSILON)
            weights[f"{name}/kernel"] = get[f"{name}/kernel"] * scale * pixels
            weights[f"{name}/bias"] = (
                get[f"{name}/offset"] - get[f"{name}/mean"] * scale
            )
            pixels = 1.0
        weights["head/kernel"] = get["head/kernel"]
        weights["head/bias"] = get["head/offset"]
        return {name: np.float16(value) for name, value in weights.items()}


def augment(
    pictures: tf.Tensor, side: int, training: Training, step: tf.Tensor
) -> tf.Tensor:
    """Crops of random place, size, shape, mirroring, brightness and contrast.

    Args:
        pictures: uint8 [n, h, w, 3].
        side: pixels of the crops.
        training: how far they may vary.
        step: seeds them, with the seed of the training.

    Returns:
        float32 [n, side, side, 3], about [0, 255].
    """
    count = tf.shape(pictures)[0]
    random = tf.random.stateless_uniform([7, count], [training.seed, step])
    area = training.smallest_crop + (1 - training.smallest_crop) * random[0]
    aspect = tf.exp((2 * random[1] - 1) * math.log(4 / 3))
    height = tf.minimum(tf.sqrt(area * aspect), 1.0)
    width = tf.minimum(tf.sqrt(area / aspect), 1.0)
    top, left = random[2] * (1 - height), random[3] * (1 - width)
    mirrored = random[4] < 0.5
    near, far = left, left + width
    boxes = tf.stack(
        [
            top,
            tf.where(mirrored, far, near),
            top + height,
            tf.where(mirrored, near, far),
        ],
        axis=1,
    )
    crops = tf.image.crop_and_resize(pictures, boxes, tf.range(count), [side, side])
    gain = (1 + training.jitter * (2 * random[5] - 1))[:, None, None, None]
    shift = (255 * training.jitter * (random[6] - 0.5))[:, None, None, None]
    return (crops - 127.5) * gain + 127.5 + shift


def rate_at(training: Training, step: int, steps: int) -> float:
    """Learning rate: up a line for a sixteenth of the run, then down a cosine."""
    warm = steps / 16
    if step < warm:
        return training.learning_rate * (step + 1) / (warm + 1)
    progress = (step - warm) / (steps - warm)
    return 0.5 * training.learning_rate * (1 + math.cos(math.pi * progress))


def steps_an_epoch(training: Training, pictures: int) -> int:
    """Full batches in that many pictures; at least one."""
    return max(1, pictures // training.batch)


def train(
    classifier: Classifier, pictures: np.ndarray, labels: np.ndarray, done: int = 0
) -> Iterator[tuple[int, float]]:
    """Steps of training, each yielded as its number from 1 and its loss.

    Args:
        classifier: is changed in place.
        pictures: uint8 [n, h, w, 3].
        labels: int32 [n].
        done: steps that the classifier has had; they are not made again.
    """
    training = classifier.training
    batch = min(training.batch, len(pictures))
    every = steps_an_epoch(training, len(pictures))
    steps = training.epochs * every
    for step in range(done, steps):
        epoch, place = divmod(step, every)
        if place == 0 or step == done:
            order = np.random.default_rng([training.seed, epoch]).permutation(
                len(pictures)
            )
        chosen = np.sort(order[place * batch : (place + 1) * batch])
        side = training.crops[step * len(training.crops) // steps]
        loss = classifier.step(
            pictures[chosen],
            labels[chosen],
            side,
            tf.constant(step, tf.int32),
            tf.constant(rate_at(training, step, steps), tf.float32),
        )
        yield step + 1, float(loss)


def accuracy(
    weights: Weights, pictures: np.ndarray, labels: np.ndarray, mirror: bool = False
) -> float:
    """Share of `pictures` whose best class is right, by the exported weights.

    Args:
        weights: of `Classifier.folded`.
        pictures: uint8 [n, h, w, 3].
        labels: int32 [n].
        mirror: adds the scores of the mirrored picture.
    """

    filters = {
        name: (weights[f"{name}/kernel"], weights[f"{name}/bias"]) for name in LAYERS
    }
    kernel, bias = (np.float32(weights[f"head/{kind}"]) for kind in ("kernel", "bias"))

    @tf.function(reduce_retracing=True)
    def score(batch: tf.Tensor) -> tf.Tensor:
        inputs = features.preprocess(tf.cast(batch, tf.float32))
        inputs = tf.cast(inputs, features.fastest_precision())
        maps = features.feature_maps(filters, inputs, ["conv5_1"], "average")
        pooled = tf.reduce_mean(tf.cast(maps["conv5_1"], tf.float32), [1, 2])
        return pooled @ kernel + bias

    right = 0
    for begin in range(0, len(pictures), 250):
        batch = pictures[begin : begin + 250]
        scores = score(batch)
        if mirror:
            scores += score(batch[:, :, ::-1])
        best = tf.argmax(scores, axis=1).numpy()
        right += int(np.sum(best == labels[begin : begin + 250]))
    return right / len(pictures)


def save(path: str, classifier: Classifier, step: int) -> None:
    """Write the whole state after `step` steps."""
    state = {name: value.numpy() for name, value in classifier.variables.items()}
    mark = repr(classifier.training)
    images.write_whole(
        path, lambda file: np.savez(file, step=step, training=mark, **state)
    )


def load(path: str, classifier: Classifier) -> int:
    """Take up a state that `save` wrote; returns its step.

    Raises:
        OSError: damaged.
        ValueError: of a training with other settings or classes.
    """
    try:
        with np.load(path) as file:
            state = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise OSError(f"checkpoint {path} cannot be read: {error}") from error
    same = str(state.get("training")) == repr(classifier.training)
    shapes = {name: tuple(v.shape) for name, v in classifier.variables.items()}
    if not same or any(state[name].shape != shapes[name] for name in shapes):
        raise ValueError(
            f"checkpoint {path} is of a training with other settings or classes: "
            "remove it, or name another --out_dir"
        )
    for name, variable in classifier.variables.items():
        variable.assign(state[name])
    return int(state["step"])


def export(path: str, weights: Weights) -> None:
    """Write what `Classifier.folded` returns, for `weights.read_compact`."""
    images.write_whole(path, lambda file: np.savez_compressed(file, **weights))

"""The compact network as a classifier: trained with batch norm, shipped without.

The blocks are VGG's (Simonyan and Zisserman, 2014), with batch norm before each ReLU
(Ioffe and Szegedy, 2015) and average pooling. The recipe is the usual one of short
schedules: Nesterov momentum with one warm-up and a cosine, smoothed labels, crops of
random place, size and shape, mirrored, small at first and larger later (Tan and Le,
"EfficientNetV2", 2021, section 4).
"""

import math

import numpy as np
import tensorflow as tf

from style_transfer import dataset, features
from style_transfer.config import Training

LAYERS = features.filter_shapes("compact")  # kernel shapes by name

# "<layer>/kernel" [3, 3, in, out] and "<layer>/bias" [out] of each layer, and
# "head/kernel" [N_l, classes], "head/bias" [classes]; float16.
Weights = dict[str, np.ndarray]

EPSILON = 1e-3  # added to variances, as in Keras
MOMENTUM = 0.9
PIXEL_SCALE = 64.0  # about the deviation of pixels


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
        crops = features.preprocess(
            dataset.augment(pictures, side, self.training, step)
        )
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

"""The network of the post: two Inception modules and two dense layers.

Post, "Architecture", "Model"; Szegedy et al. 2015, "Going deeper with convolutions",
Figure 2. Letters of the shapes: B images, H by W pixels, C maps.
"""

import keras
import tensorflow as tf

from inception_mnist.config import Config
from inception_mnist.normalization import EPSILON, MOMENTUM, BatchNormalization

PACKAGE = "inception_mnist"
SIDE = 28
CHOICES = {
    "module": ("reduced", "naive"),
    "normalization": ("none", "batch"),
    "initialization": ("printed", "he"),
}


@keras.saving.register_keras_serializable(PACKAGE)
class InceptionModule(keras.layers.Layer):
    """Convolutions of three sizes and a max pooling, side by side (post, Figure 3).

    A naive module (Figure 4) has no 1x1 convolutions before the large ones and after
    the pooling, so the pooling's branch is as wide as the input.

    Args:
        filters: Maps of each convolution's branch, the post's map1 and map2.
        reduce: Maps of each 1x1 before a large convolution, the post's reduce1x1.
        module: "reduced" or "naive".
        normalization: "batch" normalizes the concatenated maps, instead of biases.
        initialization: See `initializers`.
        options: Those of `keras.layers.Layer`.

    Raises:
        ValueError: There is no such kind.
    """

    def __init__(
        self,
        filters: int,
        reduce: int,
        module: str = "reduced",
        normalization: str = "none",
        initialization: str = "he",
        **options,
    ):
        super().__init__(**options)
        self.filters, self.reduce, self.module = filters, reduce, module
        self.normalization, self.initialization = normalization, initialization
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name}={getattr(self, name)!r}: not one of {choices}"
                )
        kernel, bias, bias_5x5 = initializers(initialization)

        def convolution(name, maps, size, activation=None):
            return keras.layers.Conv2D(
                maps,
                size,
                padding="same",
                activation=activation,
                use_bias=normalization == "none" or activation is not None,
                kernel_initializer=kernel(),
                bias_initializer=bias_5x5() if size == 5 else bias(),
                dtype=self.dtype_policy,
                name=name,
            )

        self.conv_1x1 = convolution("conv_1x1", filters, 1)
        self.conv_3x3 = convolution("conv_3x3", filters, 3)
        self.conv_5x5 = convolution("conv_5x5", filters, 5)
        if module == "reduced":
            self.reduce_3x3 = convolution("reduce_3x3", reduce, 1, "relu")
            self.reduce_5x5 = convolution("reduce_5x5", reduce, 1, "relu")
            self.project = convolution("project", filters, 1)
        if normalization == "batch":
            self.normalize = BatchNormalization(
                momentum=MOMENTUM, epsilon=EPSILON, dtype=self.dtype_policy
            )

    def build(self, shape):
        """Make the weights for inputs [B, H, W, C]."""
        narrow = (*shape[:3], self.reduce) if self.module == "reduced" else shape
        self.conv_1x1.build(shape)
        self.conv_3x3.build(narrow)
        self.conv_5x5.build(narrow)
        if self.module == "reduced":
            for layer in (self.reduce_3x3, self.reduce_5x5, self.project):
                layer.build(shape)
        if self.normalization == "batch":
            self.normalize.build(self.compute_output_shape(shape))

    def branches(self, x: tf.Tensor) -> list[tf.Tensor]:
        """Return the maps of each branch before they are joined, [B, H, W, ...]."""
        pooled = tf.nn.max_pool2d(x, ksize=3, strides=1, padding="SAME")
        if self.module == "naive":
            return [self.conv_1x1(x), self.conv_3x3(x), self.conv_5x5(x), pooled]
        return [
            self.conv_1x1(x),
            self.conv_3x3(self.reduce_3x3(x)),
            self.conv_5x5(self.reduce_5x5(x)),
            self.project(pooled),
        ]

    def call(self, x, training=False):
        """Return the joined maps of the inputs [B, H, W, C], none of them negative.

        Reduced modules return [B, H, W, 4 filters], naive ones 3 filters + C maps.
        """
        maps = tf.concat(self.branches(x), axis=-1)
        if self.normalization == "batch":
            maps = self.normalize(maps, training=training)
        return tf.nn.relu(maps)

    def compute_output_shape(self, shape):
        """Return the shape of `call`'s result."""
        last = self.filters if self.module == "reduced" else shape[-1]
        return (*shape[:3], 3 * self.filters + last)

    def get_config(self):
        """Return the arguments of `__init__`, for Keras's files."""
        return super().get_config() | {
            name: getattr(self, name) for name in ("filters", "reduce", *CHOICES)
        }


@keras.saving.register_keras_serializable(PACKAGE)
class GlobalAveragePooling(keras.layers.Layer):
    """The mean of each map: [B, H, W, C] to [B, C], float32.

    By the average pooling of TensorFlow, twice as fast as Keras's mean.
    """

    def call(self, x):
        """Return the means, float32 [B, C], of [B, H, W, C]."""
        means = tf.nn.avg_pool2d(x, ksize=x.shape[1:3], strides=1, padding="VALID")
        return tf.cast(means[:, 0, 0], tf.float32)

    def compute_output_shape(self, shape):
        """Return the shape of `call`'s result."""
        return (shape[0], shape[-1])


def initializers(name: str):
    """Return functions that make the initializers of kernels, biases and 5x5 biases.

    "printed" is the post's code, in which only the 5x5 convolutions and the dense
    layers have the biases of 0.1 that `createBias` is for.
    """
    if name == "he":
        zeros = keras.initializers.Zeros
        return keras.initializers.HeNormal, zeros, zeros

    def normal():
        return keras.initializers.TruncatedNormal(stddev=0.1)

    return normal, normal, lambda: keras.initializers.Constant(0.1)


def build_model(config: Config) -> keras.Model:
    """Build the network from pixels 0 to 255, [B, 28, 28, 1], to float32 logits [B, K].

    K is `config.classes`. Dropout, between the layers "hidden" and "logits", is the
    trainer's. If `config.precision` is "bfloat16", the modules and the dense head's
    large product are computed in it; so is the kernel of that product, see `adam.Adam`.
    """
    half = config.precision == "bfloat16"
    mixed = "mixed_bfloat16" if half else "float32"
    kernel, _, constant = initializers(config.initialization)

    def module(filters: int, name: str) -> InceptionModule:
        kind = config.module, config.normalization, config.initialization
        return InceptionModule(filters, config.reduce1x1, *kind, dtype=mixed, name=name)

    def dense(units: int, name: str, **options) -> keras.layers.Dense:
        options |= {"kernel_initializer": kernel(), "bias_initializer": constant()}
        return keras.layers.Dense(units, name=name, **options)

    images = keras.Input((SIDE, SIDE, 1), name="images")
    scale = 1.0 if config.pixels == "raw" else 1 / 255
    x = keras.layers.Rescaling(scale, name="pixels")(images)
    x = module(config.map1, "inception1")(x)
    if config.pool > 1:
        x = keras.layers.MaxPooling2D(
            3, config.pool, padding="same", dtype=mixed, name="pool"
        )(x)
    x = module(config.map2, "inception2")(x)
    precision = "float32"
    if config.head == "gap":
        x = GlobalAveragePooling(name="means")(x)
        if config.normalization == "batch":
            x = BatchNormalization(
                momentum=MOMENTUM, epsilon=EPSILON, name="normalize"
            )(x)
    else:
        x = keras.layers.Flatten(dtype=mixed, name="flat")(x)
        precision = "bfloat16" if half else "float32"
    hidden = dense(config.hidden, "hidden", activation="relu", dtype=precision)
    return keras.Model(images, dense(config.classes, "logits")(hidden(x)), name=PACKAGE)

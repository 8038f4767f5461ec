"""The network of the post: two Inception modules and two dense layers.

Post, "Architecture", "Model"; Szegedy et al. 2015, "Going deeper with convolutions",
Figure 2. Letters of the shapes: B images, H by W pixels, C maps.
"""

import keras
import tensorflow as tf

from inception_mnist.config import Config

PACKAGE = "inception_mnist"
SIDE, CLASSES = 28, 10
EPSILON, MOMENTUM = 1e-3, 0.9  # of the batch normalization; short runs need it short


@keras.saving.register_keras_serializable(PACKAGE)
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, by TensorFlow's fused operation while training: twice as fast.

    Several replicas normalize with the mean and variance of their batches together.
    """

    def call(self, inputs, training=False):
        """Args: inputs, [B, ..., C]. Returns: the same, normalized for each map."""
        scale, offset = self.gamma.value, self.beta.value
        if not training:
            scale = scale * tf.math.rsqrt(self.moving_variance + self.epsilon)
            offset = offset - self.moving_mean * scale
            return inputs * tf.cast(scale, inputs.dtype) + tf.cast(offset, inputs.dtype)
        maps = inputs if len(inputs.shape) == 4 else inputs[:, None, None]
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            outputs, mean, variance = self._of_all_replicas(maps, scale, offset)
        else:
            outputs, mean, variance = self._fused(maps, scale, offset)
        for moving, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moving.assign(batch + self.momentum * (moving - batch))
        return tf.reshape(outputs, tf.shape(inputs))

    def _fused(self, maps, scale, offset, mean=None, variance=None):
        """Normalized by moments that are given, else by the batch's, and these."""
        training = mean is None
        return tf.compat.v1.nn.fused_batch_norm(
            maps, scale, offset, mean, variance, self.epsilon, is_training=training
        )

    def _of_all_replicas(self, maps, scale, offset):
        """What `_fused` returns, by the moments of all batches: one exchange each way.

        Ioffe and Szegedy 2015, "Batch normalization", section 3, the last equations,
        whose sums go over all replicas. The variance is E[v + d^2] - E[d]^2, d from a
        point that all know and that is near: otherwise it would lose its digits.
        """
        context = tf.distribute.get_replica_context()
        near = tf.identity(self.moving_mean.value)
        size = tf.cast(tf.size(maps) // maps.shape[-1], tf.float32)
        total = size * context.num_replicas_in_sync

        def mean_of(values):
            return context.all_reduce(tf.distribute.ReduceOp.MEAN, values)

        @tf.custom_gradient
        def normalize(maps, scale, offset):
            ones = tf.ones_like(scale)
            _, mean, variance = self._fused(maps, ones, 0 * ones)
            mean, variance = mean - near, variance * (size - 1) / size
            mean, square = mean_of([mean, variance + mean**2])
            variance = square - mean**2
            mean += near
            outputs, *_ = self._fused(maps, scale, offset, mean, variance)

            def gradient(upstream, *_):
                direct, to_scale, to_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
                    y_backprop=upstream,
                    x=maps,
                    scale=scale,
                    reserve_space_1=mean,
                    reserve_space_2=variance,
                    reserve_space_3=tf.zeros([0]),
                    epsilon=self.epsilon,
                    is_training=False,
                )
                slope, shift = mean_of([to_scale / size, to_offset / size])
                inverse = tf.math.rsqrt(variance + self.epsilon)
                slope *= inverse
                shift = scale * inverse * (shift - mean * slope)
                slope = tf.cast(scale * inverse * slope, maps.dtype)
                through = maps * slope + tf.cast(shift, maps.dtype)
                return direct - through, to_scale, to_offset

            return (outputs, mean, variance * total / (total - 1)), gradient

        return normalize(maps, tf.identity(scale), tf.identity(offset))


@keras.saving.register_keras_serializable(PACKAGE)
class InceptionModule(keras.layers.Layer):
    """Convolutions of three sizes and a max pooling, side by side (post, Figure 3).

    `naive` (Figure 4) has no 1x1 convolutions before the large ones and after the
    pooling, so the pooling's branch is as wide as the input.
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
        """Args:
        filters: maps of each convolution's branch, the post's map1 and map2.
        reduce: maps of each 1x1 before a large convolution, the post's reduce1x1.
        module: "reduced" or "naive".
        normalization: "batch" normalizes the concatenated maps, instead of biases.
        initialization: see `initializers`.
        options: of `keras.layers.Layer`.
        """
        super().__init__(**options)
        self.filters, self.reduce, self.module = filters, reduce, module
        self.normalization, self.initialization = normalization, initialization
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
        """The maps of each branch, before they are joined: [B, H, W, ...] each."""
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
        """Args: x, [B, H, W, C]. Returns: [B, H, W, 4 filters], not negative.

        Naive modules return 3 filters + C maps.
        """
        maps = tf.concat(self.branches(x), axis=-1)
        if self.normalization == "batch":
            maps = self.normalize(maps, training=training)
        return tf.nn.relu(maps)

    def compute_output_shape(self, shape):
        """The shape of `call`'s result."""
        last = self.filters if self.module == "reduced" else shape[-1]
        return (*shape[:3], 3 * self.filters + last)

    def get_config(self):
        """The arguments of `__init__`, for Keras's files."""
        names = ("filters", "reduce", "module", "normalization", "initialization")
        return super().get_config() | {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable(PACKAGE)
class GlobalAveragePooling(keras.layers.Layer):
    """The mean of each map: [B, H, W, C] to [B, C], float32.

    By the average pooling of TensorFlow, twice as fast as Keras's mean.
    """

    def call(self, x):
        """Args: x, [B, H, W, C]. Returns: float32 [B, C]."""
        means = tf.nn.avg_pool2d(x, ksize=x.shape[1:3], strides=1, padding="VALID")
        return tf.cast(means[:, 0, 0], tf.float32)

    def compute_output_shape(self, shape):
        """The shape of `call`'s result."""
        return (shape[0], shape[-1])


def initializers(name: str):
    """Functions that make the initializers of kernels, of biases, of 5x5 biases.

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
    """The network: pixels 0 to 255, [B, 28, 28, 1], to logits [B, 10] in float32.

    Dropout, between the layers "hidden" and "logits", is the trainer's.

    With `config.precision` "bfloat16", the modules and the dense head's large product
    are computed in it; the kernel of that product is bfloat16 too, see `adam.Adam`.
    """
    half = config.precision == "bfloat16"
    mixed = "mixed_bfloat16" if half else "float32"
    kernel, _, constant = initializers(config.initialization)

    def module(filters: int, name: str) -> InceptionModule:
        return InceptionModule(
            filters,
            config.reduce1x1,
            config.module,
            config.normalization,
            config.initialization,
            dtype=mixed,
            name=name,
        )

    def dense(units: int, name: str, **options) -> keras.layers.Dense:
        return keras.layers.Dense(
            units,
            kernel_initializer=kernel(),
            bias_initializer=constant(),
            name=name,
            **options,
        )

    images = keras.Input((SIDE, SIDE, 1), name="images")
    scale = 1.0 if config.pixels == "raw" else 1 / 255
    x = keras.layers.Rescaling(scale, name="pixels")(images)
    x = module(config.map1, "inception1")(x)
    if config.pool > 1:
        x = keras.layers.MaxPooling2D(
            3, config.pool, padding="same", dtype=mixed, name="pool"
        )(x)
    x = module(config.map2, "inception2")(x)
    if config.head == "gap":
        x = GlobalAveragePooling(name="means")(x)
        if config.normalization == "batch":
            x = BatchNormalization(
                momentum=MOMENTUM, epsilon=EPSILON, name="normalize"
            )(x)
        hidden = dense(config.hidden, "hidden", activation="relu")
    else:
        x = keras.layers.Flatten(dtype=mixed, name="flat")(x)
        large = "bfloat16" if half else "float32"
        hidden = dense(config.hidden, "hidden", activation="relu", dtype=large)
    return keras.Model(images, dense(CLASSES, "logits")(hidden(x)), name=PACKAGE)

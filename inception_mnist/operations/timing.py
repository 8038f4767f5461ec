"""How long the counted multiplications take: the model's two modules, timed."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from inception_mnist.model import InceptionModule
from inception_mnist.operations import counts


def training_step(
    module: str, batch_size: int, map1: int, map2: int, reduce1x1: int, pool: int
) -> Callable[[], tf.Tensor]:
    """Return a compiled forward and backward pass of the modules, in float32.

    It reads random pictures, [batch_size, 28, 28, 1]; the widths are those of
    `counts.model_layers`. Its result needs every gradient, so that none is optimized
    away.
    """
    shape = [batch_size, counts.SIZE, counts.SIZE, counts.PICTURE_CHANNELS]
    pictures = tf.random.stateless_uniform(shape, seed=[0, 0])
    first, second = (InceptionModule(m, reduce1x1, module) for m in (map1, map2))

    def maps(x: tf.Tensor) -> tf.Tensor:
        x = first(x)
        if pool > 1:
            x = tf.nn.max_pool2d(x, ksize=3, strides=pool, padding="SAME")
        return second(x)

    maps(pictures[:1])  # makes the weights
    weights = first.trainable_variables + second.trainable_variables

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(maps(pictures)))
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        return loss + tf.add_n([tf.reduce_sum(each) for each in gradients])

    return step


def measure(
    settings: dict[str, Any],
    batch_size: int,
    repeats: int,
    advance: Callable[[int], object],
) -> dict[str, dict[str, float]]:
    """Time both kinds of the model's modules.

    Args:
        settings: The arguments of `counts.model_layers`.
        batch_size: Pictures in a pass.
        repeats: Passes of each kind that count, after one that does not.
        advance: Told after each pass how many are done.

    Returns:
        By kind, the median "seconds" of a pass, its "multiplications", and "gflops",
        the 10^9 multiplications and additions a second.

    Raises:
        ValueError: A batch does not fit into memory.
    """
    widths = {name: settings[name] for name in ("map1", "map2", "reduce1x1", "pool")}
    found, passes = {}, 0
    for module in counts.MODULES:
        layers = counts.model_layers(**settings | {"module": module})
        count = counts.training_multiplications(x for x in layers if x.module)
        times = []
        try:
            step = training_step(module, batch_size, **widths)
            for _ in range(repeats + 1):
                began = time.perf_counter()
                step().numpy()
                times.append(time.perf_counter() - began)
                passes += 1
                advance(passes)
        except tf.errors.ResourceExhaustedError:
            raise ValueError(
                f"--batch_size={batch_size}: a batch of such {module} modules does not "
                "fit into memory"
            ) from None
        seconds = statistics.median(times[1:])
        found[module] = {
            "seconds": seconds,
            "multiplications": batch_size * count,
            "gflops": 2 * batch_size * count / seconds / 1e9,
        }
    return found

"""How long the counted multiplications take: the model's two modules, timed."""

import statistics
import time
from collections.abc import Callable

import tensorflow as tf

from inception_mnist import arithmetic
from inception_mnist.arithmetic import MODULES
from inception_mnist.model import InceptionModule


def training_step(
    module: str, batch_size: int, map1: int, map2: int, reduce1x1: int, pool: int
) -> Callable[[], tf.Tensor]:
    """A forward and a backward pass of the modules in float32, once traced.

    Args:
        module: reduced or naive.
        batch_size: random pictures, [batch_size, 28, 28, 1].
        map1, map2, reduce1x1, pool: as in `arithmetic.model_layers`.

    Returns:
        A function that returns a number which needs every gradient, so that none is
        optimized away.
    """
    side = arithmetic.SIZE
    pictures = tf.random.stateless_uniform(
        [batch_size, side, side, arithmetic.PICTURE_CHANNELS], seed=[0, 0]
    )
    first, second = (
        InceptionModule(filters=maps, reduce=reduce1x1, module=module)
        for maps in (map1, map2)
    )

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


def median_seconds(
    step: Callable[[], tf.Tensor], repeats: int, advance: Callable[[], object]
) -> float:
    """The median time of a call, after one that is not counted.

    Args:
        step: what to time.
        repeats: calls that count.
        advance: called after each call.
    """
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        step().numpy()
        times.append(time.perf_counter() - began)
        advance()
    return statistics.median(times[1:])


def measure(
    settings: dict[str, int | str],
    batch_size: int,
    repeats: int,
    advance: Callable[[], object],
) -> dict[str, dict[str, float]]:
    """Time both kinds of the model's modules.

    Args:
        settings: the arguments of `arithmetic.model_layers`.
        batch_size: pictures a pass.
        repeats: passes of each kind that count, after one that does not.
        advance: called after each pass.

    Returns:
        By kind: the median "seconds" of a pass, its "multiplications", and "gflops",
        the 10^9 multiplications and additions a second.

    Raises:
        ValueError: a batch does not fit the memory.
    """
    widths = {name: settings[name] for name in ("map1", "map2", "reduce1x1", "pool")}
    found = {}
    for module in MODULES:
        layers = arithmetic.model_layers(**settings | {"module": module})
        count = arithmetic.training_multiplications(x for x in layers if x.module)
        try:
            step = training_step(module, batch_size, **widths)
            seconds = median_seconds(step, repeats, advance)
        except tf.errors.ResourceExhaustedError:
            raise ValueError(
                f"--batch_size={batch_size}: a batch of such {module} modules does not "
                "fit the memory"
            ) from None
        found[module] = {
            "seconds": seconds,
            "multiplications": batch_size * count,
            "gflops": 2 * batch_size * count / seconds / 1e9,
        }
    return found

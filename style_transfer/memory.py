"""How much memory a run will take, and whether it fits: whole, in tiles, or not."""

import math

import psutil

from style_transfer import vgg
from style_transfer.config import SMALLEST_SIDE, Config
from style_transfer.objective import needed_layers
from style_transfer.optimize import MEMORY

GIB = 2.0**30
BASE = 0.8 * GIB  # TensorFlow itself, before the first picture
COPIES = 32  # bytes a filter's value: as read, as convolved, and as oneDNN arranges it
# Bytes a value of the feature maps: itself and its gradient in the precision of the
# convolutions, and what is alive beside them; measured.
BYTES = {"bfloat16": 5.0, "float32": 9.0}
TILES = (1024, 768, 512, 256)  # sides to try, pixels
SHARE = 0.9  # of what is free, that a run may use


def estimate(
    config: Config,
    network: str,
    precision: str,
    height: int,
    width: int,
    side: int | None = None,
) -> float:
    """Returns the bytes that a run needs at its peak.

    Args:
        config: Mode, layers, pooling and optimizer.
        network: One of `vgg.CONVOLUTIONS`.
        precision: "bfloat16" or "float32".
        height: The largest picture's height in pixels.
        width: Its width.
        side: The side of a tile in pixels; None means whole.
    """
    names = needed_layers(config)
    arrays = 2 * MEMORY + 10 if config.optimizer == "lbfgs" else 10
    kept = BASE + height * width * 3 * 4 * arrays
    if not names:  # mode "pixels"
        return kept
    seen: float = height * width
    if side:
        margin = vgg.reach(names, network, config.pooling) + vgg.ALIGNMENT
        rows, columns = (min(e, 1.5 * side + 2 * margin) for e in (height, width))
        seen = rows * columns
    shapes = vgg.filter_shapes(network)
    # Values of each layer's maps for each pixel of the picture.
    values = {
        name: shape[-1] / vgg.stride(name, config.pooling) ** 2
        for name, shape in shapes.items()
    }
    maps = sum(count for name, count in values.items() if name <= max(names))
    exact = sum(values.get(name, 0) for name in names)
    targets = sum(values.get(name, 0) for name in {*config.content_layers} & {*names})
    work = seen * (maps * BYTES[precision] + 8 * exact) + height * width * 4 * targets
    return kept + COPIES * sum(map(math.prod, shapes.values())) + work


def available() -> float:
    """Returns the bytes that this process may still take.

    The machine, the process's control group and its own limit (`ulimit -v`) count.
    """
    free = float(psutil.virtual_memory().available)
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            most = float(file.read())
        with open("/sys/fs/cgroup/memory.current", encoding="ascii") as file:
            free = min(free, most - float(file.read()))
    except (OSError, ValueError):
        pass  # no control group, or "max"
    return min(free, _address_space())


def _address_space() -> float:
    """What the process's own limit leaves; infinite without a limit."""
    try:
        import resource
    except ImportError:  # Windows has none.
        return math.inf
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY:
        return math.inf
    return most - psutil.Process().memory_info().vms


def limit(asked: float | None) -> float:
    """Returns the bytes that a run may use.

    Args:
        asked: What the user allows; None means most of what is free.
    """
    return SHARE * min(
        available() if asked is None else asked / SHARE, _address_space()
    )


def plan(
    config: Config, network: str, precision: str, height: int, width: int, limit: float
) -> int | None:
    """Returns the side of the tiles to work in; None means the picture whole.

    Args:
        config: Mode, layers, pooling and optimizer.
        network: One of `vgg.CONVOLUTIONS`.
        precision: "bfloat16" or "float32".
        height: The largest picture's height in pixels.
        width: Its width.
        limit: Bytes that may be used.

    Raises:
        ValueError: Not even the smallest tiles fit; it names the largest size that
            does.
    """
    for side in (None, *TILES):
        if estimate(config, network, precision, height, width, side) <= limit:
            return side
    size = max(height, width)
    ratio = min(height, width) / size
    smaller = size

    def needed(longest: float) -> float:
        shape = round(longest * ratio), round(longest)
        return estimate(config, network, precision, *shape, TILES[-1])

    while smaller > SMALLEST_SIDE and needed(smaller) > limit:
        smaller -= 16
    raise ValueError(
        f"--size={size} needs about {needed(size) / GIB:.1f} GiB of memory even in "
        f"tiles, and {limit / GIB:.1f} are free: --size={smaller} would fit"
    )

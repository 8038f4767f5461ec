"""How much memory a run will take, and whether it fits: whole, in tiles, or not."""

import math
import os

from style_transfer import features
from style_transfer.config import Config
from style_transfer.features import ALIGNMENT, CHANNELS
from style_transfer.optimize import MEMORY
from style_transfer.terms import layers

GIB = 2.0**30
BASE = 0.8 * GIB  # TensorFlow itself, before the first picture
COPIES = 32  # bytes a filter's value: as read, as convolved, and as oneDNN arranges it
# Bytes a value of the feature maps: itself and its gradient in the precision of the
# convolutions, and what is alive beside them; measured, see the README.
BYTES = {"bfloat16": 5.0, "float32": 9.0}
TILES = (1024, 768, 512, 256)  # sides to try, pixels


def values_a_pixel(network: str, deepest: str) -> float:
    """Values of all feature maps through `deepest`, for each pixel of the image."""
    total = 0.0
    for name, maps in CHANNELS[network].items():
        total += maps / features.stride(name) ** 2
        if name == deepest:
            break
    return total


def estimate(
    config: Config,
    network: str,
    precision: str,
    height: int,
    width: int,
    side: int | None = None,
) -> float:
    """Bytes that a run needs at its peak.

    Args:
        config: mode, layers and optimizer.
        network: "vgg19" or "compact".
        precision: "bfloat16" or "float32".
        height: of the largest picture, pixels.
        width: of the same.
        side: of a tile, pixels; None: whole.
    """
    names = layers(config)
    pixels = height * width
    arrays = 2 * MEMORY + 10 if config.optimizer == "lbfgs" else 10
    kept = pixels * 3 * 4 * arrays
    if not names:  # mode "pixels"
        return BASE + kept
    seen = pixels
    if side:
        margin = features.reach(names, network) + ALIGNMENT
        outer = [min(edge, 1.5 * side + 2 * margin) for edge in (height, width)]
        seen = outer[0] * outer[1]
    filters = sum(map(math.prod, features.filter_shapes(network).values()))
    maps = values_a_pixel(network, max(names))
    targets = 4 * sum(
        CHANNELS[network][name] / features.stride(name) ** 2
        for name in config.content_layers
        if name in names
    )
    floats = 8 * sum(
        CHANNELS[network][name] / features.stride(name) ** 2 for name in names
    )
    work = seen * (maps * BYTES[precision] + floats)
    return BASE + COPIES * filters + kept + pixels * targets + work


def available() -> float:
    """Bytes that this process may still take, by the machine and its control group."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":") for line in file)
        free = 1024.0 * int(fields["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        pass  # not Linux: pages that are free at the moment
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            limit = float(file.read())
        with open("/sys/fs/cgroup/memory.current", encoding="ascii") as file:
            free = min(free, limit - float(file.read()))
    except (OSError, ValueError):
        pass  # no control group, or "max"
    return free


def plan(
    config: Config, network: str, precision: str, height: int, width: int, limit: float
) -> int | None:
    """The side of the tiles to work in; None: the picture whole.

    Args:
        config: mode, layers and optimizer.
        network: "vgg19" or "compact".
        precision: "bfloat16" or "float32".
        height: of the largest picture, pixels.
        width: of the same.
        limit: bytes that may be used.

    Raises:
        ValueError: not even the smallest tiles fit; names the largest size that does.
    """
    sides = (None, *TILES)
    for side in sides:
        if estimate(config, network, precision, height, width, side) <= limit:
            return side
    ratio = min(height, width) / max(height, width)
    size = max(height, width)
    while size > 32:
        size -= 16
        needed = estimate(config, network, precision, size * ratio, size, TILES[-1])
        if needed <= limit:
            break
    needed = estimate(config, network, precision, height, width, TILES[-1]) / GIB
    raise ValueError(
        f"--size={max(height, width)} needs about {needed:.1f} GiB of memory even in "
        f"tiles, and {limit / GIB:.1f} are free: --size={size} would fit"
    )

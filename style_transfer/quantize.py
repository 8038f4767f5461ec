"""Write VGG's filters through conv5_1 in 8 bits: the file that the package ships.

python -m style_transfer.quantize vgg16_notop.weights.h5

Each output channel has one scale, the one of least squared error, and whole numbers
from -127 to 127. The biases then take up what rounding changed on average, measured on
two photographs (Nagel et al., "Data-Free Quantization Through Weight Equalization and
Bias Correction", 2019, section 4.2). The same filters give the same bytes.
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence

import numpy as np

LEVELS = 127
# Scales to try, as shares of the one at which no value is cut off.
SHARES = tuple(share / 100 for share in range(60, 101, 2))


def quantized_kernel(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds a kernel to whole multiples of one scale for each output channel.

    Args:
        kernel: [3, 3, in, out].

    Returns:
        The multiples, int8 of the kernel's shape, and the scales, float32 [out].
    """
    exact = np.float64(kernel).reshape(-1, kernel.shape[-1])
    largest = np.maximum(np.abs(exact).max(axis=0), 1e-12) / LEVELS
    best = np.full(largest.shape, np.inf)
    scales = largest.copy()
    for share in SHARES:
        scale = np.float64(np.float32(share * largest))
        found = np.clip(np.round(exact / scale), -LEVELS, LEVELS) * scale
        error = np.square(found - exact).sum(axis=0)
        scales = np.where(error < best, scale, scales)
        best = np.minimum(error, best)
    whole = np.clip(np.round(exact / scales), -LEVELS, LEVELS)
    return np.int8(whole).reshape(kernel.shape), np.float32(scales)


def quantized(
    filters: Mapping[str, tuple[np.ndarray, np.ndarray]],
    pictures: Sequence[np.ndarray],
) -> dict[str, np.ndarray]:
    """Quantises filters layer by layer, and corrects the means of the responses.

    Args:
        filters: Kernel [3, 3, in, out] and bias [out] of each layer.
        pictures: Preprocessed pictures [height, width, 3] on which to measure means.

    Returns:
        int8 "<layer>/kernel", float32 "<layer>/scale" and "<layer>/bias".
    """
    arrays = {}
    exact = rounded = list(pictures)
    for name, (kernel, bias) in filters.items():
        if name.endswith("_1") and name != "conv1_1":
            exact, rounded = ([_halved(x) for x in maps] for maps in (exact, rounded))
        whole, scale = quantized_kernel(kernel)
        exact = [_convolved(x, kernel) + bias for x in exact]
        rounded = [_convolved(x, whole * np.float64(scale)) for x in rounded]
        means = [
            np.mean([x.mean(axis=(0, 1)) for x in maps], axis=0)
            for maps in (exact, rounded)
        ]
        corrected = np.float32(means[0] - means[1])
        exact = [np.maximum(x, 0) for x in exact]
        rounded = [np.maximum(x + corrected, 0) for x in rounded]
        arrays[f"{name}/kernel"], arrays[f"{name}/scale"] = whole, scale
        arrays[f"{name}/bias"] = corrected
    return arrays


def _convolved(maps: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A 3x3 convolution of [height, width, in] without padding, in float64.

    In NumPy's float64, so that the sums round to the same float32 on any machine.
    """
    height, width = (side - 2 for side in maps.shape[:2])
    kernel = np.float64(kernel)
    total = np.zeros((height, width, kernel.shape[-1]))
    for row in range(3):
        for column in range(3):
            part = maps[row : row + height, column : column + width]
            total += part @ kernel[row, column]
    return total


def _halved(maps: np.ndarray) -> np.ndarray:
    """Averages of 2x2 positions of [height, width, N_l]."""
    height, width = (side // 2 * 2 for side in maps.shape[:2])
    maps = maps[:height, :width]
    return (maps[::2, ::2] + maps[1::2, ::2] + maps[::2, 1::2] + maps[1::2, 1::2]) / 4


def calibration_pictures(mean: Sequence[float]) -> list[np.ndarray]:
    """Returns scikit-learn's photographs at half their size, BGR less `mean`."""
    from sklearn.datasets import load_sample_images

    images = load_sample_images().images
    return [_halved(np.float64(image))[..., ::-1] - mean for image in images]


def main(argv: list[str]) -> None:
    """Reads the Keras file, writes the quantised one, and says how large it is."""
    if len(argv) != 2:
        raise ValueError("name one Keras file of VGG-16 or VGG-19: see --helpshort")
    from absl import flags

    from runkit import files, start

    start.tensorflow()
    from style_transfer import vgg, weights

    network, filters = weights.read(argv[1])
    arrays: dict = quantized(filters, calibration_pictures(vgg.BGR_MEAN))
    facts = {"network": network, "layers": list(filters)}
    header = np.array(json.dumps(facts | dataclasses.asdict(weights.FORMAT)))
    path = flags.FLAGS.output or os.path.join(
        os.path.dirname(weights.SHIPPED), f"{network}.npz"
    )
    files.write_whole(
        path, lambda file: np.savez_compressed(file, header=header, **arrays)
    )
    print(f"{path}: {network}, {os.path.getsize(path) / 1e6:.2f} MB")


def command() -> None:
    """Runs the command."""
    from absl import flags

    flags.DEFINE_string("output", None, "File; the default is the package's own.")
    cli.run(main, "style_transfer.quantize", ("output",), arguments=True)


if __name__ == "__main__":
    command()

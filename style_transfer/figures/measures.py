"""Numbers for what layers keep: pixels of the content, and the scale of the style."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from style_transfer import colors, losses
from style_transfer.vgg import Network

SHORTEST = 2**0.5  # wavelength of the finest pattern of pixels, along a diagonal
AMPLITUDE = 8.0  # of the noise, in intensities
DRAWS = 3  # of it in each octave


def rms_difference(image: np.ndarray, original: np.ndarray) -> float:
    """Returns the root of the mean over ijk of (x_ijk - y_ijk)^2, in intensities.

    Args:
        image: [height, width, 3].
        original: of the same shape.
    """
    return float(np.sqrt(np.mean(np.square(np.float64(image) - original))))


def wavelength(image: np.ndarray) -> float:
    """Returns the typical wavelength of the brightness in pixels; fine texture has few.

    The geometric mean over the power spectrum, exp(sum P ln(1/f) / sum P) with f in
    cycles a pixel, because it is the same whether lengths or frequencies are averaged.
    The mean is taken off and a Hann window laid on, as the borders would else count as
    edges.

    Args:
        image: [height, width, 3].

    Returns:
        About 2.9 for white noise; 0 for a picture of one colour.
    """
    brightness = np.float64(colors.luminance(image)[..., 0])
    height, width = brightness.shape
    window = np.hanning(height + 2)[1:-1, np.newaxis] * np.hanning(width + 2)[1:-1]
    brightness -= np.average(brightness, weights=window)
    power = np.abs(np.fft.fft2(brightness * window)) ** 2
    frequency = _frequencies(height, width)
    power[0, 0], frequency[0, 0] = 0.0, 1.0
    if power.sum() < 1e-12 * power.size:
        return 0.0
    return float(np.exp(-np.average(np.log(frequency), weights=power)))


def _frequencies(height: int, width: int) -> np.ndarray:
    """Cycles a pixel of the places of a 2D Fourier transform, [height, width]."""
    rows, columns = np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)
    return np.hypot(rows, columns)


def band_noise(
    height: int, width: int, shortest: float, random: np.random.Generator
) -> np.ndarray:
    """Draws noise [height, width] of deviation 1 with wavelengths in one octave.

    Args:
        height: pixels.
        width: pixels.
        shortest: wavelength, pixels; the longest is twice that.
        random: source of the draws.
    """
    spectrum = np.fft.fft2(random.normal(size=(height, width)))
    cycles = shortest * _frequencies(height, width)
    noise = np.fft.ifft2(spectrum * ((cycles > 0.5) & (cycles <= 1))).real
    return noise / noise.std()


def gram_wavelengths(
    network: Network, picture: np.ndarray, layers: Sequence[str], seed: int
) -> dict[str, float]:
    """Returns the wavelength that the Gram matrix of each layer is sensitive at.

    Grey noise of one octave after the other is laid on the picture. How much the Gram
    matrix changes with it, relative to its norm, weighs the octave; the result is the
    geometric mean of the octaves' middles.

    Args:
        network: the feature maps.
        picture: [height, width, 3] in [0, 255].
        layers: their names.
        seed: of the noise.
    """

    def grams(image: np.ndarray) -> dict[str, np.ndarray]:
        maps = network.features(tf.constant(image, tf.float32), layers)
        return {layer: losses.gram_matrix(maps[layer]).numpy() for layer in layers}

    height, width = picture.shape[:2]
    octaves = int(np.log2(min(height, width) / SHORTEST))
    random, clean = np.random.default_rng(seed), grams(picture)
    changes = {layer: np.zeros(octaves) for layer in layers}
    for octave in range(octaves):
        for _ in range(DRAWS):
            noise = band_noise(height, width, SHORTEST * 2**octave, random)
            found = grams(picture + AMPLITUDE * noise[..., np.newaxis])
            for layer in layers:
                change = np.linalg.norm(found[layer] - clean[layer])
                changes[layer][octave] += change / np.linalg.norm(clean[layer])
    return {
        layer: float(SHORTEST * 2 ** (0.5 + np.average(np.arange(octaves), weights=x)))
        for layer, x in changes.items()
    }

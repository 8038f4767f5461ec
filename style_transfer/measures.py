"""Numbers for what a reconstruction kept: its pixels, and the scale of its texture."""

import numpy as np

from style_transfer import colors


def rms_difference(image: np.ndarray, original: np.ndarray) -> float:
    """Root of the mean over ijk of (x_ijk - y_ijk)^2, in intensities of 0 to 255.

    Args:
        image: [height, width, 3].
        original: of the same shape.
    """
    return float(np.sqrt(np.mean(np.square(np.float64(image) - original))))


def wavelength(image: np.ndarray) -> float:
    """Typical wavelength of the brightness, in pixels: of fine texture it is short.

    The geometric mean over the power spectrum, exp(sum P ln(1/f) / sum P) with f in
    cycles a pixel, because it is the same whether lengths or frequencies are averaged.
    The mean is taken off and a Hann window laid on, as the borders would else count as
    edges.

    Args:
        image: [height, width, 3].

    Returns:
        About 2.6 for white noise; 0 for a picture of one colour.
    """
    brightness = np.float64(colors.luminance(image)[..., 0])
    height, width = brightness.shape
    window = np.hanning(height + 2)[1:-1, np.newaxis] * np.hanning(width + 2)[1:-1]
    brightness -= np.average(brightness, weights=window)
    power = np.abs(np.fft.fft2(brightness * window)) ** 2
    rows, columns = np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)
    frequency = np.hypot(rows, columns)
    power[0, 0], frequency[0, 0] = 0.0, 1.0
    if power.sum() < 1e-12 * power.size:
        return 0.0
    return float(np.exp(-np.average(np.log(frequency), weights=power)))

"""Differences and wavelengths of pictures whose answers are known."""

import numpy as np
import pytest

from style_transfer.figures import measures
from style_transfer.vgg import Network


def waves(length):
    """A grey picture of waves of that length in pixels, [96, 128, 3]."""
    x = np.arange(128)
    row = 127.5 + 100 * np.sin(2 * np.pi * x / length)
    return np.float32(np.broadcast_to(row[:, np.newaxis], (96, 128, 3)))


def test_the_difference_is_the_root_of_the_mean_square():
    image = np.zeros((2, 2, 3), np.float32)
    other = image.copy()
    other[0, 0] = 10.0
    assert measures.rms_difference(image, other) == pytest.approx(5.0)
    assert measures.rms_difference(image, image) == 0


@pytest.mark.parametrize("length", [4, 8, 16])
def test_the_wavelength_of_waves(length):
    assert measures.wavelength(waves(length)) == pytest.approx(length, rel=0.05)


def test_the_wavelength_of_noise_and_of_nothing():
    noise = np.random.default_rng(0).normal(127, 30, (128, 128, 1)).repeat(3, axis=-1)
    middles = (np.arange(1000) + 0.5) / 2000  # of frequencies up to 1/2
    expected = np.exp(-np.log(np.hypot(middles[:, np.newaxis], middles)).mean())
    assert measures.wavelength(noise) == pytest.approx(expected, rel=0.03)
    assert measures.wavelength(np.full((64, 64, 3), 90.0)) == 0


def test_noise_of_an_octave_has_its_wavelengths_alone():
    noise = measures.band_noise(96, 128, 8.0, np.random.default_rng(0))
    assert noise.std() == pytest.approx(1)
    rows, columns = np.fft.fftfreq(96)[:, np.newaxis], np.fft.fftfreq(128)
    present = np.hypot(rows, columns)[np.abs(np.fft.fft2(noise)) > 1e-6]
    assert present.min() > 1 / 16 and present.max() <= 1 / 8


def test_a_layer_that_averages_is_sensitive_at_longer_waves():
    """A network of one 1x1 map a block, so that a block only averages."""
    kernel = np.zeros((3, 3, 3, 1), np.float32)
    kernel[1, 1] = 1 / 3
    same = np.zeros((3, 3, 1, 1), np.float32)
    same[1, 1] = 1
    bias = np.full(1, 200, np.float32)
    names = [f"conv{block}_1" for block in range(1, 5)]
    filters = {name: (same, 0 * bias) for name in names}
    filters["conv1_1"] = kernel, bias
    picture = np.random.default_rng(0).uniform(0, 255, (128, 128, 3))
    found = measures.gram_wavelengths(Network("", filters, ""), picture, names, 0)
    values = [found[name] for name in names]
    assert values == sorted(values) and values[-1] > 1.5 * values[0]

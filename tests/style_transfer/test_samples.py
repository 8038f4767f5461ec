"""The embedded pictures: one is a photograph, and one a night."""

import numpy as np

from style_transfer import images, samples


def test_photograph_is_a_photograph():
    image = images.load_image(samples.PHOTOGRAPH)
    assert image.shape == (427, 640, 3)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10_000


def test_painting_is_a_night_with_lights():
    image = images.load_image(samples.PAINTING, 400)
    sky, sea = image[:100], image[260:]
    assert sky[..., 2].mean() > sky[..., 0].mean()  # blue
    assert sea[..., 2].mean() > sea[..., 0].mean()
    moon = image[50:70, 310:330].mean(axis=(0, 1))
    assert moon.min() > 150 and moon.min() > sky.mean()

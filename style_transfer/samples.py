"""Two pictures for a first run without any file: a photograph and a painting.

The photograph is scikit-learn's `china.jpg` (by danielbuechele on Flickr, CC
BY 2.0). The painting is
`data/painting.jpg`, a night over hills and water in the manner of the sky that the
post uses; a program painted it for this package, in brush strokes that follow a flow
field (after Hertzmann, "Painterly Rendering with Curved Brush Strokes of Multiple
Sizes", 1998).
"""

import os

import numpy as np
from sklearn.datasets import load_sample_image

from style_transfer import images

PAINTING = os.path.join(os.path.dirname(__file__), "data", "painting.jpg")


def photograph(size: int = 0) -> np.ndarray:
    """Returns scikit-learn's photograph of a temple.

    Args:
        size: Pixels of the longest side; 0 keeps the size, 640.

    Returns:
        float32 [height, width, 3], RGB in [0, 255].
    """
    image = np.float32(load_sample_image("china.jpg"))
    factor = size / max(image.shape) if size else 1
    height, width = (round(side * factor) for side in image.shape[:2])
    return images.resize(image, height, width)


def painting(size: int = 0) -> np.ndarray:
    """Returns the painting of a night, like `photograph`; its own size is 768."""
    return images.load_image(PAINTING, size)

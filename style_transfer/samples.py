"""Two pictures for a first run without any file: a photograph and a painting.

The photograph is scikit-learn's `china.jpg` (by danielbuechele on Flickr, CC BY 2.0).
The painting is `data/painting.jpg`, a night over hills and water in the manner of the
sky that the post uses; a program painted it for this package, in brush strokes that
follow a flow field (after Hertzmann, "Painterly Rendering with Curved Brush Strokes of
Multiple Sizes", 1998).
"""

import importlib.util
import os

_SKLEARN = importlib.util.find_spec("sklearn")
PHOTOGRAPH = os.path.join(
    os.path.dirname((_SKLEARN and _SKLEARN.origin) or ""), "datasets/images/china.jpg"
)
PAINTING = os.path.join(os.path.dirname(__file__), "data", "painting.jpg")

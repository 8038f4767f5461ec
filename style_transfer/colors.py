"""Keeping the content's colours.

Gatys et al., "Preserving Color in Neural Artistic Style Transfer" (2016): section 3
matches the style's colours to the content's before the transfer, section 4 transfers
brightness alone and takes colour from the content.
"""

import numpy as np

# RGB to YIQ (NTSC): brightness, and two axes of colour.
YIQ = np.array(
    [
        [0.299, 0.587, 0.114],
        [0.596, -0.274, -0.322],
        [0.211, -0.523, 0.312],
    ],
    np.float32,
)


def match(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """`style` with the mean and covariance of the content's colours (section 3).

    Args:
        style: [height, width, 3], RGB in [0, 255].
        content: the same, of any size.

    Returns:
        float32 of the style's shape, clipped to [0, 255].
    """
    source, target = (np.float64(i).reshape(-1, 3) for i in (style, content))
    roots = [_root(np.cov(pixels, rowvar=False)) for pixels in (source, target)]
    change = roots[1] @ np.linalg.inv(roots[0])  # equations 3 and 4, symmetric roots
    moved = (source - source.mean(axis=0)) @ change.T + target.mean(axis=0)
    return np.float32(np.clip(moved, 0, 255)).reshape(style.shape)


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance [3, 3], kept invertible."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 1e-3))) @ vectors.T


def luminance(image: np.ndarray) -> np.ndarray:
    """`image` [height, width, 3] in its brightness alone, of the same shape."""
    return np.repeat((image @ YIQ[0])[..., np.newaxis], 3, axis=-1)


def match_luminance(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Brightness of `style` with mean and deviation of the content's (section 4)."""
    source, target = luminance(style), luminance(content)
    spread = target.std() / max(float(source.std()), 1e-3)
    return np.clip((source - source.mean()) * spread + target.mean(), 0, 255)


def recolored(image: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The brightness of `image` with the colours of `content`, of the same shape."""
    brightness = image @ YIQ[0]
    tint = content @ YIQ[1:].T  # [height, width, 2]
    yiq = np.concatenate([brightness[..., np.newaxis], tint], axis=-1)
    return np.float32(np.clip(yiq @ np.linalg.inv(YIQ).T, 0, 255))

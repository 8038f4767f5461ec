"""The losses of the post, as pure functions of feature maps.

Vocabulary (post, "Content reconstruction" and "Style reconstruction"):
    F^l, P^l  feature maps at layer l of the generated and the content picture
    N_l       number of feature maps at layer l
    M_l       positions in one feature map at layer l: height x width
    G^l, A^l  Gram matrices at layer l of the generated and the style picture
Feature maps are [height, width, N_l]; every loss is a scalar of the dtype of its input,
and float32 where that is bfloat16.
"""

from collections.abc import Callable

import tensorflow as tf


def pixel_loss(image: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns L(y, z) = sum_ijk (y_ijk - z_ijk)^2 (post, "Calculus with images").

    Args:
        image: [height, width, 3], intensities in [0, 255].
        target: The picture to become, of the same shape.
    """
    return tf.reduce_sum(tf.square(image - target))


def content_loss(features: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Returns L_content = 1/2 sum_ij (F^l_ij - P^l_ij)^2 (post, "Content ...").

    Args:
        features: F^l, [height, width, N_l].
        targets: P^l, of the same shape.
    """
    return 0.5 * tf.reduce_sum(tf.square(_exact(features) - targets))


def _exact(features: tf.Tensor) -> tf.Tensor:
    """The same numbers in float32 where they are bfloat16."""
    half = features.dtype == tf.bfloat16
    return tf.cast(features, tf.float32) if half else features


@tf.custom_gradient
def _product(flat: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """F^T F, [N_l, N_l], with a gradient of one product where two would be generated.

    The gradient is computed in the dtype of `flat`, as the convolutions before it are.
    """
    exact = _exact(flat)

    def gradient(slope: tf.Tensor) -> tf.Tensor:
        return tf.matmul(flat, tf.cast(slope + tf.transpose(slope), flat.dtype))

    return tf.matmul(exact, exact, transpose_a=True), gradient


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """Returns G^l_ij = F^l_i . F^l_j, unnormalised (post, "Style reconstruction").

    Args:
        features: F^l, [height, width, N_l].

    Returns:
        G^l, [N_l, N_l], symmetric and positive semi-definite.
    """
    return _product(tf.reshape(features, [-1, features.shape[-1]]))  # [M_l, N_l]


def mean_gram_matrix(features: tf.Tensor, positions: int) -> tf.Tensor:
    """Returns G^l / M_l, [N_l, N_l], which does not grow with the picture.

    The post divides the loss by M_l^2 and so means two pictures of one size. Dividing
    each Gram matrix by the M_l of its own picture is the same number then, and still
    the same texture when the style picture has another size.

    Args:
        features: F^l of the picture or of a tile of it, [height, width, N_l].
        positions: M_l of the whole picture.
    """
    return gram_matrix(features) / positions


def guided_gram_matrix(features: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """Returns sum_j t_j F^l_ij F^l_kj, the Gram matrix of a region (not in the post).

    Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (2017),
    section 4.1. With t = 1 / M_l it is `mean_gram_matrix`.

    Args:
        features: F^l, [height, width, N_l].
        guide: t, [height, width], not negative; its sum over the picture is 1.
    """
    return gram_matrix(_exact(features) * tf.sqrt(guide)[..., tf.newaxis])


def style_layer_loss(gram: tf.Tensor, style_gram: tf.Tensor) -> tf.Tensor:
    """Returns 1 / (4 N_l^2 M_l^2) sum_ij (G^l_ij - A^l_ij)^2 (post, "Style ...").

    Args:
        gram: G^l / M_l as `mean_gram_matrix` returns it, [N_l, N_l].
        style_gram: A^l / M_l, likewise.

    Returns:
        The layer's loss before its weight w_l.
    """
    maps = tf.cast(tf.shape(gram)[-1], gram.dtype)
    return tf.reduce_sum(tf.square(gram - style_gram)) / (4.0 * tf.square(maps))


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Returns the sum of squared differences of neighbouring pixels (not in the post).

    Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting
    Them" (2015), the norm of section 2 with beta = 2.

    Args:
        image: [height, width, 3], intensities in [0, 255].
    """
    down = image[1:, :, :] - image[:-1, :, :]
    across = image[:, 1:, :] - image[:, :-1, :]
    return tf.reduce_sum(tf.square(down)) + tf.reduce_sum(tf.square(across))

"""Post "Reconstructing Artistic Style", statement by statement."""

import math

from reproduce.experiments import ADAM
from reproduce.verdicts import Claim, Judgement, Result, settings, verdict, without

LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
NEAR = 5.0  # times the least loss
NETWORK = "VGG-19's ImageNet weights"


def pixels(result: Result) -> Judgement:
    """The root mean square difference of all pixels and colours."""
    width, height = result["image_size"]
    difference = math.sqrt(result["pixel_loss"] / (3 * width * height))
    found = f"{difference:.2f} of 255 intensities apart after {result['steps']} steps"
    return verdict(found, difference < 1)


def detail(result: Result) -> Judgement:
    """How far each reconstruction is from the picture, by layer."""
    away = {layer: result["content"]["rms_difference"][layer] for layer in LAYERS}
    listed = ", ".join(f"{layer} {value:.0f}" for layer, value in away.items())
    found = f"root mean square difference, of 255 intensities: {listed}"
    return verdict(found, list(away.values()) == sorted(away.values()))


def scale(result: Result) -> Judgement:
    """Two measures that do not agree, so neither alone decides."""
    single = result["style_layers"]
    gram = [single["gram_wavelength"][layer] for layer in LAYERS]
    painted = [single["wavelength"][f"{layer} alone"] for layer in LAYERS]
    found = (
        "wavelength at which the Gram matrix is most sensitive, conv1_1 to conv5_1: "
        f"{_pixels(gram)}; of the reconstructions: {_pixels(painted)}"
    )
    rises = [values == sorted(values) for values in (gram, painted)]
    if rises[0] != rises[1]:
        return without("agreement on a measure of scale", found)
    return verdict(found, all(rises))


def _pixels(values: list[float]) -> str:
    return " ".join(f"{value:.1f}" for value in values) + " pixels"


def network(result: Result) -> Judgement:
    """Which filters the pictures here are made with."""
    if result["weights"] == "imagenet":
        return verdict("VGG-19, ImageNet", True)
    found = "our compact network, trained on a part of Tiny ImageNet, in its place"
    return without(NETWORK, found)


def parameters(result: Result) -> Judgement:
    """lambda, l_c, alpha / beta and w_l are the defaults of style_transfer."""
    config = result["config"]
    post = {
        "style_layers": LAYERS,
        "content_layers": ["conv4_2"],
        "style_layer_weights": [0.2] * 5,
        "content_weight": config["style_weight"] / 1000,
    }
    losses = f"style loss {result['style_loss']:.1e} after {result['steps']} steps"
    return settings(config, post, losses, True)


def adam(*results: Result) -> Judgement:
    """Every run in the post's range comes near the best loss; a rate below does not.

    Whether a picture is aesthetic is left to the eye; the post says nothing of higher
    rates, and one is here to see.
    """
    losses = {key: r["total_loss"] for key, r in zip(ADAM, results, strict=True)}
    best = min(losses.values())
    times = {key: loss / best for key, loss in losses.items()}
    listed = ", ".join(
        f"rate {rate:g}, {steps} steps: {times[rate, steps]:.1f}"
        for rate, steps in ADAM
    )
    inside = [times[rate, steps] for rate, steps in ADAM if 1 <= rate <= 5]
    below = [times[rate, steps] for rate, steps in ADAM if rate < 1]
    found = f"total loss, of the least of these: {listed}"
    return verdict(found, max(inside) < NEAR < min(below))


CLAIMS = [
    Claim(
        "White noise can be changed by the derivative of a pixel loss until it and "
        "the picture are indistinguishable",
        ("pixels",),
        pixels,
    ),
    Claim(
        "Reconstructions from earlier layers preserve pixel details, later ones lose "
        "them",
        ("style_figures",),
        detail,
    ),
    Claim(
        "The Gram matrix of an earlier layer describes style at a smaller scale, of a "
        "later layer at a larger one",
        ("style_figures",),
        scale,
    ),
    Claim(
        "Style and content are read from VGG-19, trained on ImageNet",
        ("transfer",),
        network,
    ),
    Claim(
        "lambda = conv1_1 to conv5_1, l_c = conv4_2, alpha / beta = 1e-3, w_l = 1/5",
        ("transfer",),
        parameters,
    ),
    Claim(
        "Adam with a learning rate of about 1-5 gives aesthetic results in roughly 500 "
        "to 2000 iterations",
        tuple(f"adam_{rate:g}_{steps}" for rate, steps in ADAM),
        adam,
    ),
    Claim(
        "Any pair of style and content generates stellar results, such as a skyline "
        "in the style of The Great Wave",
        ("post_pair",),
        lambda result: without("eyes", "see the gallery"),
    ),
]

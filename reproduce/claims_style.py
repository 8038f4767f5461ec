"""Post "Reconstructing Artistic Style", statement by statement."""

import math

from reproduce.experiments import ADAM
from reproduce.verdicts import Claim, Judgement, Result, settings, verdict, without

LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
NETWORK = "VGG-19's ImageNet weights"


def pixels(result: Result) -> Judgement:
    """The root mean square difference of all pixels and colours."""
    width, height = result["image_size"]
    difference = math.sqrt(result["pixel_loss"] / (3 * width * height))
    found = f"{difference:.2f} of 255 intensities apart after {result['steps']} steps"
    return verdict(found, difference < 1)


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
    """Within the post's range the loss nears the best; beside it, it does not."""
    losses = {key: r["total_loss"] for key, r in zip(ADAM, results, strict=True)}
    best = min(losses.values())
    times = {key: loss / best for key, loss in losses.items()}
    inside = [times[rate, steps] for rate, steps in ADAM if 1 <= rate <= 5]
    outside = [times[rate, steps] for rate, steps in ADAM if not 1 <= rate <= 5]
    found = ", ".join(
        f"rate {rate:g}, {steps} steps: {times[rate, steps]:.2f}"
        for rate, steps in ADAM
    )
    found = f"total loss, of the least of these: {found}"
    return verdict(found, max(inside) < min(outside))


CLAIMS = [
    Claim(
        "White noise can be changed by the derivative of a pixel loss until it and "
        "the picture are indistinguishable",
        ("pixels",),
        pixels,
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
        lambda result: without("a matter of taste: see the gallery"),
    ),
]

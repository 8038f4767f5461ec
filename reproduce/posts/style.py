"""Post "Reconstructing Artistic Style", statement by statement."""

import functools
import math

from reproduce import post
from runkit import tables

LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
# Learning rate and steps: the post's range, and what lies beside it.
ADAM = {
    f"adam_{rate:g}_{steps}": (rate, steps)
    for steps, rates in ((500, (0.1, 1.0, 5.0)), (2000, (1.0, 5.0)), (500, (50.0,)))
    for rate in rates
}
# The author's runs by mode: size, steps, and seconds a step; and how many steps ours
# have, which are of 64 pixels.
HIS = {
    "transfer": ("350x350", 2000, 11.75),
    "content": ("400x320", 1000, 2.71),
    "style": ("400x320", 1000, 0.32),
}
AUTHOR = {"transfer": 150, "content": 100, "style": 1000}
OURS = "{image_size[0]}x{image_size[1]}", "{steps:,}", "{seconds_per_step:.2f}"
NEAR = 5.0  # A loss is near the lowest one up to this multiple of it.
MAIN, SIZES = "style_transfer.main", ("--size=256", "--size=512")
NECKARFRONT = "tuebingen_neckarfront.jpg starry_night.jpg"
SKYLINE = "chicago_skyline.jpg great_wave.jpg"

POST = post.Post(
    "Reconstructing artistic style",
    "style_transfer/README.md",
    front=[
        "[Reconstructing artistic style](style_transfer/README.md)",
        "your photograph, painted like any picture",
        "`make demo-style`",
        "2,000 steps in 6.5 hours at 350x350 pixels",
        "{transfer[steps]} steps in {transfer[seconds]:.0f} s at "
        "{transfer[config][size]} pixels",
    ],
    pictures={
        "overview.jpg": "The embedded photograph, painted like the embedded painting.",
        "noise.jpg": "White noise becomes the painting.",
        "reconstructions.jpg": "The style, from growing sets of layers.",
    },
    experiments=[
        post.Experiment(
            "style_figures",
            "style_transfer.figures",
            (60, 150),
            "--size=160 --steps=60",
        ),
        post.Experiment(
            "pixels", f"{MAIN} --mode=pixels --optimizer=adam --scales=1 --steps=500"
        ),
        post.Experiment("transfer", f"{MAIN} --style_weight=1000", (10, 30), *SIZES),
        post.Experiment("paper_pair", MAIN, (10, 30), *SIZES, NECKARFRONT),
        post.Experiment("post_pair", MAIN, (10, 30), *SIZES, SKYLINE),
        *(
            post.Experiment(
                name,
                f"{MAIN} --optimizer=adam --learning_rate={rate:g} --steps={steps} "
                "--style_weight=1000 --init=noise --scales=1 --save_every=0",
                (10 + 0.03 * steps, 10 + 0.6 * steps),
                "--size=64",
                "--size=384",
            )
            for name, (rate, steps) in ADAM.items()
        ),
        *(
            post.Experiment(
                f"author_{mode}",
                f"{MAIN} --recipe=post --mode={mode} --save_every=0",
                (60, None),
                f"--size=64 --steps={steps}",
                pictures=NECKARFRONT,
            )
            for mode, steps in AUTHOR.items()
        ),
    ],
    figures={
        "style_figures/maps.png": "A colour image is made of three maps.",
        "style_figures/noise.png": "White noise becomes the picture.",
        "style_figures/content.png": "The content, reconstructed from each layer.",
        "style_figures/style.png": "The style, from growing sets of layers.",
        "style_figures/style_layers.png": "The style, from each layer alone.",
        "transfer/overview.jpg": "The content, the style, and the transfer.",
        "paper_pair/overview.jpg": "The paper's pair.",
        "post_pair/overview.jpg": "A skyline in the style of The Great Wave.",
    }
    | {
        f"{name}/transfer.png": f"Adam, learning rate {rate:g}, {steps} steps."
        for name, (rate, steps) in ADAM.items()
    }
    | {
        f"author_{mode}/overview.jpg": f"The author's run, small: {mode}."
        for mode in AUTHOR
    },
)


@POST.claim(
    "White noise can be changed by the derivative of a pixel loss until it and the "
    "picture are indistinguishable",
    "pixels",
)
def pixels(result: post.Result) -> post.Judgement:
    """Judges by the root mean square difference of all pixels and colours."""
    width, height = result["image_size"]
    difference = math.sqrt(result["pixel_loss"] / (3 * width * height))
    found = (
        f"root mean square difference of {difference:.2f} in intensities of 0 to 255 "
        f"after {result['steps']} steps"
    )
    return post.verdict(found, difference < 1)


@POST.claim(
    "Reconstructions from earlier layers preserve pixel details, later ones lose them",
    "style_figures",
)
def detail(result: post.Result) -> post.Judgement:
    """Judges by how far the reconstruction of each layer is from the picture."""
    away = {layer: result["content"]["rms_difference"][layer] for layer in LAYERS}
    listed = ", ".join(f"{layer} {value:.0f}" for layer, value in away.items())
    found = f"root mean square difference in intensities of 0 to 255: {listed}"
    return post.verdict(found, list(away.values()) == sorted(away.values()))


@POST.claim(
    "The Gram matrix of an earlier layer describes style at a smaller scale, of a "
    "later layer at a larger one",
    "style_figures",
)
def scale(result: post.Result) -> post.Judgement:
    """Compares two measures of scale; neither decides alone."""
    single = result["style_layers"]
    gram = [single["gram_wavelength"][layer] for layer in LAYERS]
    painted = [single["wavelength"][f"{layer} alone"] for layer in LAYERS]
    listed = [" ".join(f"{value:.1f}" for value in each) for each in (gram, painted)]
    found = (
        "the wavelength at which the Gram matrix is most sensitive, conv1_1 to "
        f"conv5_1: {listed[0]} pixels; that of the reconstructions: {listed[1]} pixels"
    )
    rises = [values == sorted(values) for values in (gram, painted)]
    if rises[0] != rises[1]:
        return post.without("a measure of scale that all agree on", found)
    return post.verdict(found, all(rises))


@POST.claim(
    "Style and content are read from VGG-19, trained on ImageNet",
    "transfer",
    author="the same, without the last convolutions of blocks 3 and 4, and with "
    "averages over 3x3 at stride 1 for pooling",
)
def network(result: post.Result) -> post.Judgement:
    """Says which filters the pictures here are made with."""
    if result["weights"] == "imagenet" and result["network"] == "vgg19":
        return post.verdict("VGG-19, trained on ImageNet", True)
    found = "VGG-16, trained on ImageNet, took its place"
    return post.without("VGG-19's ImageNet weights", found)


@POST.claim(
    "lambda = conv1_1 to conv5_1, l_c = conv4_2, alpha / beta = 1e-3, w_l = 1/5",
    "transfer",
    author="the same, except for alpha / beta = 0.01 / 30,000",
)
def parameters(result: post.Result) -> post.Judgement:
    """Compares lambda, l_c, alpha / beta and w_l with the defaults here."""
    names = "style_layers", "content_layers", "style_layer_weights", "content_weight"
    used = [result["config"][name] for name in names]
    printed = [LAYERS, ["conv4_2"], [0.2] * 5, result["config"]["style_weight"] / 1000]
    losses = f"a style loss of {result['style_loss']:.1e} after {result['steps']} steps"
    return post.settings(used == printed, losses)


@POST.claim(
    "Adam with a learning rate of about 1-5 gives aesthetic results in roughly 500 to "
    "2000 iterations",
    *ADAM,
    author="rate 5 and 2,000 steps, 11.75 s each, for 350x350 pixels",
)
def adam(*results: post.Result) -> post.Judgement:
    """Asks each run in the post's range to come near the lowest loss, and others not.

    Whether a picture is aesthetic is left to the eye. The post says nothing of higher
    rates; the run of one is here to look at.
    """
    losses = [result["total_loss"] for result in results]
    times = [
        (rate, steps, loss / min(losses))
        for (rate, steps), loss in zip(ADAM.values(), losses, strict=True)
    ]
    listed = "; ".join(f"rate {r:g}, {steps} steps: {t:.1f}" for r, steps, t in times)
    inside = [time for rate, _, time in times if 1 <= rate <= 5]
    below = [time for rate, _, time in times if rate < 1]
    found = f"total loss as a multiple of the lowest one: {listed}"
    return post.verdict(found, max(inside) < NEAR < min(below))


POST.open(
    "Any pair of style and content generates stellar results, such as a skyline in the "
    "style of The Great Wave",
    "a human eye; the gallery shows the picture",
    "post_pair",
)


def layers(kept: post.Kept) -> str:
    """Renders what each layer keeps, from the figures of style_transfer."""
    result = kept["style_figures"]["result"]
    away, single = result["content"]["rms_difference"], result["style_layers"]
    gram, painted = single["gram_wavelength"], single["wavelength"]
    painting = painted["the picture"]
    measures = {
        "content: RMS difference from the photograph, of 255": away,
        "style: wavelength that the Gram matrix is sensitive at, pixels": gram,
        f"style: wavelength of the reconstruction (the painting: {painting:.1f})": {
            name: painted[f"{name} alone"] for name in gram
        },
    }
    rows = [
        [measure, *(f"{values[name]:.1f}" for name in gram)]
        for measure, values in measures.items()
    ]
    return tables.markdown(["layer, alone", *gram], rows)


def author_runs(kept: post.Kept) -> str:
    """Renders the author's runs beside the same runs of ours, which are smaller."""
    rows = [
        [mode, size, f"{steps:,}", f"{seconds:g}"]
        + [cell.format(**kept[f"author_{mode}"]["result"]) for cell in OURS]
        for mode, (size, steps, seconds) in HIS.items()
        if f"author_{mode}" in kept
    ]
    head = ["run", *(f"his {name}" for name in ("size", "steps", "seconds a step"))]
    head += [f"our {name}" for name in ("size", "steps", "seconds a step")]
    return tables.markdown(head, rows)


POST.tables["author_runs"] = author_runs
POST.tables["layers"] = layers
POST.tables["pictures"] = functools.partial(
    post.run_table,
    names="transfer paper_pair post_pair",
    columns={
        "pictures": "{data}",
        "size": "{image_size[0]}x{image_size[1]}",
        "steps": "{steps}",
        "seconds": "{seconds:.1f}",
        "style loss, content loss": "{style_loss:.1e}, {content_loss:.2e}",
    },
)

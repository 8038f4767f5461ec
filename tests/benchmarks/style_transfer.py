"""How soon `style_transfer` reaches what plain loops reach, and at what rate it works.

    pip install -e '.[benchmark]'
    python -m tests.benchmarks.style_transfer [--steps 500] [--size 512] \\
        [--content photo.jpg --style painting.jpg] \\
        [rate] [picture] [float32] [reference] [ours] [torch]

Both references are what their users write: Adam, float32, one scale, from the content
picture; the loop of TensorFlow's tutorial (tf.function over a Keras model) and the same
in PyTorch. All have the filters that ship, and the same losses and weights. Every loss
in the table is evaluated by the references' own model in float32, with VGG's padding,
outside the clock. Each part's result is kept in out/benchmarks, so that a run that was
stopped goes on with the next part.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf

from runkit import files, tables
from style_transfer import images, painter, samples, vgg, weights
from style_transfer.config import Config
from style_transfer.objective import Objective, Pictures, pixel_share, positions

CONFIG = Config()
OUR_STEPS = 4 * CONFIG.steps  # at most, at the finest scale
RATE = 5.0  # of the references' Adam; 1 and 2 are slower
FOLDER = "out/benchmarks"
PARTS = ("rate", "picture", "float32", "reference", "ours", "torch")


class Case:
    """A pair of pictures, VGG-16, and the float32 model that judges all."""

    def __init__(self, options):
        size = options.size
        content, style = (
            images.load_image(path, size) for path in (options.content, options.style)
        )
        self.pictures = Pictures(content, (style,))
        self.network = weights.load("auto", "auto", "average", "auto")
        self.alpha = CONFIG.content_weight * pixel_share(CONFIG, self.pictures)
        self.model = self._model()
        self.target = self.maps(content)["conv4_2"]
        found = self.maps(style)
        self.grams = {name: self.gram(found[name]) for name in CONFIG.style_layers}

    def _model(self):
        """VGG as the tutorial builds it, with average pooling."""
        inputs = tf.keras.Input([None, None, 3])
        maps, outputs = inputs, {}
        for name, (kernel, _) in self.network.filters.items():
            if vgg.begins_block(name):
                maps = tf.keras.layers.AveragePooling2D(2)(maps)
            layer = tf.keras.layers.Conv2D(
                kernel.shape[-1], 3, padding="same", activation="relu", name=name
            )
            maps = outputs[name] = layer(maps)
        names = {*CONFIG.style_layers, "conv4_2"}
        model = tf.keras.Model(inputs, {name: outputs[name] for name in names})
        for name, pair in self.network.filters.items():
            model.get_layer(name).set_weights(pair)
        model.trainable = False
        return model

    def maps(self, image):
        """The model's feature maps of an image [height, width, 3]."""
        return self.model(vgg.preprocess(tf.convert_to_tensor(image))[tf.newaxis])

    @staticmethod
    def gram(maps):
        """G / M of feature maps."""
        flat = tf.reshape(maps, [-1, maps.shape[-1]])
        size = tf.cast(tf.shape(flat)[0], tf.float32)
        return tf.matmul(flat, flat, transpose_a=True) / size

    def losses(self, image):
        """The post's style loss, the mean square at conv4_2, and the total loss."""
        found = self.maps(image)
        apart = tf.square(found["conv4_2"] - self.target)
        style = tf.add_n(
            [
                0.2
                * tf.reduce_sum((self.gram(found[name]) - target) ** 2)
                / (4.0 * target.shape[0] ** 2)
                for name, target in self.grams.items()
            ]
        )
        total = 0.5 * self.alpha * tf.reduce_sum(apart) + CONFIG.style_weight * style
        return style, tf.reduce_mean(apart), total

    def judged(self, image):
        """The same of a finished picture, as numbers."""
        names = "style", "content", "loss"
        return dict(zip(names, map(float, self.losses(np.float32(image))), strict=True))


def tensorflow_loop(case, steps):
    """Seconds and picture of the tutorial's loop; the first step is not timed."""
    image = tf.Variable(case.pictures.content)
    optimizer = tf.keras.optimizers.Adam(RATE)
    optimizer.build([image])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = case.losses(image)[2]
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 255.0))
        return loss

    return timed(lambda: float(step()), steps), image.numpy()


def torch_loop(case, steps):
    """The same in PyTorch."""
    import torch
    from torch.nn import functional

    filters = {
        name: (torch.tensor(kernel.transpose(3, 2, 0, 1).copy()), torch.tensor(bias))
        for name, (kernel, bias) in case.network.filters.items()
    }
    content = torch.tensor(case.target.numpy().transpose(0, 3, 1, 2).copy())
    grams = {name: torch.tensor(gram.numpy()) for name, gram in case.grams.items()}
    start = case.pictures.content.transpose(2, 0, 1)[None].copy()
    image = torch.tensor(start, requires_grad=True)
    mean = torch.tensor(vgg.BGR_MEAN).reshape(1, 3, 1, 1)
    optimizer = torch.optim.Adam([image], lr=RATE)

    def step():
        optimizer.zero_grad()
        maps, loss = image.flip(1) - mean, 0.0
        for name, (kernel, bias) in filters.items():
            if vgg.begins_block(name):
                maps = functional.avg_pool2d(maps, 2)
            maps = functional.relu(functional.conv2d(maps, kernel, bias, padding=1))
            if name == "conv4_2":
                loss = loss + 0.5 * case.alpha * ((maps - content) ** 2).sum()
            if name in grams:
                flat = maps.flatten(2)[0]
                error = flat @ flat.T / flat.shape[1] - grams[name]
                count = flat.shape[0]
                loss = loss + 0.2 * CONFIG.style_weight * (error**2).sum() / (
                    4 * count**2
                )
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            image.clamp_(0, 255)
        return float(loss)

    seconds = timed(step, steps)
    return seconds, image.detach().numpy()[0].transpose(1, 2, 0)


def clock():
    """Seconds on the wall, and of all processors for this process and its children."""
    return np.array([time.perf_counter(), sum(os.times()[:4])])


def spent(seconds):
    """Two times of `clock`'s kind, for the results."""
    return dict(zip(("seconds", "processor"), map(float, seconds), strict=True))


def timed(step, steps):
    """The `clock` of that many steps; the first, which compiles, counts as one."""
    step()
    began = clock()
    for index in range(1, steps):
        loss = step()
        if index % 25 == 0:
            seconds = clock()[0] - began[0]
            print(f"  step {index}  loss {loss:.4g}  {seconds:.0f} s", flush=True)
    return (clock() - began) * steps / max(1, steps - 1)


def our_time(case, target):
    """The times until the float32 loss is at most `target`, tracing included."""
    seconds, count, began = np.zeros(2), 0, clock()
    content = case.pictures.content
    config = dataclasses.replace(CONFIG, steps=OUR_STEPS)
    for progress in painter.paint(config, case.pictures, case.network, content):
        count += 1
        seconds += clock() - began
        close = progress.losses["total_loss"] <= 1.1 * target
        if progress.image.shape == content.shape and close:
            found = case.judged(progress.image)
            if found["loss"] <= target:
                return spent(seconds) | {"steps": count, **found}
        began = clock()
    never = spent([np.inf, np.inf])
    return never | {"steps": count, **case.judged(progress.image)}


def best(call, times=8):
    """The shortest of some calls, in seconds."""
    call()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def rates(case):
    """GFLOP/s of one layer and of the whole loss, forward and back to the image."""
    precision = case.network.precision
    generator = np.random.default_rng(0)
    kernel = tf.constant(generator.normal(size=(3, 3, 256, 256)), precision)
    maps = tf.constant(generator.normal(size=(1, 128, 128, 256)), precision)

    @tf.function
    def layer():
        with tf.GradientTape() as tape:
            tape.watch(maps)
            found = tf.nn.conv2d(maps, kernel, 1, "SAME")
        return found, tape.gradient(found, maps)

    layer_flops = 2 * 2 * 128 * 128 * 9 * 256 * 256
    image = case.pictures.content
    flops = sum(
        2 * 2 * positions(name, *image.shape[:2], "average") * np.prod(shape)
        for name, shape in vgg.filter_shapes("vgg16").items()
    )
    objective = Objective(CONFIG, case.pictures, case.network)
    before = layer_flops / best(layer) / 1e9
    seconds = best(lambda: objective(image)[1].numpy())
    rate = max(before, layer_flops / best(layer) / 1e9)  # of a machine that is shared
    ours = float(flops) / seconds / 1e9
    return {"precision": precision, "layer": rate, "step": ours, "seconds": seconds}


def picture(case, options, precision):
    """Wall time of a picture by the defaults, start-up included, and its losses."""
    out = f"{FOLDER}/picture"
    command = [sys.executable, "-m", "style_transfer.main", f"--size={options.size}"]
    command += [f"--out_dir={out}", f"--precision={precision}"]
    command += [f"--content={options.content}", f"--style={options.style}"]
    began = clock()
    with open(f"{out}.log", "w", encoding="utf-8") as log:
        subprocess.run(command, check=True, stderr=log)
    seconds = clock() - began
    found = case.judged(images.load_image(f"{out}/transfer.png"))
    return spent(seconds) | {"steps": "whole process", **found}


def measure(part, case, options, results):
    """One part's result."""
    if part == "rate":
        return rates(case)
    if part in ("picture", "float32"):
        return picture(case, options, "auto" if part == "picture" else part)
    if part == "ours":
        return our_time(case, results["reference"]["loss"])
    loop = {"reference": tensorflow_loop, "torch": torch_loop}[part]
    seconds, image = loop(case, options.steps)
    return spent(seconds) | {"steps": options.steps, **case.judged(image)}


def table(results):
    """The results as they stand in `docs/`."""
    names = {
        "reference": "TensorFlow loop (its tutorial's)",
        "torch": "PyTorch loop",
        "ours": "this package, until it is at the first row's loss",
        "picture": "a picture by the defaults",
        "float32": "the same with --precision=float32",
    }
    rows = [
        [name, *(f"{found[x]:.0f}" for x in ("seconds", "processor")), found["steps"]]
        + [f"{found[key]:.3g}" for key in ("loss", "style", "content")]
        for part, name in names.items()
        if (found := results.get(part))
    ]
    head = ["", "seconds", "processor seconds", "steps", "loss", "style", "content"]
    text = tables.markdown(head, rows)
    if "ours" in results:
        wall, processor = (
            results["reference"][x] / results["ours"][x]
            for x in ("seconds", "processor")
        )
        text += (
            f"\nOurs is there {wall:.1f} times sooner, and {processor:.1f} times so "
            "in processor time."
        )
    if "rate" in results:
        found = results["rate"]
        text += (
            f"\nOne layer {found['layer']:.0f} GFLOP/s in {found['precision']}, the "
            f"whole step {found['step']:.0f} ({found['step'] / found['layer']:.0%}), "
            f"{found['seconds']:.2f} s."
        )
    return f"{text}\nLoad of the machine: {os.getloadavg()[0]:.1f}."


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=[], help=" ".join(PARTS))
    parser.add_argument("--steps", type=int, default=500, help="of the references")
    parser.add_argument("--size", type=int, default=512, help="pixels")
    parser.add_argument("--content", default=samples.PHOTOGRAPH, help="photograph")
    parser.add_argument("--style", default=samples.PAINTING, help="painting")
    options = parser.parse_args()
    pair = "_".join(
        os.path.splitext(os.path.basename(path))[0]
        for path in (options.content, options.style)
    )
    path = f"{FOLDER}/style_transfer_{pair}_{options.size}_{options.steps}.json"
    os.makedirs(FOLDER, exist_ok=True)
    results = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    case = Case(options)
    for part in options.parts or PARTS:
        if part not in results:
            print(part, flush=True)
            results[part] = measure(part, case, options, results)
            files.write_text(path, json.dumps(results, indent=2))
    print(table(results))


if __name__ == "__main__":
    main()

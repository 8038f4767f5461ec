"""How soon `style_transfer` reaches what plain loops reach, and at what rate it works.

    pip install -e '.[benchmark]'
    python -m tests.benchmarks.style_transfer [--steps 500] [--size 512] \\
        [rate] [picture] [reference] [ours] [torch]

Both references are what their users write: Adam, float32, one scale, from the content
picture; the loop of TensorFlow's tutorial (tf.function over a Keras model) and the
same in PyTorch. All have the same filters, losses and weights: VGG-19 with calibrated
random filters, since a benchmark should not need a download. Every loss in the table
is evaluated by the same float32 objective, outside the clock. Each part's result is
kept in out/benchmarks, so that a run that was stopped goes on with the next part.
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

from style_transfer import features, images, samples, terms, transfer, weights
from style_transfer.config import Config
from style_transfer.objective import Objective
from style_transfer.terms import REFERENCE_PIXELS, Pictures

CONFIG = Config(optimizer="adam", learning_rate=5.0, scales=1)
FOLDER = "out/benchmarks"
PARTS = ("rate", "picture", "reference", "ours", "torch")


class Case:
    """The embedded pictures, VGG-19, and the float32 objective that judges all."""

    def __init__(self, size):
        content, style = samples.photograph(size), samples.painting(size)
        self.pictures = Pictures(content, (style,))
        load = ("vgg19", "random", "average")
        self.network, _ = weights.load(*load, "float32", [content, style], 0)
        self.fast = dataclasses.replace(
            self.network, precision=features.fastest_precision()
        )
        self.judge = Objective(CONFIG, self.pictures, self.network)
        height, width = content.shape[:2]
        self.alpha = CONFIG.content_weight * REFERENCE_PIXELS / (height * width)
        self.beta = CONFIG.style_weight * self.network.style_scales[0]

    def loss(self, image):
        """The total loss of an image, in float32."""
        return float(self.judge(np.float32(image))[0]["total_loss"])

    def targets(self):
        """P of the content layer, and A / M of the style layers."""
        made = terms.make(CONFIG, self.pictures, self.network, None)
        grams = {t.layer: t.target.numpy() for t in made[1:]}
        return made[0].target.numpy(), grams


def tensorflow_loop(case, steps):
    """Seconds and picture of the tutorial's loop; the first step is not timed."""
    inputs = tf.keras.Input([None, None, 3])
    maps, outputs = inputs, {}
    for name, (kernel, _) in case.network.filters.items():
        if features.begins_block(name):
            maps = tf.keras.layers.AveragePooling2D(2)(maps)
        layer = tf.keras.layers.Conv2D(
            kernel.shape[-1], 3, padding="same", activation="relu", name=name
        )
        maps = outputs[name] = layer(maps)
    model = tf.keras.Model(inputs, {n: outputs[n] for n in terms.layers(CONFIG)})
    for name, pair in case.network.filters.items():
        model.get_layer(name).set_weights(pair)
    model.trainable = False
    content, grams = case.targets()
    image = tf.Variable(case.pictures.content[np.newaxis])
    optimizer = tf.keras.optimizers.Adam(CONFIG.learning_rate)
    optimizer.build([image])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            found = model(features.preprocess(image))
            loss = 0.5 * case.alpha * tf.reduce_sum((found["conv4_2"] - content) ** 2)
            for name, target in grams.items():
                maps = tf.reshape(found[name], [-1, target.shape[0]])
                size = tf.cast(tf.shape(maps)[0], tf.float32)
                gram = tf.matmul(maps, maps, transpose_a=True) / size
                error = tf.reduce_sum((gram - target) ** 2)
                loss += 0.2 * case.beta * error / (4 * target.shape[0] ** 2)
        gradient = tape.gradient(loss, image)
        optimizer.apply_gradients([(gradient, image)])
        image.assign(tf.clip_by_value(image, 0.0, 255.0))
        return loss

    return timed(lambda: float(step()), steps), image.numpy()[0]


def torch_loop(case, steps):
    """The same in PyTorch."""
    import torch
    from torch.nn import functional

    filters = {
        name: (torch.tensor(kernel.transpose(3, 2, 0, 1).copy()), torch.tensor(bias))
        for name, (kernel, bias) in case.network.filters.items()
    }
    content, grams = case.targets()
    content = torch.tensor(content.transpose(2, 0, 1)[None].copy())
    grams = {name: torch.tensor(gram) for name, gram in grams.items()}
    start = case.pictures.content.transpose(2, 0, 1)[None].copy()
    image = torch.tensor(start, requires_grad=True)
    mean = torch.tensor(features.BGR_MEAN).reshape(1, 3, 1, 1)
    optimizer = torch.optim.Adam([image], lr=CONFIG.learning_rate)

    def step():
        optimizer.zero_grad()
        maps, loss = image.flip(1) - mean, 0.0
        for name, (kernel, bias) in filters.items():
            if features.begins_block(name):
                maps = functional.avg_pool2d(maps, 2)
            maps = functional.relu(functional.conv2d(maps, kernel, bias, padding=1))
            if name == "conv4_2":
                loss = loss + 0.5 * case.alpha * ((maps - content) ** 2).sum()
            if name in grams:
                flat = maps.flatten(2)[0]
                error = flat @ flat.T / flat.shape[1] - grams[name]
                count = flat.shape[0]
                loss = loss + 0.2 * case.beta * (error**2).sum() / (4 * count**2)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            image.clamp_(0, 255)
        return float(loss)

    seconds = timed(step, steps)
    return seconds, image.detach().numpy()[0].transpose(1, 2, 0)


def timed(step, steps):
    """Seconds of that many steps, of which the first, which compiles, counts as one."""
    step()
    began = time.perf_counter()
    for index in range(1, steps):
        loss = step()
        if index % 25 == 0:
            seconds = time.perf_counter() - began
            print(f"  step {index}  loss {loss:.4g}  {seconds:.0f} s", flush=True)
    return (time.perf_counter() - began) * steps / max(1, steps - 1)


def our_time(case, target, steps):
    """Seconds until the float32 loss is at most `target`, tracing included."""
    config = Config(steps=steps)
    clock, count, began = 0.0, 0, time.perf_counter()
    shape = case.pictures.content.shape
    for progress in transfer.paint(
        config, case.pictures, case.fast, case.pictures.content
    ):
        count += 1
        clock += time.perf_counter() - began
        close = progress.losses["total_loss"] <= 1.02 * target
        if progress.image.shape == shape and close:
            loss = case.loss(progress.image)
            if loss <= target:
                return {"seconds": clock, "steps": count, "loss": loss}
        began = time.perf_counter()
    return {"seconds": float("inf"), "steps": count, "loss": case.loss(progress.image)}


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
    precision = case.fast.precision
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
    rate = layer_flops / best(layer) / 1e9
    image = case.pictures.content
    flops = 0
    for name, shape in features.filter_shapes("vgg19").items():
        flops += 2 * 2 * terms.positions(*image.shape[:2], name) * np.prod(shape)
    objective = Objective(CONFIG, case.pictures, case.fast)
    seconds = best(lambda: objective(image)[1].numpy())
    ours = float(flops) / seconds / 1e9
    return {"precision": precision, "layer": rate, "step": ours, "seconds": seconds}


def picture(size):
    """Wall time of a picture by the compact network, start-up included."""
    out = f"--out_dir={FOLDER}/picture"
    flags = ["--weights=compact", f"--size={size}", out]
    began = time.perf_counter()
    command = [sys.executable, "-m", "style_transfer.main", *flags]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return {"seconds": time.perf_counter() - began}


def measure(part, case, options, results):
    """One part's result."""
    if part == "rate":
        return rates(case)
    if part == "picture":
        return picture(options.size)
    if part == "ours":
        return our_time(case, results["reference"]["loss"], 100)
    loop = {"reference": tensorflow_loop, "torch": torch_loop}[part]
    seconds, image = loop(case, options.steps)
    return {"seconds": seconds, "steps": options.steps, "loss": case.loss(image)}


def table(results):
    """The results as they stand in the README."""
    lines = ["| | seconds | steps | loss |", "| --- | --- | --- | --- |"]
    names = {"reference": "TensorFlow loop", "torch": "PyTorch loop", "ours": "ours"}
    for part, name in names.items():
        if part in results:
            found = results[part]
            row = f"{found['seconds']:.0f} | {found['steps']} | {found['loss']:.4g}"
            lines.append(f"| {name} | {row} |")
    if "ours" in results:
        ratio = results["reference"]["seconds"] / results["ours"]["seconds"]
        lines.append(f"\nOurs is there {ratio:.1f} times sooner.")
    if "rate" in results:
        found = results["rate"]
        lines.append(
            f"One layer {found['layer']:.0f} GFLOP/s in {found['precision']}, the "
            f"whole step {found['step']:.0f} ({found['step'] / found['layer']:.0%}), "
            f"{found['seconds']:.2f} s."
        )
    if "picture" in results:
        lines.append(f"Compact picture: {results['picture']['seconds']:.1f} s.")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=[], help=" ".join(PARTS))
    parser.add_argument("--steps", type=int, default=500, help="of the references")
    parser.add_argument("--size", type=int, default=512, help="pixels")
    options = parser.parse_args()
    path = f"{FOLDER}/style_transfer_{options.size}_{options.steps}.json"
    os.makedirs(FOLDER, exist_ok=True)
    results = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    case = Case(options.size)
    for part in options.parts or PARTS:
        if part not in results:
            print(part, flush=True)
            results[part] = measure(part, case, options, results)
            text = json.dumps(results, indent=2)
            images.write_whole(path, lambda file, t=text: file.write(t.encode()))
    print(table(results))


if __name__ == "__main__":
    main()

"""How many images a training step sees a second: ours, Keras's Adam, and PyTorch.

python -m tests.benchmarks.inception_mnist     # extra "benchmark"; about five minutes

Every line is a process of its own, in turns. The post's sizes: batch 50, 28 x 28, two
reduced modules of 32 and 64 maps, hidden layer of 700, dropout, Adam. The modern
recipe has batch 100, a pooling between the modules, batch normalization and averages.
"""

import json
import statistics
import subprocess
import sys
import time

import numpy as np

from inception_mnist.config import Config
from inception_mnist.operations import counts
from runkit import start
from runkit.files import peak_memory_gib

ROUNDS, SECONDS = 2, 8.0  # of each process; of timing in each


def data(count: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Random pixels uint8 [N, 28, 28] and labels uint8 [N]."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 28, 28)).astype(np.uint8)
    return images, random.integers(0, 10, count).astype(np.uint8)


def ours(config: Config, keras_adam: bool = False):
    """Steps of `inception_mnist`."""
    start.tensorflow()
    import keras

    from inception_mnist.training import Trainer

    trainer = Trainer(config, *data())
    if keras_adam:
        adam = keras.optimizers.Adam(config.learning_rate)
        weights = trainer.model.trainable_weights
        adam.build(weights)
        trainer.optimizer.apply = lambda gradients, rate: adam.apply(gradients, weights)
    steps = trainer.run(config.steps)
    return lambda: next(steps)


def torch_steps(config: Config):
    """The same network and step in PyTorch, channels last, with its fused Adam."""
    import torch
    from torch import nn

    def module(channels: int, maps: int) -> nn.Module:
        reduce = config.reduce1x1

        class Inception(nn.Module):
            def __init__(self):
                super().__init__()
                self.branches = nn.ModuleList(
                    [
                        nn.Conv2d(channels, maps, 1),
                        nn.Sequential(
                            nn.Conv2d(channels, reduce, 1),
                            nn.ReLU(),
                            nn.Conv2d(reduce, maps, 3, padding=1),
                        ),
                        nn.Sequential(
                            nn.Conv2d(channels, reduce, 1),
                            nn.ReLU(),
                            nn.Conv2d(reduce, maps, 5, padding=2),
                        ),
                        nn.Sequential(
                            nn.MaxPool2d(3, 1, padding=1), nn.Conv2d(channels, maps, 1)
                        ),
                    ]
                )

            def forward(self, x):
                return torch.relu(torch.cat([branch(x) for branch in self.branches], 1))

        return Inception()

    maps = 4 * config.map2
    dense = config.head == "dense"
    network = nn.Sequential(
        module(1, config.map1),
        module(4 * config.map1, config.map2),
        nn.Identity() if dense else nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(28 * 28 * maps if dense else maps, config.hidden),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, 10),
    ).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(network.parameters(), config.learning_rate, fused=True)
    images, labels = data()
    images = torch.from_numpy(images.astype(np.float32))[:, None]
    labels = torch.from_numpy(labels.astype(np.int64))
    half = config.precision == "bfloat16"
    place = 0

    def run():
        nonlocal place
        batch = slice(place, place + config.batch_size)
        place = (place + config.batch_size) % len(labels)
        x = images[batch].contiguous(memory_format=torch.channels_last)
        adam.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(x)
        nn.functional.cross_entropy(logits.float(), labels[batch]).backward()
        adam.step()

    return run


def convolution(precision: str):
    """The largest convolution alone, forward and back: module 2's 5x5, batch 50."""
    start.tensorflow()
    import tensorflow as tf

    x = tf.cast(tf.random.normal([50, 28, 28, 16]), precision)
    kernel = tf.cast(tf.random.normal([5, 5, 16, 64]), precision)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.nn.conv2d(x, kernel, 1, "SAME")
        return tape.gradient(y, [x, kernel])

    return lambda: step()[1].numpy()


KINDS = {
    "ours": ours,
    "keras": lambda config: ours(config, keras_adam=True),
    "torch": torch_steps,
}
LINES = {
    f"{kind} {head} {precision}": (kind, {"head": head, "precision": precision})
    for head in ("dense", "gap")
    for precision in ("float32", "bfloat16")
    for kind in ("ours", "torch")
}
LINES["keras dense float32"] = ("keras", {"head": "dense", "precision": "float32"})
for name in ("float32", "bfloat16"):
    LINES[f"ours modern {name}"] = ("ours", {"recipe": "modern", "precision": name})


def config_of(line: str) -> Config:
    """The settings of a line of the table; of "conv" what it counts by."""
    settings = LINES[line][1] if line in LINES else {"head": "gap"}
    return Config.of_recipe(**{"steps": 1_000_000, **settings})


def gflop_of_step(line: str) -> float:
    """Multiplications and additions of a step, 10^9: once forward, twice back."""
    if line.startswith("conv"):
        return 6 * 50 * 28 * 28 * 25 * 16 * 64 / 1e9
    config = config_of(line)
    sizes = config.map1, config.map2, config.reduce1x1, config.hidden
    layers = counts.model_layers(*sizes, config.head, config.module, config.pool)
    count = counts.training_multiplications(layers)
    return 2 * count * config.batch_size / 1e9


def measure(line: str) -> None:
    """Print the median seconds of a step, after three that do not count."""
    if line.startswith("conv"):
        run = convolution(line.split()[1])
    else:
        run = KINDS[LINES[line][0]](config_of(line))
    for _ in range(3):
        run()
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    print(json.dumps([statistics.median(times), peak_memory_gib()]))


def main() -> None:
    """The table."""
    lines = ["conv float32", "conv bfloat16", *LINES]
    found = {line: [] for line in lines}
    for _ in range(ROUNDS):
        for line in lines:
            command = [sys.executable, "-m", __spec__.name, line]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"{line}: {done.stderr.splitlines()[-1]}", file=sys.stderr)
            else:
                found[line].append(json.loads(done.stdout.splitlines()[-1]))
    print("| | images/s | ms a step | GFLOP/s | of the convolution's | peak GiB |")
    print("| --- | --- | --- | --- | --- | --- |")
    rates = {}
    for line, times in found.items():
        if not times:
            continue
        seconds, memory = min(time for time, _ in times), max(m or 0 for _, m in times)
        rates[line] = gflop_of_step(line) / seconds
        share = rates[line] / rates[f"conv {line.split()[-1]}"]
        batch = 50 if line.startswith("conv") else config_of(line).batch_size
        cells = f"{batch / seconds:.0f} | {1e3 * seconds:.1f} | {rates[line]:.0f}"
        print(f"| {line} | {cells} | {share:.0%} | {memory:.1f} |")


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(sys.argv[1])
    else:
        main()

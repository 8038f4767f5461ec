"""How long a training step takes: ours, the post's graph, and PyTorch.

python -m tests.benchmarks.char_rnn       # extra "benchmark"; about five minutes

Every line is a process of its own, on one thread and on two, in turns; the better of
the two counts. 100 nodes, 32 streams, 40 unrollings, gradient descent, clipping.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

NODES, STREAMS, UNROLLINGS, SIZE = 100, 32, 40, 27
STEPS, ROUNDS = 200, 3
RATE, CLIP = 0.1, 1.25
SAME = {"optimizer": "sgd", "initialization": "range"}  # for all programs
# Multiply-adds of the tables' recurrence and of what is left of the output layer, each
# once forward and twice back, at two operations.
FLOPS = 6 * STREAMS * UNROLLINGS * NODES * (NODES + SIZE)


def windows() -> np.ndarray:
    """Random ids, uint8 [STEPS, UNROLLINGS + 1, STREAMS]."""
    shape = (STEPS, UNROLLINGS + 1, STREAMS)
    return np.random.default_rng(0).integers(0, SIZE, shape).astype(np.uint8)


def ours(threads: int, **settings):
    """`char_rnn` with a recipe of settings; one call is STEPS steps."""
    from runkit import start

    start.tensorflow(threads)
    from char_rnn import training
    from char_rnn.config import Config

    trainer = training.Trainer(Config(**SAME | settings), windows().ravel(), SIZE)

    def run():
        for _ in trainer.run(trainer.step + STEPS):
            pass

    return run


def fast(threads: int):
    """The post's Arch 1 as this package trains it."""
    return ours(threads)


def fast_sum(threads: int):
    """Arch 1 with the element-wise sum."""
    return ours(threads, combine="sum")


def plain_compiled(threads: int):
    """The cell step by step, compiled by XLA."""
    return ours(threads, plain=True)


def plain_function(threads: int):
    """The cell step by step in a tf.function without XLA, one call a step."""
    from runkit import start

    start.tensorflow(threads)
    import tensorflow as tf

    from char_rnn.config import Config
    from char_rnn.model import CharRNN

    model = CharRNN(Config(), SIZE)
    state = model.zero_state(STREAMS)

    @tf.function
    def step(window, state):
        with tf.GradientTape() as tape:
            outputs = []
            for x in tf.unstack(tf.one_hot(window[:-1], SIZE)):
                state, o = model.cell(x, state)
                outputs.append(o)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(
                    window[1:], tf.stack(outputs)
                )
            )
        gradients = tape.gradient(loss, model.weights)
        gradients, _ = tf.clip_by_global_norm(gradients, CLIP)
        for weight, gradient in zip(model.weights, gradients, strict=True):
            weight.assign_sub(RATE * gradient)
        return state

    def run():
        nonlocal state
        for window in windows().astype(np.int32):
            state = step(window, state)

    return run


def post_graph(threads: int):
    """The post's graph: placeholders, one-hot arrays from NumPy, a feed dictionary."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow.compat.v1 as tf

    tf.disable_eager_execution()
    make = [tf.truncated_normal(s, 0.0, 0.05) for s in POST_SHAPES]
    U, W, V = (tf.Variable(value) for value in make)
    b, c = tf.Variable(tf.zeros([1, 2 * NODES])), tf.Variable(tf.zeros([1, SIZE]))
    places = [tf.placeholder(tf.float32, [STREAMS, SIZE]) for _ in range(UNROLLINGS)]
    labels = [tf.placeholder(tf.float32, [STREAMS, SIZE]) for _ in range(UNROLLINGS)]
    before = tf.placeholder(tf.float32, [STREAMS, 2 * NODES])
    hidden, outputs = before, []
    for place in places:
        a = tf.concat([tf.matmul(place, U), tf.matmul(hidden, W)], 1) + b
        hidden = tf.nn.relu(a)
        outputs.append(tf.matmul(hidden, V) + c)
    loss = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(
            logits=tf.concat(outputs, 0), labels=tf.concat(labels, 0)
        )
    )
    variables = [U, W, b, V, c]
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), CLIP)
    optimizer = tf.train.GradientDescentOptimizer(RATE)
    train = optimizer.apply_gradients(zip(gradients, variables, strict=True))
    limits = {
        "intra_op_parallelism_threads": threads,
        "inter_op_parallelism_threads": threads,
    }
    session = tf.Session(config=tf.ConfigProto(**limits))
    session.run(tf.global_variables_initializer())
    state = np.zeros([STREAMS, 2 * NODES], np.float32)

    def run():
        nonlocal state
        for window in np.eye(SIZE, dtype=np.float32)[windows()]:
            feed = {before: state}
            feed |= dict(zip(places, window[:-1], strict=True))
            feed |= dict(zip(labels, window[1:], strict=True))
            state, _ = session.run([hidden, train], feed)

    return run


POST_SHAPES = ([SIZE, NODES], [2 * NODES, NODES], [2 * NODES, SIZE])


def torch_rnn(threads: int):
    """torch.nn.RNN of 100 units and a linear layer."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.RNN(SIZE, NODES, nonlinearity="relu")
            self.output = torch.nn.Linear(NODES, SIZE)

        def forward(self, x, h):
            r, h = self.rnn(x, h)
            return self.output(r), h

    return _torch(Network(), (1, STREAMS, NODES), threads)


def torch_cell(threads: int):
    """The post's cell written out in PyTorch."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.U, self.W, self.V = (
                torch.nn.Parameter(0.05 * torch.randn(shape)) for shape in POST_SHAPES
            )
            self.b = torch.nn.Parameter(torch.zeros(2 * NODES))
            self.c = torch.nn.Parameter(torch.zeros(SIZE))

        def forward(self, x, h):
            outputs = []
            for now in x:
                h = torch.relu(torch.cat([now @ self.U, h @ self.W], 1) + self.b)
                outputs.append(h @ self.V + self.c)
            return torch.stack(outputs), h

    return _torch(Network(), (STREAMS, 2 * NODES), threads)


def _torch(network, state_shape, threads: int):
    import torch

    torch.set_num_threads(threads)
    optimizer = torch.optim.SGD(network.parameters(), RATE)
    state = torch.zeros(state_shape)

    def run():
        nonlocal state
        for window in torch.from_numpy(windows().astype(np.int64)):
            x = torch.nn.functional.one_hot(window[:-1], SIZE).float()
            optimizer.zero_grad()
            logits, state = network(x, state)
            loss = torch.nn.functional.cross_entropy(
                logits.reshape(-1, SIZE), window[1:].reshape(-1)
            )
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
            state = state.detach()

    return run


CONTESTANTS = {
    "fast": "char_rnn: Arch 1, concatenated",
    "fast_sum": "char_rnn: Arch 1, summed",
    "plain_compiled": "char_rnn --plain: the cell, XLA",
    "plain_function": "the cell in a tf.function",
    "post_graph": "the post's graph, feed_dict",
    "torch_rnn": "PyTorch nn.RNN, 100 units",
    "torch_cell": "PyTorch, the cell written out",
}


def measure(name: str, threads: int) -> None:
    """Print the milliseconds a step, the best of three runs after a warm one."""
    run = globals()[name](threads)
    run()
    best = np.inf
    for _ in range(3):
        began = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - began)
    print(json.dumps(1e3 * best / STEPS))


def main() -> None:
    """The table."""
    times = {}
    for _ in range(ROUNDS):
        for name in CONTESTANTS:
            for threads in (1, 2):
                command = [sys.executable, "-m", __spec__.name, name, str(threads)]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    print(f"{name}: {done.stderr.splitlines()[-1]}", file=sys.stderr)
                    continue
                spent = float(done.stdout.splitlines()[-1])
                times.setdefault(name, {}).setdefault(threads, []).append(spent)
    print("| | ms a step | threads | ratio |")
    print("| --- | --- | --- | --- |")
    base = None
    for name, title in CONTESTANTS.items():
        if name in times:
            medians = {n: statistics.median(t) for n, t in times[name].items()}
            threads = min(medians, key=medians.get)
            base = base or medians[threads]
            ratio = medians[threads] / base
            print(f"| {title} | {medians[threads]:.2f} | {threads} | {ratio:.1f} |")
    rate = FLOPS / (base * 1e-3) / 1e9
    print(f"\nThe tables need {FLOPS / 1e9:.3f} GFLOP a step: {rate:.0f} GFLOP/s")


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main()

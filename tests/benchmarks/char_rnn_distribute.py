"""What two processes on this machine gain, and what leaving the compiled loop costs.

python -m tests.benchmarks.char_rnn_distribute       # about a minute

Three trainers take turns in the same two processes, on one thread each: without a
strategy, with a strategy of one device (both in one process, while the other waits),
and both workers. The global batch is the same: two workers have half the arithmetic
each. Where other programs share the cores, trust processor time and the minima.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time

import numpy as np

ROUNDS = 5
NETWORKS = {  # settings, and steps a round
    "post, 100 nodes": ({}, 300),
    "modern, 512 nodes": (
        {"recipe": "modern", "num_nodes": 512, "num_unrollings": 50, "batch_size": 64},
        8,
    ),
}


def work(network: str) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds a step of each trainer, by the clock and of the processor, [k]."""
    from runkit import start
    from runkit.workers import cluster, meeting

    ours = cluster.parse(os.environ["TF_CONFIG"])

    def connect():
        from runkit.workers import strategies

        return strategies.multiworker(ours, meeting.bind(ours), "", 300)

    strategy = start.tensorflow(1, connect)
    import tensorflow as tf

    from char_rnn.config import Config
    from char_rnn.distribute import DistributedTrainer
    from char_rnn.training import Trainer

    settings, steps = NETWORKS[network]
    data = np.random.default_rng(0).integers(0, 27, 100_000).astype(np.uint8)
    given = Config.of_recipe(**settings), data, 27
    trainers = {"two workers": DistributedTrainer(*given, strategy)}
    if ours.is_chief:
        one = tf.distribute.OneDeviceStrategy("/CPU:0")
        trainers["no strategy"] = Trainer(*given)
        trainers["one replica"] = DistributedTrainer(*given, one)
    times = {name: [] for name in trainers}
    for turn in range(ROUNDS + 1):
        for name, trainer in trainers.items():
            trainer.steps_per_call = min(trainer.steps_per_call, steps)
            began = time.perf_counter(), time.process_time()
            list(trainer.run(trainer.step + steps))
            ended = time.perf_counter(), time.process_time()
            if turn:  # the first compiles
                spent = (
                    1e3 * (b - a) / steps for a, b in zip(began, ended, strict=True)
                )
                times[name].append(tuple(spent))
    return times


def measure(network: str) -> dict[str, list[tuple[float, float]]]:
    """What the chief of two workers measured."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    processes = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": addresses}, "task": task})
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", __spec__.name, network],
                env=os.environ | {"TF_CONFIG": config},
                stdout=subprocess.PIPE,
            )
        )
    return [json.loads(process.communicate()[0]) for process in processes][0]


def main() -> None:
    """Prints a line of Markdown for each network and trainer."""
    print("| network | trainer | ms a step: median, least | of the chief's processor |")
    print("| --- | --- | --- | --- |")
    for network in NETWORKS:
        for name, rounds in measure(network).items():
            figures = (
                f"{statistics.median(values):.2f}, {min(values):.2f}"
                for values in zip(*rounds, strict=True)
            )
            print(f"| {network} | {name} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(work(sys.argv[1])))
    else:
        main()

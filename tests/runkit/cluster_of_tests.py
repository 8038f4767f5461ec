"""Addresses and TF_CONFIG for workers that the tests start on loopback."""

import contextlib
import json
import socket


def free_addresses(count):
    """Addresses of ports that are free now."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in found]


def tf_config(addresses, index, job="worker"):
    """What TF_CONFIG says to one of the workers."""
    task = {"type": job, "index": index}
    return json.dumps({"cluster": {job: addresses}, "task": task})

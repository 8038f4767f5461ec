"""The workers of one run, as the environment variable TF_CONFIG lists them.

https://www.tensorflow.org/guide/distributed_training, "Setting up TF_CONFIG". The
variable is checked before TensorFlow starts, which answers with tracebacks and hangs.
"""

import collections
import dataclasses
import json

JOBS = ("chief", "worker")
EXAMPLE = (
    '{"cluster": {"worker": ["host0:5000", "host1:5000"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The workers of a run, and which of them this process is.

    Attributes:
        addresses: "host:port" by name, such as "worker 1"; the first is the chief's.
        name: The name of this process.
    """

    addresses: dict[str, str]
    name: str

    @property
    def chief(self) -> str:
        """The one that writes everything: "chief 0", or "worker 0" if none is named."""
        return next(iter(self.addresses))

    @property
    def is_chief(self) -> bool:
        """Whether this process is it."""
        return self.name == self.chief

    def others(self) -> list[str]:
        """The names of the other workers."""
        return [name for name in self.addresses if name != self.name]

    def described(self, name: str) -> str:
        """A worker for people: its name and address."""
        return f"{name} ({self.addresses[name]})"


def parse(text: str | None) -> Cluster:
    """What TF_CONFIG says.

    Raises:
        ValueError: it says nothing, or something that cannot be.
    """
    if not text:
        raise ValueError(
            f"TF_CONFIG is not set: --distribute=multiworker needs it: {EXAMPLE}"
        )
    try:
        return _parse(json.loads(text))
    except ValueError as error:
        raise ValueError(f"TF_CONFIG: {error}; it should be like {EXAMPLE}") from None


def _parse(config: object) -> Cluster:
    jobs, task = (
        config.get(key) if isinstance(config, dict) else None
        for key in ("cluster", "task")
    )
    if not isinstance(jobs, dict) or not jobs:
        raise ValueError('no "cluster"')
    addresses = {}
    for job in sorted(jobs):  # chief before worker
        if job not in JOBS or not isinstance(jobs[job], list):
            raise ValueError(f"{job!r}: the cluster may list {' and '.join(JOBS)}")
        for index, address in enumerate(jobs[job]):
            split(address)
            addresses[f"{job} {index}"] = address
    if not addresses:
        raise ValueError("the cluster names neither a chief nor a worker")
    if "chief 1" in addresses:
        raise ValueError("the cluster names two chiefs")
    for address, times in collections.Counter(addresses.values()).items():
        if times > 1:
            raise ValueError(f"{address} stands there {times} times")
    if not isinstance(task, dict) or not {"type", "index"} <= set(task):
        raise ValueError('no "task" with "type" and "index"')
    name = f"{task['type']} {task['index']}"
    if name not in addresses:
        raise ValueError(f"the task {name!r} is not one of {', '.join(addresses)}")
    return Cluster(addresses, name)


def split(address: object) -> tuple[str, int]:
    """Host and port.

    Raises:
        ValueError: not an address.
    """
    host, _, port = str(address).rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]"), int(port)

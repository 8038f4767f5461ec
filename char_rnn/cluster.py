"""The workers of one run: who they are, by TF_CONFIG, and whether they answer.

TensorFlow waits without end for a worker that never comes, and for one that died while
nobody was talking to it. So the workers meet here before TensorFlow connects them, and
watch one another afterwards, over plain sockets at the addresses of TF_CONFIG.
"""

import collections
import contextlib
import dataclasses
import json
import socket
import threading
import time
from collections.abc import Callable

JOBS = ("chief", "worker")
POLL = 1.0  # seconds between two looks at the others
FAILURES = 15  # looks in a row without an answer: the worker is gone
SILENCE = 2.0  # seconds that one look waits at most
EXAMPLE = (
    '{"cluster": {"worker": ["host0:5000", "host1:5000"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Attributes:
    addresses: "host:port" by name ("worker 1"); the first is the chief's.
    name: which of them this process is.
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
            _split(address)
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


def _split(address: object) -> tuple[str, int]:
    """Host and port.

    Raises:
        ValueError: not an address.
    """
    host, _, port = str(address).rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]"), int(port)


def bind(cluster: Cluster) -> socket.socket:
    """Takes this worker's port, so that no other program can.

    Raises:
        OSError: another program has it.
    """
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        # On all interfaces, as TensorFlow will.
        taken.bind(("", _split(cluster.addresses[cluster.name])[1]))
    except OSError as error:
        taken.close()
        raise OSError(
            f"TF_CONFIG: {cluster.described(cluster.name)}: the port cannot be bound "
            f"({error.strerror})"
        ) from None
    return taken


def meet(
    cluster: Cluster, listener: socket.socket, purpose: str, seconds: float
) -> None:
    """Returns when every worker has answered every other, itself among them.

    Args:
        cluster: the workers.
        listener: of `bind`; closed at the end, so that TensorFlow may have the port.
        purpose: what must be the same everywhere, such as a hash of the settings.
        seconds: to wait at most.

    Raises:
        OSError: some did not answer in time.
        ValueError: a worker is there for another purpose, or is not the one expected.
    """
    hello = json.dumps([cluster.name, purpose]).encode() + b"\n"
    called: dict[str, str] = {}  # who answered us, and their purpose
    callers: dict[str, str] = {}  # whom we answered, and theirs
    missing = dict.fromkeys(cluster.addresses, "")  # the others, and why
    ended = threading.Event()
    thread = threading.Thread(target=_answer, args=(listener, hello, callers, ended))
    thread.start()
    deadline = time.monotonic() + seconds
    try:
        while missing:
            for name in missing.keys() - called.keys():
                try:
                    found, theirs = _call(cluster.addresses[name], hello)
                except (OSError, ValueError) as error:
                    missing[name] = getattr(error, "strerror", None) or str(error)
                    continue
                if found != name:
                    raise ValueError(
                        f"TF_CONFIG: {cluster.described(name)} says it is {found}"
                    )
                called[name], missing[name] = theirs, "it cannot reach this worker"
            known = dict(callers) | called
            for name, theirs in known.items():
                if theirs != purpose:
                    raise ValueError(
                        f"{name} was started with other flags or another text: start "
                        "all with the same"
                    )
            for name in called.keys() & callers.keys():
                missing.pop(name, None)
            if missing and time.monotonic() > deadline:
                listed = ", ".join(
                    f"{cluster.described(name)}: {missing[name]}" for name in missing
                )
                raise TimeoutError(
                    f"no answer within {seconds:g} seconds from {listed}; start it, or "
                    "wait longer with --connect_seconds"
                )
            time.sleep(0.05)
    finally:
        ended.set()
        thread.join()
        listener.close()


def _answer(
    listener: socket.socket,
    hello: bytes,
    callers: dict[str, str],
    ended: threading.Event,
) -> None:
    """Says hello to whoever says hello, and remembers them."""
    listener.listen(128)
    listener.settimeout(0.1)
    while not ended.is_set():
        with contextlib.suppress(OSError, ValueError):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(SILENCE)
                name, theirs = _hear(connection)
                connection.sendall(hello)
                callers[name] = theirs


def _call(address: str, hello: bytes) -> tuple[str, str]:
    """Says hello; returns the name and the purpose of who answers."""
    with socket.create_connection(_split(address), SILENCE) as connection:
        connection.sendall(hello)
        return _hear(connection)


def _hear(connection: socket.socket) -> tuple[str, str]:
    with connection.makefile("rb") as file:
        line = file.readline(1000)
    try:
        name, purpose = json.loads(line)
    except ValueError:
        raise ValueError("what answers there is no worker of char_rnn") from None
    return str(name), str(purpose)


def watch(cluster: Cluster, lost: Callable[[str], None]) -> Callable[[], None]:
    """Looks, until told to stop, whether the others are still there.

    The chief looks at all and the others at the chief: when one dies the chief ends,
    and then the rest.

    Args:
        cluster: the workers.
        lost: told, in a thread of its own, which worker is gone, once.

    Returns:
        What to call to stop.
    """
    stopped = threading.Event()
    failures = dict.fromkeys(
        cluster.others() if cluster.is_chief else [cluster.chief], 0
    )

    def look() -> None:
        while not stopped.wait(POLL):
            for name in failures:
                try:
                    socket.create_connection(
                        _split(cluster.addresses[name]), SILENCE
                    ).close()
                    failures[name] = 0
                except OSError:
                    failures[name] += 1
            gone = [name for name in failures if failures[name] >= FAILURES]
            if gone and not stopped.is_set():
                lost(cluster.described(gone[0]))
                return

    threading.Thread(target=look, daemon=True).start()
    return stopped.set

"""Whether the workers of a run answer: before TensorFlow connects them, and after.

TensorFlow waits without end for a worker that never comes, and for one that died while
nobody was talking to it. So they meet here first and watch one another afterwards, over
plain sockets at the addresses of TF_CONFIG.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable

from runkit.workers.cluster import Cluster, split

POLL = 1.0  # seconds between two looks at the others
FAILURES = 15  # looks in a row without an answer: the worker is gone ...
REFUSALS = 3  # ... or so many that were refused, once its server had been there
SILENCE = 2.0  # seconds that one look waits at most
# A worker that has all of the last exchange may not have sent all of it yet: it stays.
PARTING = 2.0  # seconds


def bind(cluster: Cluster) -> socket.socket:
    """Takes this worker's port, so that no other program can.

    Raises:
        OSError: another program has it.
    """
    both = socket.has_dualstack_ipv6()
    taken = socket.socket(socket.AF_INET6 if both else socket.AF_INET)
    if both:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        # On all interfaces, as TensorFlow will.
        taken.bind(("", split(cluster.addresses[cluster.name])[1]))
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
                        f"{name} was started with other flags or other data: start all "
                        "with the same"
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
    with socket.create_connection(split(address), SILENCE) as connection:
        connection.sendall(hello)
        return _hear(connection)


def _hear(connection: socket.socket) -> tuple[str, str]:
    with connection.makefile("rb") as file:
        line = file.readline(1000)
    try:
        name, purpose = json.loads(line)
    except ValueError:
        raise ValueError("what answers there is not a worker") from None
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
    names = cluster.others() if cluster.is_chief else [cluster.chief]

    def look() -> None:
        failures, seen = dict.fromkeys(names, 0), set()
        while not stopped.wait(POLL):
            for name in names:
                address = split(cluster.addresses[name])
                try:
                    socket.create_connection(address, SILENCE).close()
                    failures[name] = 0
                    seen.add(name)
                except OSError as error:
                    refused = isinstance(error, ConnectionRefusedError)
                    failures[name] += (
                        FAILURES // REFUSALS if refused and name in seen else 1
                    )
            gone = [name for name in names if failures[name] >= FAILURES]
            if gone and not stopped.is_set():
                lost(cluster.described(gone[0]))
                return

    def stop() -> None:
        stopped.set()
        if not cluster.is_chief:
            time.sleep(PARTING)

    threading.Thread(target=look, daemon=True).start()
    return stop

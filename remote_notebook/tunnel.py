"""The remote notebook from start to end (post, sections 1 and 2)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

from remote_notebook import server as jupyter
from remote_notebook.config import Config, Destination
from remote_notebook.server import Server
from remote_notebook.ssh import FORBIDDEN, Interrupted, Link, LinkError, pause
from runkit.exits import Failed

PORTS = 50  # how many to try from the asked one on, as Jupyter does
LONGEST_WAIT = 30.0  # between two tries to reach the machine again
ANSWER_SECONDS = 5.0


def free_ports(first: int) -> Iterator[int]:
    """The ports from `first` on that nothing listens on, on the local loopback."""
    for port in range(first, min(first + PORTS, 65536)):
        with socket.socket() as probe:
            # Else a port that a closed connection still lingers on counts as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


class Tunnel:
    """One notebook on a remote machine, and the way to it.

    Args:
        destination: The machine.
        config: How the notebook is started and reached.
        stop: Set from outside, by a signal, to end it all.
        say: Takes each line about the progress.
        show: Takes the address of the notebook once it answers; it holds the token.
    """

    def __init__(
        self,
        destination: Destination,
        config: Config,
        stop: threading.Event,
        say: Callable[[str], None],
        show: Callable[[str], None],
    ) -> None:
        self._config, self._stop, self._say, self._show = config, stop, say, show
        self._host = destination.host
        self.link = Link(destination, config, stop)
        self._server: Server | None = None
        self._local_port = config.local_port

    def run(self) -> bool:
        """Opens it and keeps it open until asked to stop or until it is lost.

        Returns:
            Whether it was open when asked to stop.

        Raises:
            LinkError: The first login fails, or nothing can be forwarded.
            ServerError: Jupyter does not start.
            Failed: Jupyter has ended, or cannot be stopped.
        """
        opened = False
        try:
            try:
                server = self._open()
                opened = True
                self._keep(server)
            finally:
                self._stop_server()
        except Interrupted:
            pass
        finally:
            self.link.close()
        return opened

    def _open(self) -> Server:
        config = self._config
        self.link.open()
        self._say(f"logged in to {self._host}")
        server = self._server = jupyter.start(config, self.link)
        jupyter.wait_until_found(server, self.link, config.start_seconds, self._pause)
        taken = f" ({config.remote_port} is taken)"
        taken = taken if server.port != config.remote_port else ""
        self._say(
            f"Jupyter, process {server.pid}, listens on port {server.port}{taken}"
        )
        self._dig(server, free_ports(config.local_port))
        if self._local_port != config.local_port:
            self._say(f"local port {config.local_port} is taken")
        self._show(server.url(self._local_port))
        return server

    def _pause(self, seconds: float) -> None:
        pause(self._stop, seconds)

    def _dig(self, server: Server, ports: Iterator[int]) -> None:
        """Forwards the first port that can be, and waits until Jupyter answers."""
        for port in ports:
            if self.link.forward(port, server.port):
                self._local_port = port
                break
        else:
            raise LinkError(f"no local port from {self._config.local_port} on is free")
        deadline = time.monotonic() + self._config.start_seconds
        while not server.answers(self._local_port, ANSWER_SECONDS):
            late = time.monotonic() > deadline
            if late or not self.link.is_open or FORBIDDEN in self.link.errors():
                raise LinkError(f"nothing comes through\n{self.link.errors()}")
            self._pause(0.2)

    def _keep(self, server: Server) -> None:
        while True:
            self._pause(self._config.poll_seconds)
            if self.link.is_open:
                if server.answers(self._local_port, ANSWER_SECONDS):
                    continue
                if self._is_alive(server):
                    continue  # busy, or ssh has yet to notice that the link is dead
            self._reconnect(server)

    def _is_alive(self, server: Server) -> bool:
        try:
            alive = server.is_alive(self.link)
        except LinkError:
            return False
        if not alive:
            self._server = None
            raise Failed(f"the notebook server on {self._host} has ended")
        return True

    def _reconnect(self, server: Server) -> None:
        self._say(f"lost the link to {self._host}; trying again")
        wait, reason = 1.0, ""
        while True:
            try:
                self.link.open()
                if self._is_alive(server):
                    self._dig(server, iter([self._local_port]))
                    break
            except LinkError as error:
                if str(error) != reason:
                    reason = str(error)
                    self._say(reason)
            self._pause(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        self._say("connected again; the address is as before")

    def _stop_server(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        if self._config.keep and server.about:
            self._say(f"left running there: process {server.pid}, port {server.port}")
            return
        self._stop.clear()  # from here on a further Ctrl-C changes nothing
        self._say(f"stopping Jupyter on {self._host}")
        if not (self._stopped(server) or self._stopped(server)):
            raise Failed(
                f"could not stop Jupyter, process {server.pid}: when {self._host} can "
                f"be reached, run kill {server.pid} there"
            )

    def _stopped(self, server: Server) -> bool:
        """Whether it could be stopped, over a new login where the old one is gone."""
        try:
            if not self.link.is_open:
                self.link.open()
            return server.stop(self.link)
        except (LinkError, Interrupted):
            self.link.close_master()
            return False

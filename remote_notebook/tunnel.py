"""The remote notebook from start to end (post, sections 1 and 2)."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from remote_notebook.config import Config, Destination
from remote_notebook.server import Server, ServerError, start
from remote_notebook.ssh import FORBIDDEN, Interrupted, Link, LinkError
from runkit.exits import Failed

PORTS = 50  # how many to try from the asked one on, as Jupyter does
LONGEST_WAIT = 30.0  # between two tries to reach the machine again


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
        self._machine = destination.text
        self.link = Link(destination, config, stop)
        self._server: Server | None = None

    def run(self) -> bool:
        """Opens it and keeps it open until asked to stop or until it is lost.

        Returns:
            Whether it was open when asked to stop.

        Raises:
            LinkError: The first login fails, or nothing comes through the tunnel.
            ServerError: Jupyter does not start.
            Failed: Jupyter has ended, or cannot be stopped.
        """
        opened = False
        try:
            try:
                server, port = self._open()
                opened = True
                self._keep(server, port)
            finally:
                self._stop_server()
        except Interrupted:
            return opened
        finally:
            self.link.close()

    def _open(self) -> tuple[Server, int]:
        """Logs in, starts Jupyter and digs; returns the server and the local port."""
        asked, seconds = self._config.remote_port, self._config.start_seconds
        self.link.open()
        self._say(f"logged in to {self._machine}")
        server = self._server = start(self._config, self.link)
        deadline = time.monotonic() + seconds
        while not server.look(self.link):
            if time.monotonic() > deadline:
                raise ServerError(f"jupyter did not start within {seconds:g} s")
            self.link.pause(0.3)
        taken = "" if server.port == asked else f" ({asked} is taken)"
        where = f"port {server.port}{taken}, process {server.pid}"
        self._say(f"Jupyter listens on its {where}")
        port = self._dig(server, free_ports(self._config.local_port))
        if port != self._config.local_port:
            self._say(f"local port {self._config.local_port} is taken")
        self._show(server.url(port))
        return server, port

    def _dig(self, server: Server, ports: Iterable[int]) -> int:
        """Forwards the first port that can be, and waits until Jupyter answers."""
        port = next((p for p in ports if self.link.forward(p, server.port)), 0)
        if not port:
            raise LinkError(f"no local port from {self._config.local_port} on is free")
        deadline = time.monotonic() + self._config.start_seconds
        while not server.answers(port):
            errors = self.link.errors()
            late = time.monotonic() > deadline
            if late or not self.link.is_open or FORBIDDEN in errors:
                raise LinkError(errors or "nothing comes through the tunnel")
            self.link.pause(0.2)
        return port

    def _keep(self, server: Server, port: int) -> NoReturn:
        while True:
            self.link.pause(self._config.poll_seconds)
            if self.link.is_open and (server.answers(port) or self._is_alive(server)):
                continue  # no answer: busy, or ssh has yet to notice a dead link
            self._reconnect(server, port)

    def _is_alive(self, server: Server) -> bool:
        try:
            alive = server.is_alive(self.link)
        except LinkError:
            return False
        if not alive:
            self._server = None
            raise Failed(f"{self._machine}: the notebook server has ended there")
        return True

    def _reconnect(self, server: Server, port: int) -> None:
        self._say(f"lost the link to {self._machine}; trying again")
        wait, reason, lost = 1.0, "", True
        while lost:
            try:
                self.link.open()
                lost = not self._is_alive(server) or not self._dig(server, [port])
            except LinkError as error:
                if str(error) != reason:
                    reason = str(error)
                    self._say(reason)
            if lost:
                self.link.pause(wait)
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
        self._say(f"stopping Jupyter on {self._machine}")
        if not (self._stopped(server) or self._stopped(server)):
            raise Failed(
                f"{self._machine}: could not stop Jupyter: when the machine can "
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

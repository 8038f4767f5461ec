"""The remote notebook from start to end (post, sections 1 and 2)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

from gpu_setup import server as jupyter
from gpu_setup.config import NotebookConfig
from gpu_setup.server import Server, ServerError
from gpu_setup.ssh import Interrupted, Link, LinkError, pause

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
      config: where and how.
      stop: set from outside, by a signal, to end it all.
      say: takes each line about the progress.
      show: takes the address of the notebook once it answers; it holds the token.
    """

    def __init__(
        self,
        config: NotebookConfig,
        stop: threading.Event,
        say: Callable[[str], None],
        show: Callable[[str], None],
    ) -> None:
        self._config, self._stop, self._say, self._show = config, stop, say, show
        self._host = config.destination.rpartition("@")[2]
        self.link = Link(config, stop)
        self._server: Server | None = None
        self._local_port = config.local_port

    def run(self) -> None:
        """Opens it and keeps it open until asked to stop or until it is lost.

        Raises:
          LinkError: the first login fails.
          ServerError: Jupyter does not start, ends, or cannot be stopped.
        """
        try:
            try:
                self._open()
                self._keep()
            finally:
                self._stop_server()
        except Interrupted:
            pass
        finally:
            self.link.close()

    def _open(self) -> None:
        config = self._config
        self.link.open()
        self._say(f"logged in to {self._host}")
        self._server = jupyter.start(config, self.link)
        jupyter.wait_until_found(
            self._server, self.link, config.start_seconds, self._pause
        )
        port = self._server.port
        taken = f" ({config.remote_port} is taken)" * (port != config.remote_port)
        self._say(f"Jupyter listens on its port {port}{taken}")
        self._dig(free_ports(config.local_port))
        if self._local_port != config.local_port:
            self._say(f"local port {config.local_port} is taken")
        self._show(self._server.url(self._local_port))

    def _pause(self, seconds: float) -> None:
        pause(self._stop, seconds)

    def _dig(self, ports: Iterator[int]) -> None:
        """Forwards the first port that can be, and waits until Jupyter answers."""
        for port in ports:
            if self.link.forward(port, self._server.port):
                self._local_port = port
                break
        else:
            raise LinkError(f"no local port from {self._config.local_port} on is free")
        deadline = time.monotonic() + self._config.start_seconds
        while not self._server.answers(self._local_port, ANSWER_SECONDS):
            if not self.link.is_open or time.monotonic() > deadline:
                raise LinkError(f"nothing comes through: {self.link.last_error()}")
            self._pause(0.2)

    def _keep(self) -> None:
        while True:
            self._pause(self._config.poll_seconds)
            if self.link.is_open and self._answers():
                continue
            if self.link.is_open and self._is_alive():
                continue  # busy, or ssh has yet to notice that the link is dead
            self._reconnect()

    def _answers(self) -> bool:
        return self._server.answers(self._local_port, ANSWER_SECONDS)

    def _is_alive(self) -> bool:
        try:
            alive = self._server.is_alive(self.link)
        except LinkError:
            return False
        if not alive:
            self._server = None
            raise ServerError("the notebook server has ended there")
        return True

    def _reconnect(self) -> None:
        self._say(f"lost the link to {self._host}; trying again")
        wait = 1.0
        while True:
            try:
                self.link.open()
                if self._is_alive():
                    self._dig(iter([self._local_port]))
                    break
            except LinkError:
                pass
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
            raise ServerError(
                f"could not stop Jupyter, process {server.pid}: when the machine can "
                f"be reached, kill {server.pid} there"
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

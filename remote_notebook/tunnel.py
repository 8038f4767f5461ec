"""The remote notebook from start to end (post, sections 1 and 2)."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import NoReturn

from remote_notebook.config import Config
from remote_notebook.server import Server, ServerError, start
from remote_notebook.ssh import FORBIDDEN, Interrupted, Link, LinkError
from runkit.exits import Failed

PORTS = 50  # how many to try from the asked one on, as Jupyter does
LONGEST_WAIT = 30.0  # between two tries to reach the machine again


@dataclasses.dataclass
class Tunnel:
    """One notebook on a remote machine, and the way to it.

    Attributes:
        link: The way to the machine.
        config: How the notebook is started and reached.
        say: Takes each line about the progress.
        show: Takes the address of the notebook once it answers; it holds the token.
        server: Jupyter, once it was started.
    """

    link: Link
    config: Config
    say: Callable[[str], None]
    show: Callable[[str], None]
    server: Server | None = None

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
        asked, seconds = self.config.remote_port, self.config.start_seconds
        self.link.open()
        self.say(f"logged in to {self.link.machine.text}")
        server = self.server = start(self.config, self.link)
        deadline = time.monotonic() + seconds
        while not server.look(self.link):
            if time.monotonic() > deadline:
                raise ServerError(f"jupyter did not start within {seconds:g} s")
            self.link.pause(0.3)
        taken = "" if server.port == asked else f" ({asked} is taken)"
        where = f"port {server.port}{taken}, process {server.pid}"
        self.say(f"Jupyter listens on its {where}")
        first = self.config.local_port
        port = self._dig(server, range(first, min(first + PORTS, 65536)))
        if port != first:
            self.say(f"local port {first} is taken")
        self.show(server.url(port))
        return server, port

    def _dig(self, server: Server, ports: Iterable[int]) -> int:
        """Forwards the first port that can be, and waits until Jupyter answers."""
        port = next((p for p in ports if self.link.forward(p, server.port)), 0)
        if not port:
            raise LinkError(f"no local port from {self.config.local_port} on is free")
        deadline = time.monotonic() + self.config.start_seconds
        while not server.answers(port):
            errors = self.link.errors()
            late = time.monotonic() > deadline
            if late or not self.link.is_open or FORBIDDEN in errors:
                raise LinkError(errors or "nothing comes through the tunnel")
            self.link.pause(0.2)
        return port

    def _keep(self, server: Server, port: int) -> NoReturn:
        while True:
            self.link.pause(self.config.poll_seconds)
            if self.link.is_open and (server.answers(port) or self._is_alive(server)):
                continue  # no answer: busy, or ssh has yet to notice a dead link
            self._reconnect(server, port)

    def _is_alive(self, server: Server) -> bool:
        """Whether it is there; False if the link is broken. Failed if it has ended."""
        with contextlib.suppress(LinkError):
            with contextlib.suppress(ServerError):
                if server.look(self.link):
                    return True
            self.server = None
            raise Failed(
                f"{self.link.machine.text}: the notebook server has ended there"
            )
        return False

    def _reconnect(self, server: Server, port: int) -> None:
        self.say(f"lost the link to {self.link.machine.text}; trying again")
        wait, reason = 1.0, ""
        while True:
            try:
                self.link.open()
                if self._is_alive(server):
                    self._dig(server, [port])
                    break
            except LinkError as error:
                if str(error) != reason:
                    reason = str(error)
                    self.say(reason)
            self.link.pause(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        self.say("connected again; the address is as before")

    def _stop_server(self) -> None:
        server = self.server
        if server is None:
            return
        if self.config.keep and server.about:
            self.say(f"left running there: process {server.pid}, port {server.port}")
            return
        self.link.stop.clear()  # from here on a further Ctrl-C changes nothing
        self.say(f"stopping Jupyter on {self.link.machine.text}")
        for _ in range(2):
            with contextlib.suppress(LinkError, Interrupted):
                if not self.link.is_open:
                    self.link.open()
                if server.stop(self.link):
                    return
            self.link.close_master()
        raise Failed(
            "could not stop Jupyter: when the machine can be reached, run "
            f"kill {server.pid} there"
        )

"""The remote notebook from start to end (post, sections 1 and 2)."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from remote_notebook.config import Config
from remote_notebook.server import Server, ServerError
from remote_notebook.ssh import FORBIDDEN, Interrupted, Link, LinkError
from runkit.exits import Failed

PORTS = 50  # how many to try from the asked one on, as Jupyter does
LONGEST_WAIT = 30.0  # between two tries to reach the machine again


class Tunnel:
    """One notebook on a remote machine, and the way to it.

    Args:
        link: The way to the machine.
        config: How the notebook is started and reached.
        say: Takes each line about the progress.
        show: Takes the address of the notebook once it answers; it holds the token.
    """

    def __init__(
        self,
        link: Link,
        config: Config,
        say: Callable[[str], None],
        show: Callable[[str], None],
    ) -> None:
        self._link, self._config, self._say, self._show = link, config, say, show
        self._server = Server(link)

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
                port = self._open()
                opened = True
                self._keep(port)
            finally:
                self._stop_server()
        except Interrupted:
            return opened
        finally:
            self._link.close()

    def _open(self) -> int:
        """Logs in, starts Jupyter and digs; returns the local port."""
        server, config = self._server, self._config
        self._link.open()
        self._say(f"logged in to {self._link.machine.text}")
        server.start(config)
        deadline = time.monotonic() + config.start_seconds
        while not server.look():
            if time.monotonic() > deadline:
                limit = f"{config.start_seconds:g} s"
                raise ServerError(f"jupyter did not start within {limit}")
            self._link.pause(0.3)
        asked, first = config.remote_port, config.local_port
        taken = "" if server.port == asked else f" ({asked} is taken)"
        where = f"port {server.port}{taken}, process {server.pid}"
        self._say(f"Jupyter listens on its {where}")
        port = self._dig(range(first, min(first + PORTS, 65536)))
        if port != first:
            self._say(f"local port {first} is taken")
        self._show(server.url(port))
        return port

    def _dig(self, ports: Sequence[int]) -> int:
        """Forwards the first port that can be, and waits until Jupyter answers."""
        forwarded = (p for p in ports if self._link.forward(p, self._server.port))
        port = next(forwarded, 0)
        if not port:
            raise LinkError(f"no local port from {ports[0]} on is free")
        deadline = time.monotonic() + self._config.start_seconds
        while not self._server.answers(port):
            errors = self._link.errors()
            late = time.monotonic() > deadline
            if late or not self._link.is_open or FORBIDDEN in errors:
                raise LinkError(errors or "nothing comes through the tunnel")
            self._link.pause(0.2)
        return port

    def _keep(self, port: int) -> NoReturn:
        while True:
            self._link.pause(self._config.poll_seconds)
            if self._link.is_open and (self._server.answers(port) or self._is_alive()):
                continue  # no answer: busy, or ssh has yet to notice a dead link
            self._reconnect(port)

    def _is_alive(self) -> bool:
        """Whether it is there; False if the link is broken. Failed if it has ended."""
        with contextlib.suppress(LinkError):
            with contextlib.suppress(ServerError):
                if self._server.look():
                    return True
            self._server.pid = 0
            raise Failed("the notebook server has ended there")
        return False

    def _reconnect(self, port: int) -> None:
        self._say("lost the link; trying again")
        wait, reason = 1.0, ""
        while True:
            try:
                self._link.open()
                if self._is_alive():
                    self._dig([port])
                    break
            except LinkError as error:
                if str(error) != reason:
                    reason = str(error)
                    self._say(reason)
            self._link.pause(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        self._say("connected again; the address is as before")

    def _stop_server(self) -> None:
        server = self._server
        if not server.pid:
            return
        if self._config.keep and server.about:
            self._say(f"left running there: process {server.pid}, port {server.port}")
            return
        self._link.stop.now = False  # from here on a further Ctrl-C changes nothing
        self._say(f"stopping Jupyter on {self._link.machine.text}")
        for _ in range(2):
            with contextlib.suppress(LinkError, Interrupted):
                if not self._link.is_open:
                    self._link.open()
                if server.stop():
                    return
            self._link.close_master()
        raise Failed(
            "could not stop Jupyter: when the machine can be reached, run "
            f"kill {server.pid} there"
        )

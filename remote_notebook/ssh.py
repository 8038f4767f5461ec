"""One login through the system's OpenSSH, shared by all commands (ssh(1), -M)."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from gpu_setup.config import NotebookConfig

READY = "gpu_setup-ready"
# Ends when this program does, however that happens: `cat` then reads end of file.
HOLD = f"echo {READY}; exec cat"
LOGIN_SECONDS = 120.0  # sshd's default LoginGraceTime: the user may have to type
CLOSE_SECONDS = 3.0
ENDINGS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
OPTIONS = {
    "ServerAliveInterval": "5",  # notices a dead link within 15 s
    "ServerAliveCountMax": "3",
    "ExitOnForwardFailure": "yes",
    "ClearAllForwardings": "yes",  # those of the user's config are for other sessions
    "ControlPersist": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
}


class Interrupted(Exception):
    """The user asked to stop while something was awaited."""


class LinkError(OSError):
    """The remote machine cannot be reached, or not any more."""


def pause(stop: threading.Event, seconds: float) -> None:
    """Sleeps, unless asked to stop.

    Raises:
      Interrupted: `stop` was set.
    """
    if stop.wait(seconds):
        raise Interrupted


def command(config: NotebookConfig, *options: str, remote: str = "") -> list[str]:
    """The ssh command line for a destination; `--` ends what could be an option."""
    argv = ["ssh", *options]
    if config.ssh_config:
        argv += ["-F", os.path.expanduser(config.ssh_config)]
    if config.key:
        argv += ["-i", os.path.expanduser(config.key)]
    return [*argv, "--", config.destination, *([remote] if remote else [])]


def _leave_signals() -> None:
    """What ends this program reaches its whole group; ssh is needed to the last."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)


def _undisturbed(argv: list[str], script: str, seconds: float) -> tuple[int, str, str]:
    """Runs ssh out of reach of Ctrl-C; returns exit code, stdout and stderr.

    The signals are held back for as long as that takes: they would also reach the child
    before it has a session of its own.

    Raises:
      LinkError: the time is up.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        done = subprocess.run(
            argv,
            input=script.encode(),
            capture_output=True,
            timeout=seconds,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LinkError(f"no answer within {seconds:g} s") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    texts = (t.decode(errors="replace") for t in (done.stdout, done.stderr))
    return done.returncode, *texts


def _private_folder() -> Path:
    """A folder of mode 0700, short enough for the socket that ssh makes in it."""
    longest = 80  # of 104 (macOS), less what ssh and the name in it add
    usual = tempfile.gettempdir()
    place = usual if len(usual) < longest - len("/gpu_setup-12345678") else "/tmp"
    return Path(tempfile.mkdtemp(prefix="gpu_setup-", dir=place))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip("@ \r\t")]
    return lines[-1] if lines else "no answer"


class Link:
    """A login that stays open, and what is asked through it.

    Args:
      config: where to and how.
      stop: set from outside to end every wait.
    """

    def __init__(self, config: NotebookConfig, stop: threading.Event) -> None:
        if not shutil.which("ssh"):
            raise FileNotFoundError("ssh is not on PATH: install OpenSSH's client")
        self.folder = _private_folder()
        self._config, self._stop = config, stop
        self._master: subprocess.Popen | None = None
        self._logins = 0

    @property
    def is_open(self) -> bool:
        """Whether ssh still holds the login."""
        return self._master is not None and self._master.poll() is None

    @property
    def _socket(self) -> Path:
        return self.folder / f"s{self._logins}"

    @property
    def _errors(self) -> Path:
        return self.folder / "errors"

    def _host_key_option(self) -> list[str]:
        """The user's StrictHostKeyChecking, unless it accepts a new key unasked."""
        asked = subprocess.run(
            command(self._config, "-G"), capture_output=True, text=True, check=False
        )
        if asked.returncode:
            raise LinkError(_last_line(asked.stderr))
        options = dict(x.partition(" ")[::2] for x in asked.stdout.splitlines())
        if options.get("stricthostkeychecking") in ("ask", "true", "yes"):
            return []
        return ["-o", "StrictHostKeyChecking=ask"]

    def open(self) -> None:
        """Logs in; ssh asks on the terminal for what it must ask.

        Raises:
          LinkError: with the reason that ssh gives.
          Interrupted: asked to stop meanwhile.
        """
        self.close_master()
        self._logins += 1
        options = ["-T", "-M", "-S", str(self._socket), *self._host_key_option()]
        options += ["-o", f"ConnectTimeout={self._config.connect_seconds:.0f}"]
        for name, value in OPTIONS.items():
            options += ["-o", f"{name}={value}"]
        with open(self._errors, "wb") as errors:
            self._master = subprocess.Popen(
                command(self._config, *options, remote=HOLD),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                preexec_fn=_leave_signals,
            )
        self._await_ready()

    def _await_ready(self) -> None:
        output = self._master.stdout.fileno()
        os.set_blocking(output, False)
        text = b""
        deadline = time.monotonic() + self._config.connect_seconds + LOGIN_SECONDS
        while READY.encode() not in text:
            try:
                chunk = os.read(output, 4096)
            except BlockingIOError:
                chunk = None
            if chunk == b"" or time.monotonic() > deadline:
                reason = self.last_error()
                self.close_master()
                raise LinkError(reason)
            text += chunk or b""
            if not chunk:
                pause(self._stop, 0.05)

    def last_error(self) -> str:
        """The last line that ssh wrote."""
        return _last_line(self._errors.read_text(errors="replace"))

    def _shared(self, *options: str) -> list[str]:
        # No configuration: its forwardings would come along with each command. And
        # without a login to share, ssh would quietly make one more: false forbids it.
        argv = ["ssh", "-F", "/dev/null", "-T", "-S", str(self._socket)]
        argv += ["-o", "ProxyCommand=false", *options]
        return [*argv, "--", self._config.destination]

    def run(self, script: str, seconds: float) -> str:
        """Runs a shell script there; neither it nor its values are in a process list.

        Args:
          script: for sh, read from its standard input.
          seconds: the limit.

        Returns:
          What it printed on stdout.

        Raises:
          LinkError: the link broke or the limit passed.
        """
        argv = [*self._shared(), "exec sh -l"]
        code, output, errors = _undisturbed(argv, script, seconds)
        if code < 0 or code == 255:
            raise LinkError(_last_line(errors))
        return output

    def forward(self, local_port: int, remote_port: int) -> bool:
        """Forwards a local port, on loopback at both ends; False if that fails."""
        route = f"127.0.0.1:{local_port}:127.0.0.1:{remote_port}"
        argv = self._shared("-O", "forward", "-L", route)
        return _undisturbed(argv, "", self._config.connect_seconds)[0] == 0

    def close_master(self) -> None:
        """Ends the login; kills ssh if it does not go by itself."""
        if self._master is None:
            return
        self._master.stdin.close()
        try:
            self._master.wait(timeout=CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._master.kill()
            self._master.wait()
        self._master.stdout.close()
        self._master = None

    def close(self) -> None:
        """Ends the login and removes the private folder."""
        self.close_master()
        shutil.rmtree(self.folder, ignore_errors=True)

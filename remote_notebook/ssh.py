"""One login through the system's OpenSSH, shared by all commands (ssh(1), -M)."""

import contextlib
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from remote_notebook.config import Config, Destination
from runkit.stop import Request

READY = "remote_notebook-ready"
# Ends when this program does, however that happens: `cat` then reads end of file.
HOLD = f"echo {READY}; exec cat"
# Removes the private folder as soon as this program has ended, even by SIGKILL.
SWEEP = 'trap "" INT HUP TERM; cat >/dev/null; rm -rf -- "$0"'
LOGIN_SECONDS = 120.0  # sshd's default LoginGraceTime: the user may have to type
CLOSE_SECONDS = 3.0
NAMES = ("SIGINT", "SIGHUP", "SIGTERM")  # Windows has no SIGHUP.
ENDINGS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
OPTIONS = (
    "ServerAliveInterval=5",  # notices a dead link within 15 s
    "ServerAliveCountMax=3",
    "ExitOnForwardFailure=yes",
    "ClearAllForwardings=yes",  # those of the user's config are for other sessions
    "ControlPersist=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "LogLevel=INFO",  # else a configuration may hide the reasons
)
FORBIDDEN = "administratively prohibited"
# What ssh says, and what can be done about it; the first that fits is the cause.
ADVICE = {
    r"Permissions \d+ for '(.+)' are too open": "others can read the key file, so ssh "
    "ignores it; run chmod 600 {}",
    r"Host key for (\S+) has changed": "the machine was installed anew, or someone is "
    "listening in; if you know why its key changed, run {forget}",
    r"Host key verification failed": "the machine's key is not known here; log in once "
    "with ssh on a terminal, and compare the fingerprint that it shows",
    r"Permission denied \(": "the machine refuses this user with this key; check the "
    "user name and --key",
    r"Could not resolve hostname": "no machine has this name; check its spelling",
    r"Connection (refused|timed out)|No route to host": "no ssh server answers; check "
    "that the machine runs and its firewall (a security group in EC2) lets you in",
    r"Session open refused": "its sshd_config allows too few sessions (MaxSessions)",
    FORBIDDEN: "the machine forbids the tunnel; its sshd_config (AllowTcpForwarding, "
    "PermitOpen) and authorized_keys must allow it",
}


class Interrupted(Exception):
    """The user asked to stop while something was awaited."""


class LinkError(OSError):
    """The remote machine cannot be reached, or not any more.

    Args:
        text: What ssh wrote on stderr; its last line becomes the message.

    Attributes:
        lines: The lines before the last one.
    """

    def __init__(self, text: str) -> None:
        text = re.sub(r"token=\w+", "token=...", text)
        lines = dict.fromkeys(line.strip("@ \t\r") for line in text.splitlines())
        lines.pop("", None)
        *self.lines, last = lines or ["no answer"]
        advice = _advice(text)
        super().__init__(f"{last.rstrip('.')}: {advice}" if advice else last)


def _advice(text: str) -> str:
    """What the user can do about an error of ssh; "" if that is not known."""
    for pattern, advice in ADVICE.items():
        if match := re.search(pattern, text):
            name = match[match.lastindex or 0]
            file = re.search(r"^Offending .*key in (.+):\d+\s*$", text, re.M)
            forget = ["ssh-keygen", "-R", name, *(["-f", file[1]] if file else [])]
            return advice.format(shlex.quote(name), forget=shlex.join(forget))
    return ""


def command(
    machine: Destination, config: Config, *options: str, remote: str = ""
) -> list[str]:
    """The ssh command line for a destination; `--` ends what could be an option."""
    argv = ["ssh", *options]
    if config.ssh_config:
        argv += ["-F", os.path.expanduser(config.ssh_config)]
    if config.key:
        argv += ["-i", os.path.expanduser(config.key)]
    if machine.port:
        argv += ["-p", str(machine.port)]
    return [*argv, "--", machine.login, *([remote] if remote else [])]


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """What is started meanwhile is out of reach of what ends this program's group."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ssh(argv: list[str], seconds: float, script: str = "") -> tuple[int, str, str]:
    """Runs ssh without a terminal; returns its exit code, stdout and stderr.

    Raises:
        LinkError: The time is up.
    """
    try:
        with _signals_held_back():
            done = subprocess.run(
                argv,
                input=script,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                start_new_session=True,
            )
    except subprocess.TimeoutExpired as error:
        raise LinkError(f"no answer within {seconds:g} s") from error
    return done.returncode, done.stdout, done.stderr


def _private_folder() -> Path:
    """A folder of mode 0700, short enough for the socket that ssh makes in it."""
    short = len(tempfile.gettempdir()) < 55  # of 104 (macOS); the names need the rest
    place = None if short else "/tmp"
    return Path(tempfile.mkdtemp(prefix="remote_notebook-", dir=place))


class Link:
    """A login that stays open, and what is asked through it.

    Attributes:
        machine: Where it leads.
        stop: Ends every wait. It has no lock, which its signal handler could meet held.
        folder: A private folder that is gone when this program is.
    """

    def __init__(self, machine: Destination, config: Config, stop: Request) -> None:
        if not hasattr(signal, "pthread_sigmask"):
            raise OSError(
                "ssh of Windows cannot share a login (ssh -M): run this in WSL, or "
                "type the two commands of --print_only"
            )
        if not shutil.which("ssh"):
            raise FileNotFoundError("ssh is not on PATH: install OpenSSH's client")
        self.folder = _private_folder()
        sweep = ["sh", "-c", SWEEP, str(self.folder)]
        with _signals_held_back():
            self._sweeper = subprocess.Popen(
                sweep, stdin=subprocess.PIPE, start_new_session=True
            )
        self._output, self._errors = self.folder / "output", self.folder / "errors"
        self.machine, self._config, self.stop = machine, config, stop
        self._master: subprocess.Popen | None = None
        self._logins, self._logged_in = 0, False

    @property
    def is_open(self) -> bool:
        """Whether ssh still holds the login."""
        return self._master is not None and self._master.poll() is None

    def pause(self, seconds: float) -> None:
        """Sleeps; raises Interrupted as soon as it is asked to stop."""
        end = time.monotonic() + seconds
        while not self.stop.now and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        if self.stop.now:
            raise Interrupted

    def _host_key_option(self) -> list[str]:
        """The user's StrictHostKeyChecking, unless it accepts a new key unasked."""
        argv = command(self.machine, self._config, "-G")
        code, output, errors = _ssh(argv, self._config.connect_seconds)
        if code:
            raise LinkError(errors)
        options = dict(line.partition(" ")[::2] for line in output.splitlines())
        if options.get("stricthostkeychecking") in ("ask", "true", "yes"):
            return []
        return ["-o", "StrictHostKeyChecking=ask"]

    def open(self) -> None:
        """Logs in; ssh asks on the terminal for what it must ask.

        Raises:
            LinkError: With the reason that ssh gives.
            Interrupted: Asked to stop meanwhile.
        """
        self.close_master()
        self._logins += 1
        self._socket = self.folder / f"s{self._logins}"
        options = ["-T", "-M", "-S", str(self._socket), *self._host_key_option()]
        limit = f"ConnectTimeout={math.ceil(self._config.connect_seconds)}"
        options += [word for option in (limit, *OPTIONS) for word in ("-o", option)]
        argv = command(self.machine, self._config, *options, remote=HOLD)
        with (
            open(self._output, "wb") as output,
            open(self._errors, "wb") as errors,
            _signals_held_back(),
        ):
            self._master = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=output, stderr=errors
            )
        deadline = time.monotonic() + self._config.connect_seconds + LOGIN_SECONDS
        while READY not in self._output.read_text(errors="replace"):
            if not self.is_open or time.monotonic() > deadline:
                self.close_master()
                raise LinkError(self.errors())
            self.pause(0.05)
        self._logged_in = True

    def errors(self) -> str:
        """What ssh has written on stderr since the last login began."""
        return self._errors.read_text(errors="replace")

    def _shared(self, *options: str) -> list[str]:
        # No configuration: its forwardings would come along with each command. And
        # without a login to share, ssh would quietly make one more: false forbids it.
        argv = ["ssh", "-F", "/dev/null", "-T", "-S", str(self._socket)]
        argv += ["-o", "ProxyCommand=false", *options]
        return [*argv, "--", self.machine.login]

    def run(self, script: str, seconds: float) -> str:
        """Runs a script in sh there; returns its stdout.

        It is read from standard input, so that its values are in no process list.

        Raises:
            LinkError: The link broke or the limit passed.
        """
        argv = [*self._shared(), "exec sh"]
        code, output, errors = _ssh(argv, seconds, script)
        if code < 0 or code == 255:
            raise LinkError(errors)
        return output

    def forward(self, local_port: int, remote_port: int) -> bool:
        """Forwards a local port, on loopback at both ends; False if that fails."""
        route = f"127.0.0.1:{local_port}:127.0.0.1:{remote_port}"
        argv = self._shared("-O", "forward", "-L", route)
        return _ssh(argv, self._config.connect_seconds)[0] == 0

    def close_master(self) -> None:
        """Ends the login; kills ssh if it does not go by itself."""
        if self._master is None:
            return
        if not self._logged_in:
            # Ends an ssh that asks for a password; it lets the terminal echo again.
            self._master.send_signal(signal.SIGALRM)
        try:
            self._master.communicate(timeout=CLOSE_SECONDS)  # closes its input
        except subprocess.TimeoutExpired:
            self._master.kill()
            self._master.wait()
        self._master, self._logged_in = None, False

    def close(self) -> None:
        """Ends the login and removes the private folder."""
        self.close_master()
        self._sweeper.communicate()

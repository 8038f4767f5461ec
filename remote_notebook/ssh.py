"""One login through the system's OpenSSH, shared by all commands (ssh(1), -M)."""

import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from remote_notebook.config import Config, Destination

READY = "remote_notebook-ready"
# Ends when this program does, however that happens: `cat` then reads end of file.
HOLD = f"echo {READY}; exec cat"
# Removes the private folder as soon as this program has ended, even by SIGKILL.
SWEEP = 'trap "" INT HUP TERM; cat >/dev/null; rm -rf -- "$0"'
LOGIN_SECONDS = 120.0  # sshd's default LoginGraceTime: the user may have to type
CLOSE_SECONDS = 3.0
ENDINGS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
OPTIONS = (
    "ServerAliveInterval=5",  # notices a dead link within 15 s
    "ServerAliveCountMax=3",
    "ExitOnForwardFailure=yes",
    "ClearAllForwardings=yes",  # those of the user's config are for other sessions
    "ControlPersist=no",
    "RemoteCommand=none",
    "RequestTTY=no",
)
FORBIDDEN = "administratively prohibited"
# What ssh says, and what can be done about it; the first that fits is the cause.
ADVICE = {
    r"Permissions \d+ for '(.+)' are too open": "others can read the key file, so ssh "
    "ignores it; run {chmod}",
    r"Host key for (\S+) has changed": "the machine was installed anew, or someone is "
    "listening in; if you know why its key changed, run {forget}",
    r"Host key verification failed": "the machine's key is not known here; log in once "
    "with ssh on a terminal, and compare the fingerprint that it shows",
    r"Permission denied \(": "the machine refuses this user with this key; check the "
    "user name and --key",
    r"Could not resolve hostname": "no machine has this name; check its spelling",
    r"Connection (refused|timed out)|No route to host": "no ssh server answers; check "
    "that the machine runs and its firewall (a security group in EC2) lets you in",
    r"Session open refused": "the machine allows too few sessions; its sshd_config needs "
    "a higher MaxSessions",
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
        *self.lines, last = [line for line in dict.fromkeys(lines) if line] or [
            "no answer"
        ]
        advice = _advice(text)
        super().__init__(f"{last.rstrip('.')}: {advice}" if advice else last)


def _advice(text: str) -> str:
    """What the user can do about an error of ssh; "" if that is not known."""
    for pattern, advice in ADVICE.items():
        if match := re.search(pattern, text):
            name = match[match.lastindex or 0]
            file = re.search(r"^Offending .*key in (.+):\d+\s*$", text, re.M)
            forget = ["ssh-keygen", "-R", name, *(["-f", file[1]] if file else [])]
            chmod = ["chmod", "600", name]
            return advice.format(chmod=shlex.join(chmod), forget=shlex.join(forget))
    return ""


def command(
    destination: Destination, config: Config, *options: str, remote: str = ""
) -> list[str]:
    """The ssh command line for a destination; `--` ends what could be an option."""
    argv = ["ssh", *options]
    if config.ssh_config:
        argv += ["-F", os.path.expanduser(config.ssh_config)]
    if config.key:
        argv += ["-i", os.path.expanduser(config.key)]
    if destination.port:
        argv += ["-p", str(destination.port)]
    return [*argv, "--", destination.login, *([remote] if remote else [])]


def _leave_signals() -> None:
    """What ends this program reaches its whole group; ssh is needed to the last."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)


def _undisturbed(argv: list[str], script: str, seconds: float) -> tuple[int, str, str]:
    """Runs ssh out of reach of Ctrl-C; returns its exit code, stdout and stderr.

    The signals are held back for as long as that takes: they would also reach the child
    before it has a session of its own.

    Raises:
        LinkError: The time is up.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
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
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return done.returncode, done.stdout, done.stderr


def _private_folder() -> Path:
    """A folder of mode 0700, short enough for the socket that ssh makes in it."""
    longest = 80  # of 104 (macOS), less what ssh and the name in it add
    usual = tempfile.gettempdir()
    place = usual if len(usual) < longest - len("/remote_notebook-12345678") else "/tmp"
    return Path(tempfile.mkdtemp(prefix="remote_notebook-", dir=place))


class Link:
    """A login that stays open, and what is asked through it.

    Args:
        destination: The machine.
        config: How it is reached.
        stop: Set from outside to end every wait.

    Attributes:
        destination: The machine.
        stop: What ends every wait.
        folder: A private folder that is gone when this program is.
    """

    def __init__(
        self, destination: Destination, config: Config, stop: threading.Event
    ) -> None:
        if not shutil.which("ssh"):
            raise FileNotFoundError("ssh is not on PATH: install OpenSSH's client")
        self.folder = _private_folder()
        self._sweeper = subprocess.Popen(
            ["sh", "-c", SWEEP, str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._output, self._errors = self.folder / "output", self.folder / "errors"
        self.destination, self._config, self.stop = destination, config, stop
        self._master: subprocess.Popen | None = None
        self._logins = 0
        self._logged_in = False

    @property
    def is_open(self) -> bool:
        """Whether ssh still holds the login."""
        return self._master is not None and self._master.poll() is None

    def pause(self, seconds: float) -> None:
        """Sleeps, unless asked to stop.

        Raises:
            Interrupted: Asked to stop.
        """
        if self.stop.wait(seconds):
            raise Interrupted

    def _host_key_option(self) -> list[str]:
        """The user's StrictHostKeyChecking, unless it accepts a new key unasked."""
        argv = command(self.destination, self._config, "-G")
        code, output, errors = _undisturbed(argv, "", self._config.connect_seconds)
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
        options = ["-T", "-M", "-S", self._socket(), *self._host_key_option()]
        limit = f"ConnectTimeout={math.ceil(self._config.connect_seconds)}"
        options += [word for option in (limit, *OPTIONS) for word in ("-o", option)]
        argv = command(self.destination, self._config, *options, remote=HOLD)
        with open(self._output, "wb") as output, open(self._errors, "wb") as errors:
            self._master = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                preexec_fn=_leave_signals,
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

    def _socket(self) -> str:
        return str(self.folder / f"s{self._logins}")

    def _shared(self, *options: str) -> list[str]:
        # No configuration: its forwardings would come along with each command. And
        # without a login to share, ssh would quietly make one more: false forbids it.
        argv = ["ssh", "-F", "/dev/null", "-T", "-S", self._socket()]
        argv += ["-o", "ProxyCommand=false", *options]
        return [*argv, "--", self.destination.login]

    def run(self, script: str, seconds: float) -> str:
        """Runs a script in sh there; returns its stdout.

        It is read from standard input, so that its values are in no process list.

        Raises:
            LinkError: The link broke or the limit passed.
        """
        argv = [*self._shared(), "exec sh"]
        code, output, errors = _undisturbed(argv, script, seconds)
        if code < 0 or code == 255:
            raise LinkError(errors)
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

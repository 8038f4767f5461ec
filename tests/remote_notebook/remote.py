"""A remote machine on this one: a real sshd on loopback with keys of its own."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent
LONG = 180.0  # seconds; a loaded machine may need them, a quick one does not
WHOLE_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
SSHD = shutil.which("sshd", path=WHOLE_PATH)


def missing() -> str:
    """What the tests of the notebook need and this machine lacks."""
    needs = {"sshd": SSHD, "ssh": shutil.which("ssh"), "ps": shutil.which("ps")}
    needs |= {"ssh-keygen": shutil.which("ssh-keygen")}
    needs |= {"jupyter (extra notebook)": (BIN / "jupyter-notebook").exists()}
    return ", ".join(name for name, found in needs.items() if not found)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    """Whether something answers on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(true, what: str, seconds: float = LONG):
    """Polls until something is true, and returns it; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)
    return found


def processes(word: str) -> dict[int, str]:
    """Command lines of the processes that name `word` there or in their variables."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            own = (entry / "environ").read_bytes().decode(errors="replace")
            if line and word in line + own and int(entry.name) != os.getpid():
                found[int(entry.name)] = line
    return found


def descendants(process: int) -> list[int]:
    """The processes below one, by ps."""
    rows = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout.split()
    pairs = list(zip(map(int, rows[::2]), map(int, rows[1::2]), strict=True))
    found, level = [], [process]
    while level:
        level = [p for p, parent in pairs if parent in level]
        found += level
    return found


class Remote:
    """The machine: its sshd, its home folder, and the ssh configuration to reach it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.home, self.port = folder, folder / "home", free_port()
        self.home.mkdir()
        self.forwarded = free_port()
        self.config = folder / "config"
        for name in ("host", "key", "wrong"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"]
            subprocess.run([*command, folder / name], check=True)
        (folder / "authorized").write_text((folder / "key.pub").read_text())
        self.set_path(BIN)
        # What a login gets: a home and a PATH of its own, nothing of this process's.
        (folder / "login").write_text(
            f'#!/bin/sh\nexec env -i HOME="{self.home}" SHELL=/bin/sh '
            'PATH=/usr/bin:/bin LC_ALL=C sh -c "$SSH_ORIGINAL_COMMAND"\n'
        )
        (folder / "login").chmod(0o755)
        self.known_hosts = folder / "known hosts"  # a blank, to find bad quoting
        key = (folder / "host.pub").read_text().rsplit(" ", 1)[0]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}\n")
        self.write_config()
        self.process: subprocess.Popen | None = None

    def set_path(self, *folders: pathlib.Path) -> None:
        """What the profile there puts on PATH."""
        path = ":".join(map(str, [*folders, "/usr/bin", "/bin"]))
        (self.home / ".profile").write_text(f"echo welcome\nexport PATH='{path}'\n")

    def write_config(self, **options: object) -> None:
        """The user's own ~/.ssh/config, with more or other options."""
        lines = {
            "HostName": "127.0.0.1",
            "Port": self.port,
            "IdentityFile": self.folder / "key",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": f'"{self.known_hosts}"',
            "GlobalKnownHostsFile": "/dev/null",
            "LocalForward": f"{self.forwarded} localhost:1",  # for other sessions
        } | options
        text = "\n".join(f"  {name} {value}" for name, value in lines.items())
        self.config.write_text(f"Host box\n{text}\n")

    def start(self, *more: str) -> None:
        """Starts sshd in the foreground, as the user that runs the tests."""
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        settings = self.folder / "sshd_config"
        settings.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\n"
            f"AuthorizedKeysFile {self.folder}/authorized\nStrictModes no\nUsePAM no\n"
            f"PidFile none\nPermitRootLogin yes\nPasswordAuthentication no\n"
            f"KbdInteractiveAuthentication no\nForceCommand {self.folder}/login\n"
            + "".join(f"{line}\n" for line in more)
        )
        log = self.folder / "sshd.log"
        self.process = subprocess.Popen(
            [SSHD, "-D", "-f", settings, "-E", log], start_new_session=True
        )
        until(lambda: listens(self.port), "sshd")

    def cut(self) -> None:
        """Breaks every link that is open now; sshd itself stays."""
        for process in descendants(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """Ends sshd, and nothing that it started in a session of its own."""
        self.cut()
        self.process.kill()
        self.process.wait()


def command(remote: Remote, folder: pathlib.Path, *flags: str):
    """The program's arguments, and its environment: a home and a TMPDIR of its own."""
    argv = [sys.executable, "-m", "remote_notebook", "box", *flags]
    argv += [f"--ssh_config={remote.config}", "--poll_seconds=0.3"]
    here = {"TMPDIR": str(folder / "tmp"), "HOME": str(folder)}
    return argv, {**os.environ, **here}


class Notebook:
    """`python -m remote_notebook` as a user runs it, and what it says."""

    def __init__(
        self, remote: Remote, folder: pathlib.Path, *flags: str, **variables: str
    ) -> None:
        self.output, self.errors = folder / "stdout", folder / "stderr"
        (folder / "tmp").mkdir(exist_ok=True)
        self.folder = folder
        argv, environment = command(remote, folder, *flags)
        environment |= variables
        with open(self.output, "w") as out, open(self.errors, "w") as errors:
            self.process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,  # no terminal to ask on
            )

    def says(self, word: str) -> str:
        """Waits for a line with a word, and returns the line."""

        def line() -> str:
            found = [x for x in self.output.read_text().splitlines() if word in x]
            assert found or self.process.poll() is None, self.errors.read_text()
            return found[-1] if found else ""

        return until(line, f"{word!r} on stdout")

    def signal(self, number: int) -> None:
        """Sends a signal to the program's whole group, as a terminal does."""
        os.killpg(self.process.pid, number)

    def ends(self) -> int:
        """Waits for its exit code."""
        return self.process.wait(timeout=LONG)

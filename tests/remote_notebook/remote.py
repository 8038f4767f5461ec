"""A remote machine on this one: a real sshd on loopback with keys of its own."""

import contextlib
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent
LONG = 180.0  # seconds; a loaded machine may need them, a quick one does not
WHOLE_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
SSHD = shutil.which("sshd", path=WHOLE_PATH)

# A Jupyter that starts at once, where the real one takes seconds: for what is not about
# Jupyter. It writes down how it was called.
STAND_IN = f"""#!{sys.executable}
import http.server, json, os, pathlib, signal, sys
home = pathlib.Path.home()
folder = home / ".local/share/jupyter/runtime"
folder.mkdir(parents=True, exist_ok=True)
if "--runtime-dir" in sys.argv:
    sys.exit(print(folder))
call = {{"argv": sys.argv, "folder": os.getcwd(), "variables": dict(os.environ)}}
(home / "call").write_text(json.dumps(call))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers["Authorization"] == "token 0123abcd"
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(b"{{}}")
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
file = folder / f"jpserver-{{os.getpid()}}.json"
def end(*_):
    file.unlink()
    os._exit(0)
signal.signal(signal.SIGTERM, end)
file.write_text(json.dumps({{"pid": os.getpid(), "port": server.server_port,
                            "token": "0123abcd", "base_url": "/"}}))
server.serve_forever()
"""
# One that never comes to life.
NEVER = '#!/bin/sh\n[ "$1" = --runtime-dir ] && echo /none || exec sleep 1000\n'


def missing() -> str:
    """What the tests of the notebook need and this machine lacks."""
    needs = {"sshd": SSHD, "ssh": shutil.which("ssh"), "ps": shutil.which("ps")}
    needs |= {name: shutil.which(name) for name in ("ssh-keygen", "bash")}
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


def write_program(path: pathlib.Path, text: str) -> pathlib.Path:
    """Writes an executable file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


class Remote:
    """The machine: its sshd, its home folder, and the ssh configuration to reach it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.home, self.port = folder, folder / "home", free_port()
        self.temporary = folder / "temporary"
        self.home.mkdir()
        self.temporary.mkdir()
        self.forwarded = free_port()
        self.config = folder / "config"
        for name in ("host", "key", "wrong"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"]
            subprocess.run([*command, folder / name], check=True)
        (folder / "authorized").write_text((folder / "key.pub").read_text())
        self.set_path(BIN)
        self.set_shell("/bin/sh")
        self.known_hosts = folder / "known hosts"  # a blank, to find bad quoting
        key = (folder / "host.pub").read_text().rsplit(" ", 1)[0]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}\n")
        self.write_config()
        self.process: subprocess.Popen | None = None

    @property
    def variables(self) -> list[str]:
        """What a login gets; nothing of this process's."""
        return [
            f"HOME={self.home}",
            f"SHELL={self.shell}",
            f"TMPDIR={self.temporary}",
            "PATH=/usr/bin:/bin",
            "LC_ALL=C",
        ]

    def set_shell(self, shell: str) -> None:
        """The shell of the user there."""
        self.shell = shell
        variables = " ".join(f'"{each}"' for each in self.variables)
        command = f'exec env -i {variables} {shell} -c "$SSH_ORIGINAL_COMMAND"\n'
        write_program(self.folder / "login", f"#!/bin/sh\n{command}")

    def set_path(self, *folders: pathlib.Path) -> None:
        """What the profile there puts on PATH."""
        path = ":".join(map(str, [*folders, "/usr/bin", "/bin"]))
        (self.home / ".profile").write_text(f"echo welcome\nexport PATH='{path}'\n")

    def install(self, text: str = STAND_IN) -> None:
        """Puts a jupyter on PATH there, and no other."""
        self.set_path(write_program(self.home / "bin" / "jupyter", text).parent)

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


def command(remote: Remote, folder: pathlib.Path, *arguments: str):
    """The program's arguments, and its environment: a home and a TMPDIR of its own.

    The machine is "box", unless the first argument names another.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    if not arguments or arguments[0].startswith("-"):
        arguments = ("box", *arguments)
    argv = [sys.executable, "-m", "remote_notebook", *arguments]
    argv += [f"--ssh_config={remote.config}", "--poll_seconds=0.3"]
    if not any(each.startswith("--local_port") for each in arguments):
        argv += [f"--local_port={free_port()}"]
    here = {"TMPDIR": str(folder / "tmp"), "HOME": str(folder)}
    return argv, {**os.environ, **here}


class Notebook:
    """`python -m remote_notebook` as a user runs it, and what it says."""

    def __init__(
        self, remote: Remote, folder: pathlib.Path, *arguments: str, **variables: str
    ) -> None:
        self.output, self.errors = folder / "stdout", folder / "stderr"
        self.folder = folder
        argv, environment = command(remote, folder, *arguments)
        with open(self.output, "w") as out, open(self.errors, "w") as errors:
            self.process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=environment | variables,
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

    def left(self) -> list[pathlib.Path]:
        """What it has left in its temporary folder here."""
        return list((self.folder / "tmp").iterdir())


class Terminal:
    """`python -m remote_notebook` on a terminal, and what that shows."""

    def __init__(self, remote: Remote, folder: pathlib.Path, *arguments: str) -> None:
        argv, environment = command(remote, folder, *arguments)
        self.process, self.terminal = pty.fork()
        if not self.process:
            os.chdir(ROOT)
            os.execve(argv[0], argv, environment)
        self.screen = ""

    def _read(self, word: str) -> bool:
        if select.select([self.terminal], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # how a terminal says that it is over
                self.screen += os.read(self.terminal, 4096).decode()
        return word in self.screen

    def shows(self, word: str) -> None:
        """Waits for a word."""
        until(lambda: self._read(word), word)

    def types(self, text: bytes) -> None:
        """What a user types; b"\\x03" is Ctrl-C."""
        os.write(self.terminal, text)

    def echoes(self) -> bool:
        """Whether what is typed is shown, as it is not in a password."""
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def ends(self) -> int:
        """Waits for the exit code of the program."""
        process, status = os.waitpid(self.process, os.WNOHANG)
        while not process:
            self._read("")
            process, status = os.waitpid(self.process, os.WNOHANG)
        return os.waitstatus_to_exitcode(status)

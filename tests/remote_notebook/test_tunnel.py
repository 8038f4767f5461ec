"""The remote notebook against a real sshd and a real Jupyter, both on loopback."""

import contextlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import pytest

from tests.remote_notebook.remote import (
    ROOT,
    Notebook,
    Remote,
    command,
    free_port,
    listens,
    missing,
    processes,
    until,
)

pytestmark = pytest.mark.skipif(
    bool(missing()) and not os.environ.get("CI"), reason=f"needs {missing()}"
)


@pytest.fixture
def tmp_path():
    """A short one: the path of a socket may have 104 characters, pytest's have more."""
    with tempfile.TemporaryDirectory(prefix="gs") as folder:
        yield pathlib.Path(folder)


@pytest.fixture
def remote(tmp_path):
    """The remote machine; afterwards nothing of it may be left."""
    assert not missing()
    folder = tmp_path / "remote"
    folder.mkdir()
    machine = Remote(folder)
    machine.start()
    yield machine
    machine.stop()
    left = processes(str(tmp_path))
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert not left


@pytest.fixture
def notebook(remote, tmp_path):
    """Starts the program; ends it, come what may."""
    started = []

    def start(*flags, **environment):
        folder = tmp_path / f"local{len(started)}"
        folder.mkdir()
        started.append(Notebook(remote, folder, *flags, **environment))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


def address(program):
    """(port, token) of the address that the program prints."""
    line = program.says("http://")
    match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/tree\?token=(\w+)", line)
    assert match, line
    return int(match[1]), match[2]


def ask(port, token, path="api/status", data=None):
    """What Jupyter answers through the tunnel."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}",
        data=data,
        headers={"Authorization": f"token {token}"},
    )
    with urllib.request.urlopen(request, timeout=90) as answer:
        return json.load(answer)


COMPUTE = """
import json, sys
from tornado import httpclient, ioloop, websocket
url, token = sys.argv[1], sys.stdin.read()
async def main():
    request = httpclient.HTTPRequest(url, headers={"Authorization": "token " + token})
    connection = await websocket.websocket_connect(request)
    header = {"msg_id": "1", "msg_type": "execute_request", "session": "s",
              "username": "", "version": "5.3", "date": ""}
    content = {"code": "1+1", "silent": False, "store_history": False,
               "user_expressions": {}, "allow_stdin": False}
    await connection.write_message(json.dumps(
        {"header": header, "parent_header": {}, "metadata": {}, "content": content,
         "channel": "shell", "buffers": []}))
    while True:
        message = json.loads(await connection.read_message())
        if message["header"]["msg_type"] == "execute_result":
            return print(message["content"]["data"]["text/plain"])
ioloop.IOLoop.current().run_sync(main, timeout=150)
"""


def compute(port, token):
    """What a new kernel there makes of 1+1."""
    kernel = ask(port, token, "api/kernels", b"{}")["id"]
    url = f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels"
    done = subprocess.run(
        [sys.executable, "-c", COMPUTE, url],
        input=token,
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    return done.stdout.strip()


def server_files(remote):
    return list(remote.home.glob(".local/share/jupyter/runtime/jpserver-*.json"))


def about_server(remote):
    return json.loads(server_files(remote)[0].read_text())


# Starts at once, where the real one takes seconds: for what is not about Jupyter.
STAND_IN = f"""#!{sys.executable}
import http.server, json, os, pathlib, signal, sys
folder = pathlib.Path.home() / ".local/share/jupyter/runtime"
folder.mkdir(parents=True, exist_ok=True)
if "--runtime-dir" in sys.argv:
    sys.exit(print(folder))
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
NEVER = '#!/bin/sh\n[ "$1" = --runtime-dir ] && echo /none || exec sleep 1000\n'


def fake_jupyter(remote, text):
    folder = remote.home / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "jupyter").write_text(text)
    (folder / "jupyter").chmod(0o755)
    remote.set_path(folder)


def test_end_to_end_with_both_ports_taken(remote, notebook, tmp_path):
    (remote.home / "it's $HOME; here").mkdir()
    with socket.socket() as there, socket.socket() as here:
        for holder in (there, here):
            holder.bind(("127.0.0.1", 0))
            holder.listen()
        ports = [s.getsockname()[1] for s in (there, here)]
        program = notebook(
            f"--remote_port={ports[0]}",
            f"--local_port={ports[1]}",
            "--directory=~/it's $HOME; here",
        )
        port, token = address(program)
    assert port != ports[1]
    assert f"({ports[0]} is taken)" in program.says("Jupyter listens")
    assert listens(port) and not listens(remote.forwarded)
    assert compute(port, token) == "2"
    with pytest.raises(urllib.error.HTTPError):  # the token is what lets one in
        ask(port, "not" + token)
    about = about_server(remote)
    assert about["root_dir"] == str(remote.home / "it's $HOME; here")
    assert about["hostname"] == "127.0.0.1"
    lines = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True)
    assert token not in lines.stdout
    assert "remote_notebook" in lines.stdout  # ps does show what it should
    logs = [p for p in tmp_path.rglob("*") if p.is_file() and p != program.output]
    holding = [p.name for p in logs if token in p.read_text(errors="replace")]
    assert all(re.match(r"jpserver-|jupyter_", name) for name in holding), holding
    program.signal(signal.SIGINT)
    assert program.ends() == 0
    assert program.errors.read_text() == ""
    assert not server_files(remote)
    assert not list((program.folder / "tmp").iterdir())


def test_a_cut_link_is_mended_and_double_ctrl_c_leaves_nothing(remote, notebook):
    program = notebook(f"--local_port={free_port()}")
    port, token = address(program)
    before = ask(port, token)["started"]
    remote.cut()
    program.says("lost the link")
    program.says("connected again")
    assert ask(port, token)["started"] == before
    program.signal(signal.SIGINT)
    program.says("stopping")
    program.signal(signal.SIGINT)
    program.signal(signal.SIGINT)
    assert program.ends() == 0
    assert program.errors.read_text() == ""
    assert not server_files(remote)


def test_ctrl_c_while_jupyter_starts_leaves_nothing(remote, notebook):
    fake_jupyter(remote, NEVER)
    program = notebook(f"--local_port={free_port()}")
    program.says("logged in")
    program.signal(signal.SIGINT)
    assert program.ends() == 0
    assert "http://" not in program.output.read_text()


def test_keep_leaves_the_server_there(remote, notebook):
    fake_jupyter(remote, STAND_IN)
    program = notebook("--keep", f"--local_port={free_port()}")
    port, token = address(program)
    program.signal(signal.SIGINT)
    assert program.ends() == 0
    about = about_server(remote)
    assert f"process {about['pid']}" in program.says("left running")
    with pytest.raises(OSError):
        ask(port, token)  # the tunnel is gone
    assert ask(about["port"], token) == {}
    os.kill(about["pid"], signal.SIGTERM)
    # The child of no one here: whoever reaps orphans does it in a moment.
    until(lambda: about["pid"] not in processes(str(remote.home)), "its process's end")


def test_a_server_that_ends_there_is_an_error(remote, notebook):
    fake_jupyter(remote, STAND_IN)
    program = notebook(f"--local_port={free_port()}")
    address(program)
    os.kill(about_server(remote)["pid"], signal.SIGTERM)
    assert program.ends() == 2
    assert "has ended" in program.errors.read_text()


def test_the_machine_goes_down_and_ctrl_c_says_what_is_left(remote, notebook):
    fake_jupyter(remote, STAND_IN)
    program = notebook(f"--local_port={free_port()}", "--connect_seconds=5")
    address(program)
    about = about_server(remote)
    remote.stop()
    program.says("lost the link")
    program.signal(signal.SIGINT)
    assert program.ends() == 2
    errors = program.errors.read_text()
    assert errors.count("\n") == 1 and f"kill {about['pid']}" in errors
    os.kill(about["pid"], signal.SIGTERM)
    until(lambda: about["pid"] not in processes(str(remote.home)), "its process's end")


def refused(program, *words):
    """Asserts one line on stderr with every word, and exit code 2."""
    assert program.ends() == 2
    errors = program.errors.read_text()
    assert errors.count("\n") == 1, errors
    for word in words:
        assert word in errors, errors
    assert not list((program.folder / "tmp").iterdir())


def test_a_wrong_key(remote, notebook):
    remote.write_config(IdentityFile=remote.folder / "wrong")
    refused(notebook(), "box", "Permission denied")


def test_key_flag_is_used(remote, notebook):
    remote.write_config(IdentityFile="none", IdentitiesOnly="no", IdentityAgent="none")
    odd = remote.folder / "a key's; $file"
    odd.write_bytes((remote.folder / "key").read_bytes())
    odd.chmod(0o600)
    program = notebook(f"--key={odd}", "--conda_env=nowhere")
    refused(program, "no conda environment nowhere")  # so the login worked


@pytest.mark.parametrize("checking", ["ask", "no", "accept-new"])
def test_an_unknown_host_is_never_accepted_silently(remote, notebook, checking):
    remote.known_hosts.write_text("")
    remote.write_config(StrictHostKeyChecking=checking)
    refused(notebook(), "Host key verification failed")
    assert remote.known_hosts.read_text() == ""


def test_an_unknown_host_is_asked_about_on_a_terminal(remote, tmp_path):
    fake_jupyter(remote, STAND_IN)
    remote.known_hosts.write_text("")
    (tmp_path / "tmp").mkdir()
    argv, environment = command(remote, tmp_path, f"--local_port={free_port()}")
    process, terminal = pty.fork()
    if not process:
        os.chdir(ROOT)
        os.execve(argv[0], argv, environment)
    screen = ""

    def shows(word):
        nonlocal screen
        if select.select([terminal], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # how a terminal says that it is over
                screen += os.read(terminal, 4096).decode()
        return word in screen

    until(lambda: shows("continue connecting"), "the question")
    os.write(terminal, b"yes\n")
    until(lambda: shows("Ctrl-C ends it"), "the address")
    os.write(terminal, b"\x03\x03")  # Ctrl-C twice, to everyone on the terminal
    until(lambda: shows("stopping Jupyter"), "the end")
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    os.close(terminal)
    assert "ssh-ed25519" in remote.known_hosts.read_text()


def test_through_a_jump_host(remote, notebook):
    fake_jupyter(remote, STAND_IN)
    remote.write_config(ProxyJump="jump")
    with remote.config.open("a") as config:
        config.write(remote.config.read_text().replace("box", "jump", 1))
    text = remote.config.read_text()
    last = text.rindex("  ProxyJump jump\n")
    remote.config.write_text(text[:last] + text[last + len("  ProxyJump jump\n") :])
    program = notebook(f"--local_port={free_port()}")
    port, token = address(program)
    assert ask(port, token) == {}
    program.signal(signal.SIGTERM)
    assert program.ends() == 0
    assert program.errors.read_text() == ""


def test_forwarding_forbidden(remote, notebook):
    remote.stop()
    remote.start("AllowTcpForwarding no")
    fake_jupyter(remote, STAND_IN)
    refused(notebook("--start_seconds=2"), "nothing comes through", "prohibited")


def test_host_down(remote, notebook):
    remote.write_config(Port=free_port())
    refused(notebook(), "box", "Connection refused")


def test_unknown_name(remote, notebook):
    remote.write_config(HostName="no-such-host.invalid")
    refused(notebook(), "no-such-host.invalid")


def test_jupyter_missing(remote, notebook):
    remote.set_path()
    refused(notebook(), "no jupyter", "pip install notebook")


def test_no_such_directory(remote, notebook):
    refused(
        notebook("--directory=/no/such; touch x"), "cannot enter", "/no/such; touch"
    )


def test_jupyter_that_ends_gives_its_reason(remote, notebook):
    fake_jupyter(remote, "#!/bin/sh\necho 'ImportError: no zmq' >&2; exit 1\n")
    refused(notebook(), "jupyter ended: ImportError: no zmq")


def test_jupyter_that_never_starts_is_stopped(remote, notebook):
    fake_jupyter(remote, NEVER)
    refused(notebook("--start_seconds=1"), "did not start within 1 s")


def test_conda_environment_is_activated(remote, notebook):
    fake_jupyter(remote, STAND_IN)
    remote.set_path()  # so that it is found through conda alone
    folder = remote.home / "miniconda3" / "bin"
    folder.mkdir(parents=True)
    seen = remote.home / "seen"
    (folder / "conda").write_text(
        f'#!/bin/sh\nprintf %s "$3" > {seen}\n'
        f"echo \"export PATH='{remote.home}/bin':\\$PATH\"\n"
    )
    (folder / "conda").chmod(0o755)
    program = notebook("--conda_env=a b'c", f"--local_port={free_port()}")
    address(program)
    assert seen.read_text() == "a b'c"
    program.process.send_signal(signal.SIGTERM)
    assert program.ends() == 0
    assert program.errors.read_text() == ""


EVIL = [
    "$(touch {})",
    "`touch {}`",
    "'; touch {}; '",
    '"; touch {}; "',
    "a\\'; touch {}",
]


@pytest.mark.parametrize("flag", ["--directory", "--conda_env"])
def test_no_argument_reaches_a_shell(remote, notebook, tmp_path, flag):
    mark = tmp_path / "touched"
    for program in [notebook(f"{flag}={evil.format(mark)}") for evil in EVIL]:
        assert program.ends() == 2
        assert program.errors.read_text().count("\n") == 1
    assert not mark.exists()


def test_open_keeps_the_token_out_of_the_browsers_arguments(remote, notebook, tmp_path):
    fake_jupyter(remote, STAND_IN)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    browser.chmod(0o755)
    (tmp_path / "asked").touch()
    program = notebook("--open", f"--local_port={free_port()}", BROWSER=str(browser))
    port, token = address(program)
    asked = until(lambda: (tmp_path / "asked").read_text().strip(), "the browser")
    page = pathlib.Path(asked.removeprefix("file://"))
    assert token not in str(page) and page.stat().st_mode & 0o777 == 0o600
    assert f"http://127.0.0.1:{port}/tree?token={token}" in page.read_text()
    program.signal(signal.SIGTERM)
    assert program.ends() == 0
    assert not page.exists()

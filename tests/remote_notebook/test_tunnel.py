"""The remote notebook against a real sshd and a real Jupyter, both on loopback."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.remote_notebook.remote import (
    NEVER,
    listens,
    processes,
    until,
    write_program,
)


def address(program):
    """(port, token) of the address that the program prints."""
    line = program.says("http://")
    match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(\w+)", line)
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


def end_there(pid):
    """Ends a process that is the child of no one here."""
    os.kill(pid, signal.SIGTERM)
    # Whoever reaps orphans does it in a moment.
    until(lambda: pid not in processes(""), "its process's end")


@pytest.mark.slow
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
    assert not program.left()


def test_a_cut_link_is_mended_and_double_ctrl_c_leaves_nothing(remote, notebook):
    remote.install()
    program = notebook()
    port, token = address(program)
    before = about_server(remote)["pid"]
    remote.cut()
    program.says("lost the link")
    program.says("connected again")
    assert ask(port, token) == {}
    assert about_server(remote)["pid"] == before
    program.signal(signal.SIGINT)
    program.says("stopping")
    program.signal(signal.SIGINT)
    program.signal(signal.SIGINT)
    assert program.ends() == 0
    assert program.errors.read_text() == ""
    assert not server_files(remote)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_while_jupyter_starts_it_leaves_nothing(remote, notebook, number):
    remote.install(NEVER)
    program = notebook()
    program.says("logged in")
    program.signal(number)
    assert program.ends() == 130
    assert program.errors.read_text() == ""
    assert "http://" not in program.output.read_text()
    assert not program.left()


def test_killed_it_leaves_the_server_alone(remote, notebook, tmp_path):
    remote.install()
    program = notebook()
    port, token = address(program)
    named = int(program.says("process").rpartition("process ")[2])
    program.signal(signal.SIGKILL)
    until(lambda: not program.left(), "its private folder's end")
    until(lambda: not listens(port), "the tunnel's end")
    about = about_server(remote)
    assert ask(about["port"], token) == {}
    assert not list(remote.temporary.iterdir())
    assert about["pid"] == named
    end_there(named)


def test_killed_while_jupyter_starts_it_leaves_the_log(remote, notebook):
    remote.install(NEVER)
    program = notebook()
    program.says("logged in")
    # Two processes have its name: the server, and for a moment the one that starts it.
    log = until(lambda: list(remote.temporary.iterdir()), "the log")[0]
    server = until(
        lambda: [p for p, x in processes(str(remote.home)).items() if "sleep" in x],
        "the server",
    )
    program.signal(signal.SIGKILL)
    until(lambda: not program.left(), "its private folder's end")
    assert log.name.startswith("remote_notebook.") and log.stat().st_mode & 0o77 == 0
    end_there(server[0])
    log.unlink()


def test_keep_leaves_the_server_there(remote, notebook):
    remote.install()
    program = notebook("--keep")
    port, token = address(program)
    program.signal(signal.SIGINT)
    assert program.ends() == 0
    about = about_server(remote)
    assert f"process {about['pid']}" in program.says("left running")
    with pytest.raises(OSError):
        ask(port, token)  # the tunnel is gone
    assert ask(about["port"], token) == {}
    end_there(about["pid"])


def test_a_server_that_ends_there_is_a_failure(remote, notebook):
    remote.install()
    program = notebook()
    address(program)
    os.kill(about_server(remote)["pid"], signal.SIGTERM)
    assert program.ends() == 1
    assert "box: the notebook server has ended" in program.errors.read_text()


def test_the_machine_goes_down_and_ctrl_c_says_what_is_left(remote, notebook):
    remote.install()
    program = notebook("--connect_seconds=5")
    address(program)
    about = about_server(remote)
    remote.stop()
    program.says("lost the link")
    program.says("Connection refused")
    program.signal(signal.SIGINT)
    assert program.ends() == 1
    errors = program.errors.read_text()
    assert errors.count("\n") == 1 and f"kill {about['pid']}" in errors
    end_there(about["pid"])


def test_through_a_jump_host_and_an_explicit_port(remote, notebook):
    remote.install()
    box = remote.config.read_text().replace(f"Port {remote.port}", "Port 1")
    jump = remote.config.read_text().replace("Host box", "Host jump")
    remote.config.write_text(f"{box}  ProxyJump jump\n{jump}")
    program = notebook(f"box:{remote.port}")
    port, token = address(program)
    assert ask(port, token) == {}
    program.signal(signal.SIGTERM)
    assert program.ends() == 0
    assert program.errors.read_text() == ""


def test_open_keeps_the_token_out_of_the_browsers_arguments(remote, notebook, tmp_path):
    remote.install()
    script = f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n'
    browser = write_program(tmp_path / "browser", script)
    (tmp_path / "asked").touch()
    program = notebook("--open", BROWSER=str(browser))
    port, token = address(program)
    asked = until(lambda: (tmp_path / "asked").read_text().strip(), "the browser")
    page = pathlib.Path(asked.removeprefix("file://"))
    assert token not in str(page) and page.stat().st_mode & 0o777 == 0o600
    assert f"http://127.0.0.1:{port}/?token={token}" in page.read_text()
    program.signal(signal.SIGHUP)  # the terminal is closed
    assert program.ends() == 0
    assert not page.exists()

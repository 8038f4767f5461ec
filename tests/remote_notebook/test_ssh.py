"""Logging in: every reason of a real ssh is shown, with what can be done about it."""

import shlex
import subprocess

import pytest

from remote_notebook.config import Config, destination
from remote_notebook.ssh import LinkError, command
from tests.remote_notebook.remote import Terminal, free_port


def test_a_wrong_key(remote, refused):
    remote.write_config(IdentityFile=remote.folder / "wrong")
    refused(words=["box: ", "Permission denied (publickey)", "--key"])


def test_a_key_file_that_others_can_read(remote, refused):
    key = remote.folder / "a key's; $file"
    key.write_bytes((remote.folder / "key").read_bytes())
    remote.write_config(IdentityFile="none", IdentitiesOnly="no", IdentityAgent="none")
    key.chmod(0o644)
    words = ["UNPROTECTED PRIVATE KEY FILE", "Permissions 0644", "bad permissions"]
    words += ["Permission denied"]
    errors = refused(f"--key={key}", words=words, lines=None)
    advice = errors.rpartition("run ")[2]
    assert shlex.split(advice) == ["chmod", "600", str(key)]
    subprocess.run(advice, shell=True, check=True)
    # The login now works, so the program comes as far as this.
    refused(f"--key={key}", "--conda_env=nowhere", words=["environment nowhere"])


def test_a_host_key_that_has_changed(remote, refused):
    known = remote.known_hosts.read_text()
    other = (remote.folder / "wrong.pub").read_text()
    remote.known_hosts.write_text(f"{known.split()[0]} {other}")
    words = ["IDENTIFICATION HAS CHANGED", "SHA256:", "Offending ED25519 key"]
    errors = refused(words=words, lines=None)
    advice = errors.rpartition("run ")[2]
    forget = ["ssh-keygen", "-R", f"[127.0.0.1]:{remote.port}"]
    assert shlex.split(advice) == [*forget, "-f", str(remote.known_hosts)]
    subprocess.run(advice, shell=True, check=True, capture_output=True)
    assert remote.known_hosts.read_text() == ""


@pytest.mark.parametrize("checking", ["ask", "accept-new"])
def test_an_unknown_host_is_never_accepted_silently(remote, refused, checking):
    remote.known_hosts.write_text("")
    remote.write_config(StrictHostKeyChecking=checking)
    refused(words=["Host key verification failed", "log in once"])
    assert remote.known_hosts.read_text() == ""


def test_an_option_that_ssh_does_not_know(remote, refused):
    remote.write_config(Foo="bar", StrictHostKeyChecking="perhaps")
    words = [f"{remote.config}: line ", "foo", "perhaps", "2 bad configuration options"]
    refused(words=words, lines=3)


def test_a_host_that_is_down_and_an_unknown_name(remote, refused):
    remote.write_config(Port=free_port())
    refused(words=["box", "Connection refused", "firewall"])
    remote.write_config(HostName="no-such-host.invalid")
    refused(words=["no-such-host.invalid", "spelling"])


def test_forwarding_forbidden_is_said_at_once(remote, refused):
    remote.stop()
    remote.start("AllowTcpForwarding no")
    remote.write_config(LogLevel="QUIET")  # which would hide the reason
    remote.install()
    # Without the reason, it would wait for an hour.
    words = ["prohibited", "AllowTcpForwarding"]
    refused("--start_seconds=3600", words=words)


def test_too_few_sessions(remote, refused):
    remote.stop()
    remote.start("MaxSessions 1")
    refused(words=["Session open refused", "MaxSessions"], lines=None)


def test_an_unknown_host_is_asked_about_on_a_terminal(remote, tmp_path):
    remote.install()
    remote.known_hosts.write_text("")
    program = Terminal(remote, tmp_path)
    program.shows("continue connecting")
    program.types(b"yes\n")
    program.shows("Ctrl-C ends it")
    program.types(b"\x03\x03")  # Ctrl-C twice, to everyone on the terminal
    program.shows("stopping Jupyter")
    assert program.ends() == 0
    assert "ssh-ed25519" in remote.known_hosts.read_text()


def test_ctrl_c_while_ssh_asks_for_a_password(remote, tmp_path):
    locked = ["ssh-keygen", "-q", "-p", "-N", "a secret", "-f", remote.folder / "key"]
    subprocess.run(locked, check=True, capture_output=True)
    program = Terminal(remote, tmp_path, "--key=" + str(remote.folder / "key"))
    program.shows("Enter passphrase")
    assert not program.echoes()
    program.types(b"\x03")
    assert program.ends() == 130
    assert program.echoes()
    assert "Traceback" not in program.screen


def test_the_last_line_is_the_message_and_no_token_is_in_any():
    error = LinkError("@@@@\r\n@ one @\r\ntoken=0123abcd\r\n\r\nlast.\r\n")
    assert (error.lines, str(error)) == (["one", "token=..."], "last.")
    assert str(LinkError("")) == "no answer"


def test_every_option_comes_before_the_destination(tmp_path):
    (tmp_path / "key").touch()
    config = Config(key=str(tmp_path / "key"))
    argv = command(destination("me@[::1]:22"), config, "-N", remote="true")
    assert argv[-3:] == ["--", "me@::1", "true"]
    assert argv[-5:-3] == ["-p", "22"]

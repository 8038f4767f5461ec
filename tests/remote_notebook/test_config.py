"""Which machines and settings are understood, and which are refused."""

import re

import pytest

from remote_notebook.config import Config, destination


@pytest.mark.parametrize(
    ("text", "login", "port"),
    [
        ("box", "box", 0),
        ("ubuntu@ec2-35-161-33-142.us-west-2.compute.amazonaws.com:22", None, 22),
        ("user@host:2222", "user@host", 2222),
        ("me@corp@host", "me@corp@host", 0),
        ("user@[::1]:22", "user@::1", 22),
        ("[fe80::1%eth0]", "fe80::1%eth0", 0),
        ("user@fe80::1%eth0", "user@fe80::1%eth0", 0),
        ("::1", "::1", 0),
        ("ssh://user@host:22/", "user@host", 22),
    ],
)
def test_a_machine(text, login, port):
    machine = destination(text)
    assert (machine.login, machine.port) == (login or text.partition(":")[0], port)


@pytest.mark.parametrize(
    "text",
    ["", "-oProxyCommand=x", "u@-oX", "host;touch x", "$(touch x)", "a b", "host\n"]
    + ["host:", "host:0", "host:65536", "host:many", "[host", "user@", "a/b"],
)
def test_what_is_no_machine(text):
    with pytest.raises(ValueError, match="is not a machine"):
        destination(text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"key": "/no/such"}, "--key=/no/such: must be a file"),
        ({"ssh_config": "/no/such"}, "--ssh_config"),
        ({"remote_port": 0}, "--remote_port=0: must be at least 1"),
        ({"local_port": 70000}, "--local_port=70000: must be at most 65535"),
        ({"conda_env": "-n"}, "--conda_env"),
        ({"directory": "a\nb"}, "--directory"),
        ({"poll_seconds": 0}, "--poll_seconds=0: must be above 0"),
        ({"venv": "a", "jupyter": "b"}, "only one of"),
    ],
)
def test_what_is_no_setting(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Config(**settings)


def test_a_key_with_a_percent_sign(tmp_path):
    (tmp_path / "50%").touch()
    with pytest.raises(ValueError, match="no %"):
        Config(key=str(tmp_path / "50%"))


def test_which_jupyter():
    assert (Config().program, Config().interface) == ("", "notebook")
    assert Config(venv="env/").program == "env/bin/jupyter"
    assert Config(lab=True).interface == "lab"
    assert Config(jupyter="/env/bin/jupyter-lab").interface == "lab"

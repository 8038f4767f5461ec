"""Hides who and where in what leaves the machine."""

import functools
import getpass
import os
import platform
import re
import socket
from typing import Any

_UUID = re.compile(
    r"\b(GPU-|MIG-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    re.I,
)
_HOMES = re.compile(r"(/home/|/Users/)[^/\s'\":]+")


@functools.cache
def private_words() -> dict[str, str]:
    """What to hide of this machine: home, host and user, each with its stand-in."""
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):  # a user without a name, as in containers
        user = ""
    hosts = {socket.gethostname(), socket.gethostname().partition(".")[0]}
    hosts.add(platform.node())
    words = {os.path.expanduser("~"): "~"} if user != "root" else {"/root": "~"}
    words |= {host: "HOST" for host in hosts}
    words[user] = "USER"
    common = {"", "/", "root", "localhost", "ubuntu", "tensorflow", "nvidia"}
    return {w: stand for w, stand in words.items() if w not in common}


def redact(text: str) -> str:
    """A text with stand-ins for home folders, host, user and serial numbers."""
    text = _UUID.sub("SERIAL", text)
    text = re.sub(r"(?i)(serial(?: number)?\s*[:=]\s*)\w+", r"\1SERIAL", text)
    words = private_words()
    for word in sorted(words, key=len, reverse=True):
        pattern = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
        text = re.sub(pattern, words[word], text)
    return _HOMES.sub(r"\1USER", text)


def redacted(value: Any) -> Any:
    """The value, redacted if it is a text."""
    return redact(value) if isinstance(value, str) else value

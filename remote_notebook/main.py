"""Opens a Jupyter notebook on a remote machine, through ssh, as the post does by hand.

  python -m gpu_setup.notebook ubuntu@host --key=~/EC2Test.pem
  python -m gpu_setup.notebook ubuntu@host --print_only    the post's two commands

Exit code: 0 stopped by Ctrl-C or SIGTERM, 2 anything that went wrong, in one line.
"""

import contextlib
import dataclasses
import json
import platform
import shlex
import signal
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from gpu_setup import entry, redaction, ssh
from gpu_setup.config import NotebookConfig
from gpu_setup.server import remote_path
from gpu_setup.tunnel import Tunnel

_DEFAULT = NotebookConfig("host")
_KEY = flags.DEFINE_string("key", _DEFAULT.key, "private key file; else as ssh does")
_SSH_CONFIG = flags.DEFINE_string(
    "ssh_config", _DEFAULT.ssh_config, "ssh configuration file; else your own"
)
_REMOTE_PORT = flags.DEFINE_integer(
    "remote_port", _DEFAULT.remote_port, "Jupyter's port there; the next free one"
)
_LOCAL_PORT = flags.DEFINE_integer(
    "local_port", _DEFAULT.local_port, "the port here; the next free one"
)
_CONDA_ENV = flags.DEFINE_string(
    "conda_env", _DEFAULT.conda_env, "activate this conda environment there"
)
_DIRECTORY = flags.DEFINE_string(
    "directory", _DEFAULT.directory, "start there in this folder; else at home"
)
_KEEP = flags.DEFINE_boolean(
    "keep", _DEFAULT.keep, "leave the server running there at the end"
)
_OPEN = flags.DEFINE_boolean("open", False, "open the address in a browser")
_PRINT_ONLY = flags.DEFINE_boolean(
    "print_only", False, "print the post's two commands, and run nothing"
)
_OUT_DIR = flags.DEFINE_string(
    "out_dir", "", "with --print_only, write result.json here as well"
)
_CONNECT_SECONDS = flags.DEFINE_float(
    "connect_seconds", _DEFAULT.connect_seconds, "time limit to reach the machine"
)
_START_SECONDS = flags.DEFINE_float(
    "start_seconds", _DEFAULT.start_seconds, "time limit of Jupyter's start"
)
_POLL_SECONDS = flags.DEFINE_float(
    "poll_seconds", _DEFAULT.poll_seconds, "between two looks at the link"
)


def commands(config: NotebookConfig) -> tuple[str, str]:
    """The post's two commands, quoted for this shell and for the one there."""
    jupyter = (
        f"jupyter notebook --no-browser --ip=127.0.0.1 --port={config.remote_port}"
    )
    if config.conda_env:
        jupyter = f"conda run -n {shlex.quote(config.conda_env)} {jupyter}"
    if config.directory:
        jupyter = f"cd {remote_path(config.directory)} && {jupyter}"
    route = f"127.0.0.1:{config.local_port}:127.0.0.1:{config.remote_port}"
    keep = ("-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=5")
    return (
        shlex.join(ssh.command(config, "-t", remote=jupyter)),
        shlex.join(ssh.command(config, "-N", "-L", route, *keep)),
    )


def open_browser(url: str, folder: Path) -> None:
    """Opens an address by way of a file: a browser's arguments are in process lists."""
    page = folder / "open.html"
    page.touch(mode=0o600)
    page.write_text(f'<meta http-equiv="refresh" content="0; url={url}">\n')
    webbrowser.open(page.as_uri())


def write_result(folder: Path, config: NotebookConfig) -> None:
    """Writes the settings and the two commands as result.json."""
    result = {
        "config": dataclasses.asdict(config),
        "seed": None,  # nothing here is random
        "versions": {"python": platform.python_version()},
        "metrics": {"commands": commands(config)},
    }
    redaction.write_whole(folder / "result.json", json.dumps(result, indent=2) + "\n")


def config_of(argv: Sequence[str]) -> NotebookConfig:
    """The settings; ValueError names the one that is wrong."""
    if len(argv) != 2:
        raise ValueError("name one machine, such as ubuntu@host")
    return NotebookConfig(
        argv[1],
        _KEY.value,
        _SSH_CONFIG.value,
        _REMOTE_PORT.value,
        _LOCAL_PORT.value,
        _CONDA_ENV.value,
        _DIRECTORY.value,
        _KEEP.value,
        _CONNECT_SECONDS.value,
        _START_SECONDS.value,
        _POLL_SECONDS.value,
    )


def main(argv: Sequence[str]) -> int:
    """Opens the tunnel and holds it until a signal comes."""
    config = config_of(argv)
    if _PRINT_ONLY.value:
        print(*commands(config), sep="\n")
        if _OUT_DIR.value:
            write_result(Path(_OUT_DIR.value), config)
        return 0
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # a closed pipe must not keep a server alive
            print(line, flush=True)

    def show(url: str) -> None:
        say(f"{url}\nCtrl-C ends it.")
        if _OPEN.value:
            open_browser(url, tunnel.link.folder)

    tunnel = Tunnel(config, stop, say, show)
    try:
        tunnel.run()
    except OSError as error:
        raise OSError(f"{config.destination}: {error}") from error
    return 0


if __name__ == "__main__":
    entry.run(main)

"""Opens a Jupyter notebook on a remote machine, through ssh, as the post does by hand.

  python -m remote_notebook ubuntu@host --key=~/EC2Test.pem
  python -m remote_notebook ubuntu@host --print_only    prints the post's two commands

Exit codes: 0 ended by Ctrl-C, SIGTERM or a closed terminal once the notebook was open;
130 ended so before; 1 Jupyter has ended, or cannot be stopped; 2 the notebook cannot be
opened.
"""

from runkit import cli  # isort: skip  (first: from here on Ctrl-C is quiet)

import contextlib
import dataclasses
import re
import shlex
import signal
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from remote_notebook import ssh
from remote_notebook.config import Config, Destination, destination
from remote_notebook.server import OPTIONS, PATHS, remote_path
from remote_notebook.tunnel import Tunnel
from runkit import files, settings
from runkit.stop import Request


def define_flags() -> None:
    """Declares a flag for each setting, and those of this module."""
    from absl import flags

    settings.define_flags(Config)
    flags.DEFINE_bool("open", False, "Whether to open the notebook in a browser.")
    flags.DEFINE_bool("print_only", False, "Whether to only print the post's commands.")
    flags.DEFINE_string("out_dir", "", "Folder for result.json, with the commands.")


def commands(machine: Destination, config: Config) -> tuple[str, str]:
    """The post's two commands, quoted for this shell and for the one there.

    >>> import remote_notebook
    >>> machine = remote_notebook.destination("ubuntu@host")
    >>> start, tunnel = remote_notebook.commands(machine, remote_notebook.Config())
    >>> "-N -L 127.0.0.1:8888:127.0.0.1:8886" in tunnel
    True

    Args:
        machine: Where Jupyter shall run.
        config: How it is started and reached.

    Returns:
        The command that starts Jupyter there, and the one that digs the tunnel here.
    """
    program, path = "jupyter", f'"$PATH:{PATHS}"'
    if config.program:
        program = remote_path(config.program)
        path = f"{remote_path(str(PurePosixPath(config.program).parent))}:{path}"
    if config.conda_env:
        program = (
            f"conda run --no-capture-output -n {shlex.quote(config.conda_env)} jupyter"
        )
    jupyter = f"env PATH={path} {program} {config.interface} "
    jupyter += OPTIONS % config.remote_port
    if config.directory:
        jupyter = f"cd {remote_path(config.directory)} && {jupyter}"
    # As one would type it there: with the variables of a login shell.
    quoted = re.sub(r'([\\"$`])', r"\\\1", jupyter)
    typed = f'"$SHELL" -lic "{quoted}"'
    route = f"127.0.0.1:{config.local_port}:127.0.0.1:{config.remote_port}"
    keep = ("-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=5")
    return (
        shlex.join(ssh.command(machine, config, "-t", remote=typed)),
        shlex.join(ssh.command(machine, config, "-N", "-L", route, *keep)),
    )


def open_browser(url: str, folder: Path) -> None:
    """Opens an address by way of a file: a browser's arguments are in process lists."""
    page = folder / "open.html"
    page.touch(mode=0o600)
    page.write_text(f'<meta http-equiv="refresh" content="0; url={url}">\n')
    webbrowser.open(page.as_uri())


def main(argv: Sequence[str]) -> int:
    """Opens the tunnel and holds it until a signal comes."""
    from absl import flags

    if len(argv) != 2:
        raise ValueError("name one machine, such as ubuntu@host")
    machine = destination(argv[1])
    config = Config(**settings.given(Config))
    typed = commands(machine, config)
    if folder := flags.FLAGS.out_dir:
        files.make_folder(folder)
        facts = {"destination": machine.text, **dataclasses.asdict(config)}
        files.write_result(folder, facts, {"commands": typed}, packages=())
    if flags.FLAGS.print_only:
        print(*typed, sep="\n")
        return cli.DONE
    stop = Request()
    for number in ssh.ENDINGS:
        signal.signal(number, lambda *_: setattr(stop, "now", True))

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # a closed pipe must not keep a server
            print(line, flush=True)

    def show(url: str) -> None:
        say(f"{url}\nCtrl-C ends it.")
        if flags.FLAGS.open:
            open_browser(url, link.folder)

    link = ssh.Link(machine, config, stop)
    try:
        opened = Tunnel(link, config, say, show).run()
    except (OSError, cli.Failed) as error:
        for line in getattr(error, "lines", ()):
            print(f"ssh: {line.removeprefix('ssh: ')}", file=sys.stderr)
        kind = OSError if isinstance(error, OSError) else cli.Failed
        raise kind(f"{machine.text}: {error}") from error
    return cli.DONE if opened else cli.INTERRUPTED


def command() -> None:
    """Runs the command."""
    with contextlib.suppress(ImportError):  # `cli.run` says that absl-py is missing.
        define_flags()
    first = ("key", "venv", "directory", "local_port", "print_only")
    cli.run(main, "remote_notebook", first, arguments=True)


if __name__ == "__main__":
    command()

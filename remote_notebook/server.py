"""The Jupyter server on the remote machine: start it, find it, stop it (post, 1)."""

import dataclasses
import http.client
import json
import re
import shlex
import ssl
import time
from collections.abc import Callable
from typing import Any

from gpu_setup.config import NotebookConfig
from gpu_setup.ssh import Link, LinkError

MARK = "gpu_setup:"
ASK_SECONDS = 60.0  # a conda activation and two starts of Python on a small instance
STOP_SECONDS = 20.0
# A shell that nobody types in often lacks these: conda adds them in .bashrc.
FOLDERS = ("anaconda3", "miniconda3", "miniforge3", "mambaforge", ".local")
PATHS = ":".join([f"$HOME/{name}/bin" for name in FOLDERS] + ["/opt/conda/bin"])

# Jupyter looks for a free port by itself where the asked one is taken, so the port is
# read from the file that it writes, as the token is. `setsid` keeps it alive when the
# link breaks. Its log, which holds the token, is removed once the server answers.
START = """
fail() { echo "gpu_setup:error $1"; exit 0; }
PATH="$PATH:%(paths)s"
name=%(conda_env)s
if [ -n "$name" ]; then
  code=$(conda shell.posix activate "$name" 2>/dev/null) && [ -n "$code" ] ||
    fail "no conda environment $name"
  eval "$code"
fi
cd %(directory)s 2>/dev/null || fail "cannot enter the directory "%(directory)s
command -v jupyter >/dev/null || fail "no jupyter: python -m pip install notebook"
root=; [ "$(id -u)" = 0 ] && root=--allow-root
log=$(mktemp) || fail "cannot write a temporary file"
echo "gpu_setup:log $log"
# Fails where nobody listens any more, so that no server is started for nobody.
echo "gpu_setup:runtime $(jupyter --runtime-dir)" || exit 1
$(command -v setsid) jupyter notebook --no-browser --ip=127.0.0.1 \\
  --port=%(port)d $root </dev/null >"$log" 2>&1 &
echo "gpu_setup:pid $!"
"""
# A process that ended and that nobody reaps, as in some containers, is not alive.
IS_ALIVE = """
alive() {
  kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}
"""
LOOK = """
for file in %(runtime)s/jpserver-%(pid)d.json %(runtime)s/nbserver-%(pid)d.json; do
  if grep -q '}' "$file" 2>/dev/null; then
    rm -f %(log)s; echo "gpu_setup:json $(tr -d '\\n' <"$file")"; exit 0
  fi
done
alive %(pid)d && { echo "gpu_setup:json"; exit 0; }
reason=$(grep -v -e '^ ' -e token= %(log)s | grep . | tail -n 1)
echo "gpu_setup:error jupyter ended: $reason"
"""
# Its file goes when it ends; the number alone could be another process's by then.
ALIVE = """
ls %(runtime)s/*server-%(pid)d.json >/dev/null 2>&1 && alive %(pid)d &&
  echo "gpu_setup:alive yes" || echo "gpu_setup:alive no"
"""
STOP = """
kill %(pid)d 2>/dev/null
tries=0
while alive %(pid)d && [ $tries -lt 100 ]; do
  sleep 0.1; tries=$((tries + 1))
done
kill -KILL %(pid)d 2>/dev/null
rm -f %(log)s
alive %(pid)d && echo "gpu_setup:stopped no" || echo "gpu_setup:stopped yes"
"""


class ServerError(OSError):
    """Jupyter cannot be started, or has ended."""


def remote_path(path: str) -> str:
    """Quotes a path for the remote shell, which alone knows what ~ is."""
    if path in ("", "~"):
        return '"$HOME"'
    if path.startswith("~/"):
        return '"$HOME"/' + shlex.quote(path[2:])
    return shlex.quote(path)


def _answers(text: str) -> dict[str, str]:
    """The lines that our scripts print, apart from what a profile may print."""
    return dict(re.findall(rf"^{MARK}(\w+) ?(.*)$", text, re.M))


@dataclasses.dataclass
class Server:
    """A server that was started there, by its process and its files."""

    pid: int
    log: str
    runtime: str
    about: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def port(self) -> int:
        """Where it listens, on the remote loopback."""
        return int(self.about["port"])

    def _ask(self, link: Link, script: str, answer: str, seconds: float) -> str:
        """What a script answers under a name; LinkError where it was not heard out."""
        quoted = {"log": shlex.quote(self.log), "runtime": shlex.quote(self.runtime)}
        filled = (IS_ALIVE + script) % {"pid": self.pid, **quoted}
        answers = _answers(link.run(filled, seconds))
        if "error" in answers:
            raise ServerError(answers["error"])
        if answer not in answers:
            raise LinkError("the remote shell was cut short")
        return answers[answer]

    def look(self, link: Link) -> bool:
        """Reads the server's own file, once it has written it.

        Raises:
          ServerError: it ended instead, with the last line of its log.
        """
        text = self._ask(link, LOOK, "json", ASK_SECONDS)
        self.about = json.loads(text or "{}")
        return bool(self.about)

    def is_alive(self, link: Link) -> bool:
        """Whether its process is there."""
        return self._ask(link, ALIVE, "alive", ASK_SECONDS) == "yes"

    def stop(self, link: Link) -> bool:
        """Ends it and its kernels; False if it will not go."""
        if self.about and not self.is_alive(link):
            return True
        return self._ask(link, STOP, "stopped", STOP_SECONDS) == "yes"

    def url(self, local_port: int) -> str:
        """What to open here; holds the token."""
        scheme = "https" if self.about.get("secure") else "http"
        token = self.about.get("token")
        base = self.about.get("base_url", "/")
        address = f"{scheme}://127.0.0.1:{local_port}{base}tree"
        return f"{address}?token={token}" if token else address

    def answers(self, local_port: int, seconds: float) -> bool:
        """Whether this server, by its token, answers on the local port."""
        if self.about.get("secure"):  # inside ssh; its certificate names another host
            context = ssl._create_unverified_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                "127.0.0.1", local_port, timeout=seconds, context=context
            )
        else:
            connection = http.client.HTTPConnection(
                "127.0.0.1", local_port, timeout=seconds
            )
        token = self.about.get("token")
        path = self.about.get("base_url", "/") + ("api/status" if token else "api")
        headers = {"Authorization": f"token {token}"} if token else {}
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def start(config: NotebookConfig, link: Link) -> Server:
    """Starts Jupyter there, without a browser, on loopback alone.

    Raises:
      ServerError: with the reason, such as no Jupyter or no such directory.
      LinkError: the link broke.
    """
    script = START % {
        "paths": PATHS,
        "conda_env": shlex.quote(config.conda_env),
        "directory": remote_path(config.directory),
        "port": config.remote_port,
    }
    answers = _answers(link.run(script, ASK_SECONDS))
    if "error" in answers:
        raise ServerError(answers["error"])
    if not answers.get("pid", "").isdigit():
        raise ServerError("the remote shell ran nothing: is it a POSIX system?")
    return Server(int(answers["pid"]), answers["log"], answers.get("runtime", ""))


def wait_until_found(
    server: Server, link: Link, seconds: float, pause: Callable[[float], None]
) -> None:
    """Waits for the server's own file.

    Args:
      server: the one that was started.
      link: to where it runs.
      seconds: the limit.
      pause: sleeps for so many seconds; may raise to end the wait.

    Raises:
      ServerError: it ended, or the time was up.
    """
    deadline = time.monotonic() + seconds
    while not server.look(link):
        if time.monotonic() > deadline:
            raise ServerError(f"jupyter did not start within {seconds:g} s")
        pause(0.3)

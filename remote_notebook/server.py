"""The Jupyter server on the remote machine: start it, find it, stop it (post, 1)."""

import dataclasses
import http.client
import json
import re
import shlex
import ssl
from typing import Any
from urllib import request

from remote_notebook.config import Config
from remote_notebook.ssh import Link, LinkError

ASK_SECONDS = 60.0  # a login shell, conda and two starts of Python on a small instance
ANSWER_SECONDS = 5.0
# A shell that nobody types in often lacks these: conda adds them in .bashrc.
FOLDERS = ("anaconda3", "miniconda3", "miniforge3", "mambaforge", ".local")
PATHS = ":".join([f"$HOME/{name}/bin" for name in FOLDERS] + ["/opt/conda/bin"])
OPTIONS = "--no-browser --ip=127.0.0.1 --port=%d --allow-root"  # root has a shell

# The variables are those of a login shell that one types in, so that the Jupyter is the
# one that the post's `jupyter notebook` would start. Jupyter looks for a free port by
# itself where the asked one is taken, so the port is read from the file that it writes,
# as the token is. `setsid` keeps it alive when the link breaks. Its log, which holds
# the token, is removed once the server answers.
START = """
fail() { echo "remote_notebook:error $1"; rm -f "$notebook_log"; exit 0; }
notebook_log=$(mktemp "${TMPDIR:-/tmp}/remote_notebook.XXXXXX") ||
  fail "cannot write a temporary file"
limit=; command -v timeout >/dev/null && limit="timeout 15"
for how in -lic -lc; do
  TERM=dumb $limit "${SHELL:-sh}" $how 'exec sh -c "echo; echo variables:; export -p"' \
    </dev/null >"$notebook_log" 2>/dev/null
  grep -q '^variables:$' "$notebook_log" && break
done
eval "$(sed '1,/^variables:$/d' "$notebook_log")"
PATH="$PATH:%(paths)s"
jupyter=%(program)s name=%(conda_env)s advice="python -m pip install notebook"
case %(venv)s in ?*) export VIRTUAL_ENV=%(venv)s ;; esac
if [ -n "$name" ]; then
  code=$(conda shell.posix activate "$name" 2>/dev/null) && [ -n "$code" ] ||
    fail "there is no conda environment $name"
  eval "$code"
  jupyter=$CONDA_PREFIX/bin/jupyter advice="conda install -n $name notebook"
fi
cd %(directory)s 2>/dev/null || fail "cannot enter the directory "%(directory)s
if [ -n "$jupyter" ]; then
  [ -x "$jupyter" ] || fail "there is no program $jupyter: $advice"
  PATH="$(dirname "$jupyter"):$PATH"
else
  for program in jupyter jupyter-notebook jupyter-lab; do
    jupyter=$(command -v $program) && break
  done || fail "there is no jupyter: $advice"
fi
# pipx shows the programs of one package only, as links; the others are where they lead.
real=$(readlink -f "$jupyter") || real=$jupyter
folder=$(dirname "$real") interface=%(interface)s
case "$jupyter" in */jupyter-lab | */jupyter-notebook) jupyter=$folder/jupyter ;; esac
lab=$folder/jupyter-lab
[ -x "$lab" ] || command -v jupyter-notebook >/dev/null || lab=$(command -v jupyter-lab)
[ -x "$lab" ] && [ ! -x "$folder/jupyter-notebook" ] && interface=lab
echo "remote_notebook:log $notebook_log"
# Fails where nobody listens any more, so that no server is started for nobody.
echo "remote_notebook:runtime $("$jupyter" --runtime-dir)" || exit 1
$(command -v setsid) "$jupyter" $interface %(options)s \\
  </dev/null >"$notebook_log" 2>&1 &
echo "remote_notebook:pid $!"
"""
# The file goes when the server ends: the number alone could be another process's then.
# A process that ended and that nobody reaps, as in some containers, is not alive.
COMMON = """
file=$(ls %(runtime)s/*server-%(pid)d.json 2>/dev/null)
alive() {
  kill -0 %(pid)d 2>/dev/null && ! grep -q '^State:.Z' /proc/%(pid)d/status 2>/dev/null
}
"""
LOOK = """
if ! alive; then
  reason=$(grep -v -e '^ ' -e token= %(log)s 2>/dev/null | grep . | tail -n 1)
  echo "remote_notebook:error jupyter ended: $reason"
elif grep -q '}' "$file" 2>/dev/null; then
  rm -f %(log)s; echo "remote_notebook:json $(tr -d '\\n' <"$file")"
else
  echo "remote_notebook:json"
fi
"""
STOP = """
if [ -n "$file" ] || [ -e %(log)s ]; then
  kill %(pid)d 2>/dev/null
  tries=0
  while alive && [ $tries -lt 100 ]; do
    sleep 0.1; tries=$((tries + 1))
  done
  kill -KILL %(pid)d 2>/dev/null; alive && stopped=no
  rm -f %(log)s
fi
echo "remote_notebook:stopped ${stopped:-yes}"
"""


class ServerError(OSError):
    """Jupyter cannot be started, or has ended."""


def remote_path(path: str) -> str:
    """Quotes a path for the remote shell; the home folder is where it begins."""
    if path.startswith("/"):
        return shlex.quote(path)
    rest = path.removeprefix("~").removeprefix("/")
    return '"$HOME"' + (f"/{shlex.quote(rest)}" if rest else "")


@dataclasses.dataclass
class Server:
    """A server on the remote machine, by its process and its files.

    Attributes:
        link: The way to the machine.
        pid: Its process there; 0 if it was not started, or has ended.
        port: Where it listens, on the remote loopback.
        about: What it writes of itself, once it has started.
    """

    link: Link
    pid: int = 0
    port: int = 0
    about: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    _files: dict[str, str] = dataclasses.field(default_factory=dict)

    def _ask(self, script: str, answer: str, **values: object) -> dict[str, str]:
        """Runs a script; returns what it answers, apart from what a profile prints."""
        text = self.link.run(script % values, ASK_SECONDS)
        answers = dict(re.findall(r"^remote_notebook:(\w+) ?(.*)$", text, re.M))
        if "error" in answers:
            raise ServerError(answers["error"])
        if answer not in answers:
            raise LinkError("the remote shell was cut short, or is no POSIX shell")
        return answers

    def start(self, config: Config) -> None:
        """Starts Jupyter, without a browser, on loopback alone.

        Raises:
            ServerError: With the reason, such as no Jupyter or no such directory.
            LinkError: The link broke.
        """
        answers = self._ask(
            START,
            "pid",
            paths=PATHS,
            program=remote_path(config.program) if config.program else "",
            venv=remote_path(config.venv.rstrip("/")) if config.venv else "''",
            conda_env=shlex.quote(config.conda_env),
            directory=remote_path(config.directory),
            interface=config.interface,
            options=OPTIONS % config.remote_port,
        )
        self.pid = int(answers["pid"])
        self._files = {name: shlex.quote(answers[name]) for name in ("log", "runtime")}

    def look(self) -> bool:
        """Reads the server's own file; False if there is none.

        Raises:
            ServerError: It has ended, for the reason in the last line of its log.
            LinkError: The link broke.
        """
        text = self._ask(COMMON + LOOK, "json", pid=self.pid, **self._files)["json"]
        if text:
            self.about = json.loads(text)
            self.port = self.about["port"]
        return bool(text)

    def stop(self) -> bool:
        """Ends it and its kernels; False if it will not go."""
        answers = self._ask(COMMON + STOP, "stopped", pid=self.pid, **self._files)
        return answers["stopped"] == "yes"

    def url(self, local_port: int) -> str:
        """What to open here; holds the token. Jupyter leads on to its own interface."""
        scheme = "https" if self.about.get("secure") else "http"
        token = self.about.get("token")
        address = f"{scheme}://127.0.0.1:{local_port}{self.about.get('base_url', '/')}"
        return f"{address}?token={token}" if token else address

    def answers(self, local_port: int) -> bool:
        """Whether this server, by its token, answers on the local port."""
        token, url = self.about.get("token"), self.url(local_port).partition("?")[0]
        url += "api/status" if token else "api"
        headers = {"Authorization": f"token {token}"} if token else {}
        # Inside ssh: no proxy, and a certificate that names another host will do.
        context = ssl._create_unverified_context()
        opener = request.build_opener(
            request.ProxyHandler({}), request.HTTPSHandler(context=context)
        )
        try:
            asked = request.Request(url, headers=headers)
            with opener.open(asked, timeout=ANSWER_SECONDS) as answer:
                return answer.status == 200
        except (OSError, http.client.HTTPException):
            return False

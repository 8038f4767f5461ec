"""The download of text8: whole and right, or not at all."""

import functools
import hashlib
import http.server
import threading

import pytest

from char_rnn import download

CONTENT = bytes(range(256)) * 40_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; `breaks` at so many bytes, once; may know no ranges."""

    breaks, ranges, asked = None, True, None

    def do_GET(self):
        start = int(self.headers["Range"][6:-1]) if self.ranges else 0
        self.asked.append(start)
        body = CONTENT[start:]
        self.send_response(206 if self.ranges else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut, type(self).breaks = self.breaks, None
        self.wfile.write(body[:cut])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    """A web server on loopback; its handler's class is `server.handler`."""
    handler = type("Handler", (Server,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.handler = handler
        running.url = f"http://127.0.0.1:{running.server_port}/text8.zip"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_download_arrives_whole_and_tells_of_it(server, tmp_path):
    path, seen = tmp_path / "cache" / "text8.zip", []
    progress = lambda *numbers: seen.append(numbers)  # noqa: E731
    download.fetch(server.url, str(path), len(CONTENT), SHA256, progress)
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(server, tmp_path, ranges):
    path = tmp_path / "text8.zip"
    server.handler.breaks, server.handler.ranges = 3_000_000, ranges
    fetch = functools.partial(
        download.fetch, server.url, str(path), len(CONTENT), SHA256
    )
    with pytest.raises(OSError, match="did not arrive"):
        fetch()
    assert not path.exists()
    fetch()
    assert path.read_bytes() == CONTENT
    assert server.handler.asked == ([0, 3_000_000] if ranges else [0, 0])


def test_a_damaged_download_is_refused_and_can_be_replaced(server, tmp_path):
    path = tmp_path / "text8.zip"
    with pytest.raises(OSError, match="damaged"):
        download.fetch(server.url, str(path), len(CONTENT), "0" * 64)
    assert list(tmp_path.iterdir()) == []
    download.fetch(server.url, str(path), len(CONTENT), SHA256)
    assert path.exists()

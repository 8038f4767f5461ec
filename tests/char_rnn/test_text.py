"""Alphabet, drawing, cleaning, corpora, and the download of text8."""

import functools
import hashlib
import http.server
import threading
import zipfile

import numpy as np
import pytest

from char_rnn import download, text


def test_the_small_tools_of_the_post():
    assert len(text.ALPHABET) == 27
    assert [text.char2id(c) for c in " az"] == [0, 1, 26]
    assert text.id2char(8) == "h"
    assert text.one_hot(np.array([[0, 2]])).tolist()[0][1] == [0, 0, 1] + 24 * [0]
    with pytest.raises(ValueError, match="'é'"):
        text.char2id("é")
    with pytest.raises(ValueError):
        text.char2id("ab")  # the post's `in` takes any part of the alphabet


def test_sample_prob_draws_each_as_often_as_its_probability():
    random = np.random.default_rng(0)
    expected = np.array([0.5, 0.0, 0.3, 0.2])
    draws = [text.sample_prob(expected, random) for _ in range(20_000)]
    shares = np.bincount(draws, minlength=4) / len(draws)
    np.testing.assert_allclose(shares, expected, atol=0.015)
    assert shares[1] == 0


def test_sample_prob_stays_inside_when_the_sum_is_below_one():
    class Highest:
        def random(self):
            return np.nextafter(1, 0)

    assert text.sample_prob(np.array([0.25, 0.25, 0.25]), Highest()) == 2


def test_random_dist_is_a_distribution():
    values = text.random_dist(np.random.default_rng(1), 5)
    assert values.shape == (5,) and values.min() >= 0
    assert values.sum() == pytest.approx(1)


def test_clean_is_how_text8_was_made():
    raw = "The  year 1984;\nWi-Fi — naïve!".encode()
    assert text.clean(raw) == b"the year one nine eight four wi fi na ve"


def test_encode_and_decode_are_inverse_and_name_what_is_unknown():
    ids = text.encode("to be or not")
    assert ids.dtype == np.uint8
    assert text.decode(ids) == "to be or not"
    assert text.decode(text.encode("ß€a", "a€ß"), "a€ß") == "ß€a"
    with pytest.raises(ValueError, match="'B' at character 3 "):
        text.encode("to Be")


def test_embedded_text_is_english_in_the_alphabet():
    corpus = text.load("embedded")
    assert corpus.alphabet == text.ALPHABET
    assert corpus.ids.dtype == np.uint8 and len(corpus.ids) > 200_000
    assert " the statement " in text.decode(corpus.ids)


def test_split_is_90_5_5_in_order():
    ids = np.arange(200, dtype=np.uint8)
    parts = text.Corpus("x", text.ALPHABET, ids).split()
    assert [len(part) for part in parts] == [180, 10, 10]
    assert np.concatenate(parts).tolist() == ids.tolist()


def test_a_file_strict_clean_and_with_its_own_alphabet(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Ünder 2 skies. " * 200)
    with pytest.raises(ValueError, match=r"'Ü' at character 0 .*--alphabet"):
        text.load(str(path))
    cleaned = text.load(str(path), "clean")
    assert text.decode(cleaned.ids[:15]) == "nder two skies "
    own = text.load(str(path), "corpus")
    assert own.alphabet == "".join(sorted(set("Ünder 2 skies. ")))
    assert text.decode(own.ids[:15], own.alphabet) == "Ünder 2 skies. "
    ascii_path = tmp_path / "ascii.txt"
    ascii_path.write_text("AbC?\n" * 500)
    own = text.load(str(ascii_path), "corpus")
    assert (own.alphabet, len(own.ids)) == ("\n?ACb", 2500)


def test_a_zip_of_one_text(tmp_path):
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one", "one text " * 300)
    assert text.decode(text.load(str(path)).ids[:9]) == "one text "


def zipped(*names):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "some text " * 300)

    return write


def damaged_zip(path):
    zipped("one")(path)
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("none.txt", lambda path: None, "no such file"),
        ("empty.txt", lambda path: path.write_text(""), "0 characters"),
        ("short.txt", lambda path: path.write_text("short"), "at least 2000"),
        ("latin.txt", lambda path: path.write_bytes(b"caf\xe9 " * 900), "byte 3"),
        ("none.zip", zipped(), "0 members"),
        ("two.zip", zipped("a", "b"), "2 members"),
        ("cut.zip", damaged_zip, "damaged zip"),
        ("no.zip", lambda path: path.write_text("no zip"), "damaged zip"),
    ],
)
def test_a_bad_corpus_is_named(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises((ValueError, OSError), match=message) as caught:
        text.load(str(tmp_path / name))
    assert name in str(caught.value)


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


def test_text8_from_cache_and_auto_without_a_network(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "URL", "http://127.0.0.1:1/text8.zip")
    corpus = text.load("auto")
    assert corpus.name == "embedded" and "did not arrive" in corpus.note
    folder = tmp_path / "char_rnn"
    with zipfile.ZipFile(folder / "text8.zip", "w") as archive:
        archive.writestr("text8", "anarchism originated as a term " * 100)
    with pytest.raises(OSError, match="not the known text8.zip"):
        text.load("text8")
    raw = (folder / "text8.zip").read_bytes()
    monkeypatch.setattr(download, "BYTES", len(raw))
    monkeypatch.setattr(download, "SHA256", hashlib.sha256(raw).hexdigest())
    corpus = text.load("auto")
    assert (corpus.name, corpus.note) == ("text8", "")
    assert text.decode(corpus.ids[:9]) == "anarchism"

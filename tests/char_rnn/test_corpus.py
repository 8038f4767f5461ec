"""Texts of many kinds of files: read as they are meant, or refused by name."""

import bz2
import codecs
import gzip
import hashlib
import lzma
import random
import zipfile

import numpy as np
import pytest

from char_rnn import corpus, download, text

WORDS = "to be or not to be, Über "
LONG = WORDS * 100
OWN = "".join(sorted(set(WORDS)))


def test_the_embedded_text_is_the_same_on_every_python():
    found = corpus.load("embedded")
    content = text.decode(found.ids[:26])
    assert found.alphabet == text.ALPHABET and content == "chapter one loomings call "
    assert len(found.ids) == 5_026_288
    assert hashlib.sha256(found.ids.tobytes()).hexdigest() == (
        "52ac9624b92c29f0fa5513dc3b2a16feef8a603aee9011fcb5aa4a9d0477114a"
    )


def test_split_is_90_5_5_in_order():
    ids = np.arange(200, dtype=np.uint8)
    parts = corpus.Corpus("x", text.ALPHABET, ids).split()
    assert [len(part) for part in parts] == [180, 10, 10]
    assert np.concatenate(parts).tolist() == ids.tolist()


def test_a_file_strict_clean_and_with_its_own_alphabet(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Ünder 2 skies. " * 200)
    with pytest.raises(ValueError, match=r"'Ü' at character 0 .*--alphabet"):
        corpus.load(str(path))
    cleaned = corpus.load(str(path), "clean")
    assert text.decode(cleaned.ids[:16]) == "under two skies "
    own = corpus.load(str(path), "corpus")
    assert own.alphabet == "".join(sorted(set("Ünder 2 skies. ")))
    assert text.decode(own.ids[:15], own.alphabet) == "Ünder 2 skies. "


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def packed(members):
    def write(path):
        zipped(path, members)

    return write


def folder(members):
    def write(path):
        for name, content in members.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)

    return write


RAW = LONG.encode()
JUNK = {"__MACOSX/._a.txt": b"\0\1", ".DS_Store": b"\0\2", "photo.png": b"\x89PNG"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.txt", RAW),
        ("a.gz", gzip.compress(RAW, mtime=0)),
        ("no_ending", gzip.compress(RAW, mtime=0)),
        ("a.txt.bz2", bz2.compress(RAW)),
        ("a.xz", lzma.compress(RAW)),
        ("bom.txt", codecs.BOM_UTF8 + RAW),
        ("utf16.txt", LONG.encode("utf-16")),
        ("utf16_be.txt", codecs.BOM_UTF16_BE + LONG.encode("utf-16-be")),
        ("utf32.txt", LONG.encode("utf-32")),
        ("one.zip", packed({"whatever": RAW})),
        ("zip_as_txt.txt", packed({"whatever": RAW})),
        ("extras.zip", packed({"text/a.txt": RAW} | JUNK)),
        ("packed_twice.zip", packed({"a.txt.gz": gzip.compress(RAW, mtime=0)})),
        ("folder", folder({"sub/a.txt": RAW} | JUNK)),
        ("folder_of_one", folder({"a.md": RAW, ".hidden": b"\0"})),
    ],
)
def test_text_is_text_however_it_is_packed(tmp_path, name, content):
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    found = corpus.load(str(path), "corpus")
    assert found.alphabet == OWN
    assert text.decode(found.ids, OWN) == LONG


def test_line_ends_and_encodings(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes("Ü\r\na\rb\n".encode("latin-1"))
    with pytest.raises(ValueError, match="mine.txt: byte 0 .*--encoding"):
        corpus.read(str(path))
    assert corpus.read(str(path), "latin-1") == "Ü\na\nb\n"
    path.write_bytes("Ü".encode("utf-16-le"))  # without a mark
    with pytest.raises(ValueError, match="mine.txt"):
        corpus.read(str(path))
    assert corpus.read(str(path), "utf-16-le") == "Ü"
    for wrong in ("no-such", "base64"):
        with pytest.raises(ValueError, match=f"--encoding={wrong}"):
            corpus.read(str(path), wrong)


def test_several_files_are_one_text_in_order(tmp_path):
    for name, content in (("b", "second"), ("a", "first"), ("c,d", "comma")):
        (tmp_path / f"{name}.txt").write_text(content)
    both = f"{tmp_path}/b.txt,{tmp_path}/a.txt"
    assert corpus.read(both) == "second\nfirst"
    assert corpus.read(f"{tmp_path}/c,d.txt") == "comma"
    assert corpus.read(str(tmp_path)) == "first\nsecond\ncomma"
    with pytest.raises(FileNotFoundError, match="none.txt: no such file"):
        corpus.read(f"{both},{tmp_path}/none.txt")


def test_a_validation_text_of_its_own(tmp_path):
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("learn this " * 300)
    other.write_text("measure that " * 30)
    found = corpus.load(str(one), valid=str(other))
    train, valid, test = found.split()
    assert text.decode(train[:10]) == "learn this" and len(train) == 3300
    assert text.decode(valid[:7]) == "measure" and not len(test)
    assert found.digest() != corpus.load(str(one)).digest()
    other.write_text("Measure?" * 30)
    with pytest.raises(ValueError, match="--valid_corpus=.*'M' at character 0"):
        corpus.load(str(one), valid=str(other))
    own = corpus.load(str(one), "corpus", valid=str(other))
    assert {"M", "?"} < set(own.alphabet)
    other.write_text("short")
    with pytest.raises(ValueError, match="--valid_corpus=.*5 characters"):
        corpus.load(str(one), valid=str(other))


def test_an_alphabet_that_is_known(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("abba " * 500)
    assert corpus.load(str(path), "corpus", known="ba x").alphabet == "ba x"
    with pytest.raises(ValueError, match="'a' at character 0"):
        corpus.load(str(path), "corpus", known="b x")


def test_thousands_of_characters(tmp_path):
    path = tmp_path / "chinese.txt"
    path.write_text("".join(map(chr, range(0x4E00, 0x4E00 + 3_000))))
    found = corpus.load(str(path), "corpus")
    assert found.ids.dtype == np.uint16 and len(found.alphabet) == 3_000
    path.write_text("".join(map(chr, range(0x4E00, 0x4E00 + 10_001))))
    with pytest.raises(ValueError, match="10001 characters"):
        corpus.load(str(path), "corpus")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, "no such file"),
        ("empty.txt", b"", "0 characters"),
        ("short.txt", b"short", "5 characters.*2000 are needed"),
        ("latin.txt", b"caf\xe9 " * 900, "byte 3"),
        ("utf16.txt", LONG.encode("utf-16-le"), "utf-16"),
        ("nul.txt", b"some text " * 300 + b"\0", "no text"),
        ("none.zip", packed({}), "0 files"),
        ("two.zip", packed({"a": RAW, "b": RAW}), "2 files"),
        ("no.zip", b"no zip", "damaged"),
        ("cut.gz", gzip.compress(RAW, mtime=0)[:-20], "damaged"),
        ("cut.xz", lzma.compress(RAW)[:-20], "damaged"),
        ("folder", folder({"a.png": b"x", "b.png": b"y"}), "2 files"),
        ("accents.txt", "日本".encode() * 2_000, "0 characters after"),
    ],
)
def test_what_is_no_text_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    if callable(content):
        content(path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises((ValueError, OSError), match=message) as caught:
        corpus.load(str(path), "clean")
    assert name in str(caught.value)


def broken(chance):
    """Some bytes that a user may take for a text."""
    noise = chance.randbytes(chance.randrange(5_000))
    whole = chance.choice(
        [RAW, gzip.compress(RAW, mtime=0), lzma.compress(RAW), bz2.compress(RAW), noise]
    )
    at = chance.randrange(len(whole) + 1)
    return chance.choice(
        [noise, whole[:at], whole[:at] + noise, whole[:at] + b"\0" + whole[at:]]
    )


@pytest.mark.parametrize("seed", range(60))
def test_no_bytes_give_a_traceback(tmp_path, seed):
    """They are a text, or one line says why not."""
    chance = random.Random(seed)
    path = tmp_path / chance.choice(["a.txt", "a.zip", "a.gz", "a"])
    if seed % 3:
        path.write_bytes(broken(chance))
    else:
        zipped(path, {"a.txt": broken(chance), "b.txt": broken(chance)})
        raw = bytearray(path.read_bytes())
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        path.write_bytes(raw)
    encoding = chance.choice(["", "", "latin-1", "utf-16", "cp037", "punycode", "x"])
    alphabet = chance.choice(["strict", "clean", "corpus"])
    try:
        found = corpus.load(str(path), alphabet, encoding)
    except (ValueError, OSError) as error:
        assert str(error) and "\n" not in str(error)
    else:
        text.check_ids(found.ids, len(found.alphabet), least=corpus.LEAST)


def test_text8_from_cache_and_auto_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "URL", "http://127.0.0.1:1/text8.zip")
    found = corpus.load("auto")
    assert found.name == "embedded" and "did not arrive" in found.note
    folder = tmp_path / "char_rnn"
    with zipfile.ZipFile(folder / "text8.zip", "w") as archive:
        archive.writestr("text8", "anarchism originated as a term " * 100)
    with pytest.raises(OSError, match="not the known text8.zip"):
        corpus.load("text8")
    raw = (folder / "text8.zip").read_bytes()
    monkeypatch.setattr(download, "BYTES", len(raw))
    monkeypatch.setattr(download, "SHA256", hashlib.sha256(raw).hexdigest())
    found = corpus.load("auto")
    assert (found.name, found.note) == ("text8", "")
    assert text.decode(found.ids[:9]) == "anarchism"

"""The text to learn from: files of many kinds, split for training and measuring.

Post, "Data".
"""

import bz2
import codecs
import contextlib
import dataclasses
import gzip
import hashlib
import io
import lzma
import os
import pathlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from char_rnn import download, text

EMBEDDED = pathlib.Path(__file__).parent / "data/novels.txt.xz"
SHARES = (0.9, 0.05, 0.05)  # training, validation, test
LEAST = 2_000  # characters to learn from
LEAST_VALID = 200  # characters of a validation text of its own

# The longer ones come first.
BYTE_ORDER_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
BYTE_ORDER_MARKS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
DECOMPRESS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\0": lzma.decompress,
}
DAMAGE = zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError
# Control characters that no text has, which binary files and UTF-16 are full of.
BINARY = re.compile("[\0-\x08\x0e-\x19\x1c-\x1f\ufffe\uffff]")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A text to learn from.

    Attributes:
        name: What the user calls it.
        alphabet: Its characters; a character's id is its place.
        ids: The whole text, [N], uint8 or uint16.
        note: How it came to be chosen, where that may surprise; else "".
        valid: A validation text of its own, [M]; None takes a share of `ids`.
    """

    name: str
    alphabet: str
    ids: np.ndarray
    note: str = ""
    valid: np.ndarray | None = None

    def split(self) -> list[np.ndarray]:
        """Splits the ids, in order, into training, validation and test text.

        With a validation text of its own, all of `ids` is for training, and the test
        text is empty.
        """
        if self.valid is not None:
            return [self.ids, self.valid, self.ids[:0]]
        ends = np.cumsum(np.array(SHARES[:2]) * len(self.ids)).round().astype(int)
        return np.split(self.ids, ends)

    def digest(self) -> str:
        """Hashes the texts and the alphabet."""
        content = self.alphabet.encode("utf-8", "surrogatepass") + self.ids.tobytes()
        if self.valid is not None:
            content += b"validation" + self.valid.tobytes()
        return hashlib.sha256(content).hexdigest()


def load(
    name: str,
    alphabet: str = "strict",
    encoding: str = "",
    valid: str = "",
    known: str = "",
    *,
    progress: download.Progress | None = None,
) -> Corpus:
    """Loads a corpus by its name or path.

    Args:
        name: "auto" (text8 if it is cached or arrives, else embedded), "text8",
            "embedded", or the path of a file or folder, or several with commas.
        alphabet: "strict" refuses characters that the post's alphabet lacks; "clean"
            makes the text fit; "corpus" takes the text's own characters.
        encoding: Of the files; "" means UTF-8 unless a byte order mark says otherwise.
        valid: The path of a validation text, or "".
        known: For "corpus", an alphabet that the text has to keep to; "" means none.
        progress: Told of a download.

    Raises:
        OSError: There is no such file, or text8 did not arrive.
        ValueError: It is not a text that can be learned.
    """
    if name == "auto":
        try:
            return load("text8", alphabet, "", valid, known, progress=progress)
        except OSError as error:
            note = f"{error}: using the embedded text instead"
            found = load("embedded", alphabet, encoding, valid, known)
            return dataclasses.replace(found, note=note)
    if name == "embedded":
        texts = {"corpus": read(str(EMBEDDED), "ascii")}
    elif name == "text8":
        texts = {"corpus": read(download.text8(progress), "ascii")}
    else:
        texts = {"corpus": read(name, encoding)}
    if valid:
        texts["valid_corpus"] = read(valid, encoding, "valid_corpus")
    if alphabet == "clean":
        texts = {flag: text.clean(content) for flag, content in texts.items()}
    characters = known or text.ALPHABET
    if alphabet == "corpus" and not known:
        characters = "".join(sorted(set().union(*texts.values())))
    ids = {}
    for flag, content in texts.items():
        try:
            least = LEAST if flag == "corpus" else LEAST_VALID
            if len(content) < least:
                left = f" after --alphabet={alphabet}" if alphabet == "clean" else ""
                raise ValueError(f"{len(content)} characters{left}: {least} are needed")
            ids[flag] = text.encode(content, characters)
        except ValueError as error:
            place = valid if flag == "valid_corpus" else name
            strict = alphabet == "strict" and len(content) >= least
            hint = ": add --alphabet=clean or corpus" if strict else ""
            raise ValueError(f"--{flag}={place}: {error}{hint}") from None
    return Corpus(name, characters, ids["corpus"], valid=ids.get("valid_corpus"))


def load_for_command(name: str, **options: str) -> Corpus:
    """Loads a corpus by `load`, with a bar for a download and a line about it."""
    from absl import logging

    from runkit.progress import Bar

    with contextlib.ExitStack() as stack:
        bars: list[Bar] = []

        def progress(have: int, size: int) -> None:
            if not bars:
                bars.append(stack.enter_context(Bar(size, "byte")))
            bars[0].update(have)

        corpus = load(name, progress=progress, **options)
    if corpus.note:
        logging.warning("%s", corpus.note)
    counts = len(corpus.ids), len(corpus.alphabet)
    logging.info("%s: %d characters of %d kinds", corpus.name, *counts)
    return corpus


def read(path: str, encoding: str = "", flag: str = "corpus") -> str:
    """Reads the text of a file, of a folder, or of several with commas, in order.

    Compressed files and zips are unpacked. Of a folder or a zip, the text is that of
    its .txt files, or of its only file. All line ends become line feeds.

    Args:
        path: What to read.
        encoding: As for `load`.
        flag: The flag that names the path, for messages.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged, or is no text.
    """
    paths = [path] if os.path.exists(path) else path.split(",")
    try:
        contents = [each for one in paths for each in _files(one, flag)]
        return "\n".join(_decode(raw, encoding, name) for name, raw in contents)
    except ValueError as error:
        raise ValueError(f"--{flag}={error}") from None


def _files(path: str, flag: str) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the texts in a file or a folder."""
    if os.path.isdir(path):
        names = [
            os.path.relpath(os.path.join(folder, name), path)
            for folder, _, members in os.walk(path)
            for name in members
        ]
        for name in _texts(path, names):
            yield from _files(os.path.join(path, name), flag)
        return
    if not os.path.isfile(path):
        hint = "; or give auto, text8 or embedded" if flag == "corpus" else ""
        raise FileNotFoundError(f"--{flag}={path}: no such file{hint}")
    with open(path, "rb") as file:
        raw = file.read()
    try:
        yield from _unpack(path, raw)
    except DAMAGE as error:
        raise ValueError(f"{path}: the file is damaged ({error})") from None


def _unpack(path: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    if raw.startswith(b"PK\x03\x04") or path.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [item.filename for item in archive.infolist() if not item.is_dir()]
            for name in _texts(path, names):
                yield from _unpack(f"{path}/{name}", archive.read(name))
        return
    for magic, decompress in DECOMPRESS.items():
        if raw.startswith(magic):
            yield path, decompress(raw)
            return
    yield path, raw


def _texts(path: str, names: list[str]) -> list[str]:
    """Which of the files in a folder or a zip are the text."""
    seen = re.compile(r"(^|[/\\])(\.|__MACOSX)")
    names = sorted(name for name in names if not seen.search(name))
    texts = [name for name in names if ".txt" in os.path.basename(name).lower()]
    if not texts and len(names) != 1:
        raise ValueError(
            f"{path}: {len(names)} files, none of which is named .txt; name the texts"
        )
    return texts or names


def _decode(raw: bytes, encoding: str, name: str) -> str:
    """The text of a file's bytes."""
    marked = (kind for mark, kind in BYTE_ORDER_MARKS.items() if raw.startswith(mark))
    encoding = encoding or next(marked, "utf-8")
    try:
        content = raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}: byte {error.start} is not {encoding} text; --encoding may name "
            "another encoding, such as latin-1 or utf-16"
        ) from None
    except (LookupError, UnicodeError):
        raise ValueError(f"{name}: --encoding={encoding} is not possible") from None
    if found := BINARY.search(content):
        raise ValueError(
            f"{name}: character {found.start()} is {found.group()!r}, so this is no "
            "text; if it is UTF-16, say so with --encoding=utf-16"
        )
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    return content

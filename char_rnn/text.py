"""Text as numbers: the alphabet, the corpora, and drawing characters.

Post, "Data", "Alphabet" and "Probability distributions". A corpus is one uint8 array of
places in its alphabet, however long it is; one-hot vectors exist a window at a time.
"""

import dataclasses
import hashlib
import os
import string
import zipfile

import numpy as np

from char_rnn import download

ALPHABET = " " + string.ascii_lowercase  # post, "Alphabet"
DIGITS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
)
SHARES = (0.9, 0.05, 0.05)  # training, validation, test
LEAST = 2_000  # characters


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A text to learn from.

    Attributes:
        name: for people.
        alphabet: its characters; a character's number is its place.
        ids: uint8 [N], the whole text.
        note: how it came to be chosen, where that may surprise; else "".
    """

    name: str
    alphabet: str
    ids: np.ndarray
    note: str = ""

    def split(self) -> list[np.ndarray]:
        """Training, validation and test text, in the corpus's order."""
        ends = np.cumsum(np.array(SHARES[:2]) * len(self.ids)).round().astype(int)
        return np.split(self.ids, ends)

    def digest(self) -> str:
        """A hash of text and alphabet."""
        content = self.alphabet.encode() + self.ids.tobytes()
        return hashlib.sha256(content).hexdigest()


def char2id(character: str, alphabet: str = ALPHABET) -> int:
    """The character's place.

    Raises:
        ValueError: it has none. (The post's answer is 0, a space, without a word.)
    """
    if len(character) != 1 or character not in alphabet:
        raise ValueError(f"{character!r} is not one of the characters {alphabet!r}")
    return alphabet.index(character)


def id2char(place: int, alphabet: str = ALPHABET) -> str:
    """The character at a place."""
    return alphabet[place]


def one_hot(places: np.ndarray, size: int = len(ALPHABET)) -> np.ndarray:
    """float32 [..., size] of places [...]; the post's `char2vec`, for any shape."""
    return np.eye(size, dtype=np.float32)[places]


def sample_prob(probabilities: np.ndarray, random: np.random.Generator) -> int:
    """Draws a place from a distribution [A].

    Where rounding leaves the sum below the number that was drawn, the post's loop
    returns the words 'Awry sampling probs'. Here the number is scaled by the sum.
    """
    sums = np.cumsum(probabilities)
    return int(np.searchsorted(sums, random.random() * sums[-1], side="right"))


def random_dist(random: np.random.Generator, size: int = len(ALPHABET)) -> np.ndarray:
    """A distribution to start from, float64 [size]; the post's kind."""
    values = random.random(size)
    return values / values.sum()


def clean(text: bytes) -> bytes:
    """Lower case, digits spelled out, the rest single spaces: how text8 was made."""
    text = text.lower()
    for digit, word in enumerate(DIGITS):
        text = text.replace(b"%d" % digit, b" %s " % word.encode())
    letters = string.ascii_lowercase.encode()
    table = bytes(byte if byte in letters else ord(" ") for byte in range(256))
    return b" ".join(text.translate(table).split())


def encode(text: str, alphabet: str = ALPHABET) -> np.ndarray:
    """Places of the characters, uint8 [N].

    Raises:
        ValueError: a character that is not in the alphabet, with its position.
    """
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    known = np.frombuffer(alphabet.encode("utf-32-le"), np.uint32)
    order = np.argsort(known)
    near = np.searchsorted(known, points, sorter=order)
    places = order[near.clip(max=len(known) - 1)]
    wrong = np.flatnonzero(known[places] != points)
    if wrong.size:
        raise ValueError(
            f"{text[wrong[0]]!r} at character {wrong[0]} is not one of {alphabet!r}"
        )
    return places.astype(np.uint8)


def decode(places: np.ndarray, alphabet: str = ALPHABET) -> str:
    """The text of places [N]."""
    return "".join(alphabet[place] for place in places)


def load(
    name: str,
    alphabet: str = "strict",
    progress: download.Progress | None = None,
) -> Corpus:
    """A corpus by name or path.

    Args:
        name: "auto" (text8 if it is there or arrives, else embedded), "text8",
            "embedded", or a text or zip file.
        alphabet: "strict" takes a file as it is and refuses characters that the post's
            alphabet lacks; "clean" makes them fit; "corpus" takes the file's own.
        progress: told of a download.

    Raises:
        OSError: no such file, or text8 did not arrive.
        ValueError: not a text that can be learned.
    """
    if name == "auto":
        try:
            return load("text8", progress=progress)
        except OSError as error:
            note = f"{error}: using the embedded text instead"
            return dataclasses.replace(load("embedded"), note=note)
    if name == "embedded":
        from pydoc_data.topics import topics

        raw = "\n".join(topics.values()).encode()
        alphabet = "clean" if alphabet == "strict" else alphabet
    else:
        raw = read(download.text8(progress) if name == "text8" else name)
    if alphabet == "clean":
        raw = clean(raw)
    try:
        characters, ids = _to_ids(raw, own=alphabet == "corpus")
    except ValueError as error:
        raise ValueError(f"--corpus={name}: {error}") from None
    if len(ids) < LEAST:
        raise ValueError(
            f"--corpus={name}: {len(ids)} characters: at least {LEAST} are needed"
        )
    return Corpus(name, characters, ids)


def _to_ids(raw: bytes, own: bool) -> tuple[str, np.ndarray]:
    """The alphabet (the post's, or the text's own) and the places of a text in it."""
    if raw.isascii():  # text8 and its like: never a string of a hundred megabytes
        points = np.frombuffer(raw, np.uint8)
        present = np.flatnonzero(np.bincount(points, minlength=128))
        alphabet = "".join(map(chr, present)) if own else ALPHABET
        if set(map(chr, present)) <= set(alphabet):
            table = np.zeros(128, np.uint8)
            table[list(alphabet.encode())] = np.arange(len(alphabet))
            return alphabet, table[points]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8 text") from None
    alphabet = "".join(sorted(set(text))) if own else ALPHABET
    if len(alphabet) > 256:
        raise ValueError(f"{len(alphabet)} different characters: at most 256")
    try:
        return alphabet, encode(text, alphabet)
    except ValueError as error:
        raise ValueError(f"{error}: add --alphabet=clean or corpus") from None


def read(path: str) -> bytes:
    """The text of a file, or of the only member of a zip.

    Raises:
        OSError: it cannot be read.
        ValueError: a zip that is damaged, or has no member or several.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"--corpus={path}: no such file; or give auto, text8 or embedded"
        )
    if not path.endswith(".zip"):
        with open(path, "rb") as file:
            return file.read()
    try:
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if not item.is_dir()]
            if len(members) != 1:
                raise ValueError(
                    f"--corpus={path}: {len(members)} members; one text is needed"
                )
            return archive.read(members[0])
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:  # or locked
        raise ValueError(f"--corpus={path}: a damaged zip file ({error})") from None

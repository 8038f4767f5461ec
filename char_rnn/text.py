"""Text as numbers: the alphabet, cleaning, and drawing characters.

Post, "Alphabet" and "Probability distributions". A text becomes one array of ids, the
places of its characters in an alphabet, by `encode` and `decode` in place of the post's
`char2id` and `id2char`. One-hot vectors (`char2vec`) exist a window at a time.
"""

import string
import unicodedata
from collections.abc import Iterable

import numpy as np

ALPHABET = " " + string.ascii_lowercase  # post, "Alphabet"
LARGEST = 10_000  # characters of an alphabet
DIGITS = "zero,one,two,three,four,five,six,seven,eight,nine"
# Latin letters that Unicode does not decompose into a basic letter and an accent.
LETTERS = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"}
LETTERS |= {"ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t"}


def sample_prob(probabilities: np.ndarray, random: np.random.Generator) -> int:
    """Draws an id from a distribution [A].

    Where rounding leaves the sum below the number that was drawn, the post's loop
    returns the words 'Awry sampling probs'. Here the number is scaled by the sum.

    Raises:
        ValueError: The numbers are no distribution.
    """
    sums = np.cumsum(probabilities)
    if not (np.isfinite(sums).all() and np.min(probabilities) >= 0 and sums[-1] > 0):
        raise ValueError("probabilities must be finite, not negative, and not all 0")
    return int(np.searchsorted(sums, random.random() * sums[-1], side="right"))


def random_character(random: np.random.Generator, size: int) -> int:
    """Draws the id of a text's first character, below `size`, as the post does."""
    return sample_prob(random_dist(random, size), random)


def random_dist(random: np.random.Generator, size: int = len(ALPHABET)) -> np.ndarray:
    """Makes a random distribution to start a text from, float64 [size], as the post."""
    values = random.random(size)
    return values / values.sum()


def clean(text: str) -> str:
    """Makes a text fit the post's alphabet, in the way in which text8 was made.

    Letters become lower case and lose their accents, digits are spelled out, and
    everything else becomes single spaces.
    """
    if not text.isascii():
        text = text.translate({ord(each): _fold(each) for each in set(text)})
    raw = text.encode("ascii").lower()
    for digit, word in enumerate(DIGITS.split(",")):
        raw = raw.replace(b"%d" % digit, b" %s " % word.encode())
    letters = string.ascii_lowercase.encode()
    table = bytes(byte if byte in letters else ord(" ") for byte in range(256))
    return b" ".join(raw.translate(table).split()).decode()


def _fold(character: str) -> str:
    """The ASCII characters that stand for a character: "E" for "É", "ss" for "ß"."""
    parts = unicodedata.normalize("NFKD", character.casefold())
    base = (each for each in parts if not unicodedata.combining(each))
    return "".join(each if each.isascii() else LETTERS.get(each, " ") for each in base)


def shown(alphabet: str) -> str:
    """An alphabet for a message, which stays short."""
    if len(alphabet) > 100:
        return f"the {len(alphabet)} characters of the alphabet"
    return f"the characters {alphabet!r}"


def encode(text: str, alphabet: str = ALPHABET) -> np.ndarray:
    """Looks up the ids of a text's characters.

    The post's `char2id` returns 0, the id of a space, where this raises an error.

    Returns:
        The ids [N], uint8, or uint16 where the alphabet has more than 256 characters.

    Raises:
        ValueError: The alphabet lacks a character, which is named with its position,
            or has too many.
    """
    if not 0 < len(alphabet) <= LARGEST:
        raise ValueError(
            f"an alphabet of {len(alphabet)} characters: 1 to {LARGEST} are possible"
        )
    table = np.full(0x110000, len(alphabet), np.uint16)  # of every character's id
    table[_code_points(alphabet)] = np.arange(len(alphabet))
    ids = table[_code_points(text)]
    unknown = ids == len(alphabet)
    if unknown.any():
        place = int(np.argmax(unknown))
        raise ValueError(
            f"{text[place]!r} at character {place} is not one of {shown(alphabet)}"
        )
    return ids.astype(np.uint8 if len(alphabet) <= 256 else np.uint16)


def _code_points(text: str) -> np.ndarray:
    """The characters' Unicode numbers [N], uint8 where all are ASCII, else uint32."""
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def decode(ids: Iterable[int], alphabet: str = ALPHABET) -> str:
    """Joins the characters of ids [N]."""
    return "".join(alphabet[place] for place in ids)


def check_ids(ids: np.ndarray, size: int, least: int = 1, dimensions: int = 1) -> None:
    """Checks an array of ids, so that no wrong one reaches compiled code.

    Args:
        ids: What should be an array of integers.
        size: The number of characters in the alphabet.
        least: The least length of its first dimension.
        dimensions: The number of its dimensions.

    Raises:
        ValueError: It is no such array, is too short, or holds other ids.
    """
    if not isinstance(ids, np.ndarray) or ids.dtype.kind not in "iu":
        kind = getattr(ids, "dtype", type(ids).__name__)
        raise ValueError(f"ids: a NumPy array of integers is needed, not {kind}")
    if ids.ndim != dimensions:
        raise ValueError(
            f"ids: the shape is {ids.shape}, not of {dimensions} dimensions"
        )
    if len(ids) < least:
        raise ValueError(f"ids: {len(ids)} characters are too few; {least} are needed")
    if ids.size and not (ids.min() >= 0 and ids.max() < size):
        raise ValueError(
            f"ids: {ids.min()} to {ids.max()}, but the alphabet has {size} characters"
        )

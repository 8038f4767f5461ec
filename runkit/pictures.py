"""Pictures from files and arrays, for every package that reads any."""

import contextlib
import os
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

MOST_PIXELS = 178_000_000  # past this, a small file can fill the memory
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")  # brands


@contextlib.contextmanager
def opened(path: str, most: int = MOST_PIXELS) -> Iterator[Image.Image]:
    """Opens a file as a picture, and says in one line what is wrong with it.

    Whatever Pillow raises while the picture is open, as it decodes it, is said so, too.

    Args:
        path: The file.
        most: The number of pixels that it may have.

    Raises:
        OSError: There is no such file; or it is no picture, or a damaged one.
        ValueError: It has more pixels.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"picture {path}: is a directory: name a file")
    if not os.path.exists(path):
        raise FileNotFoundError(f"picture {path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                if file.width * file.height > most:
                    raise Image.DecompressionBombError
                yield file
    except Image.DecompressionBombError:
        raise ValueError(
            f"picture {path}: has over {most} pixels: scale it down first"
        ) from None
    except UnidentifiedImageError:
        with open(path, "rb") as data:
            start = data.read(12)
        if start[4:8] == b"ftyp" and start[8:] in HEIC:
            raise OSError(
                f"picture {path}: HEIC is not read: save it as JPEG or PNG first"
            ) from None
        raise OSError(f"picture {path}: is empty or no picture that is known") from None
    except (OSError, SyntaxError, EOFError, ValueError) as error:  # Pillow, on damage
        raise OSError(f"picture {path}: cannot be read: {error}") from error


def as_bytes(name: str, values: np.ndarray) -> np.ndarray:
    """Returns intensities as uint8, of the same shape.

    Args:
        name: What a message calls them.
        values: Integers in [0, 255], or floats in [0, 1] or [0, 255], which the
            greatest value tells apart.

    Raises:
        ValueError: They are something else, or there are none.
    """
    values = np.asarray(values)
    kind = f"{name}: {values.dtype} {list(values.shape)}"
    if not values.size or values.dtype.kind not in "iuf":
        raise ValueError(f"{kind}: must be numbers, at least one")
    if not 0 <= values.min() <= values.max() <= 255:
        raise ValueError(
            f"{kind} from {values.min()} to {values.max()}: must be integers from 0 to "
            "255, or floats from 0 to 1 or to 255"
        )
    if values.dtype.kind == "f":
        values = np.round(values * (255 if values.max() <= 1 else 1))
    return values.astype(np.uint8)

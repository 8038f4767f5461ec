"""Ctrl-C and SIGTERM alike: they ask a run to stop where its state is whole."""

import contextlib
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Request:
    """Whether someone has asked the run to stop.

    Attributes:
        now: True from the first Ctrl-C or SIGTERM on.
    """

    now = False


@contextlib.contextmanager
def asked() -> Iterator[Request]:
    """Turns the first Ctrl-C or SIGTERM into `Request.now`; a second ends at once."""
    request = Request()

    def note(number, frame) -> None:
        request.now = True
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)

    before = [signal.signal(number, note) for number in SIGNALS]
    try:
        yield request
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)

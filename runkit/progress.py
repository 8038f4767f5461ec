"""How far a run is: a bar on a terminal, about ten log lines elsewhere."""

import sys
import time

LINES = 10  # log lines of a run


class Bar:
    """A progress bar on a terminal; elsewhere a log line at each tenth of the run.

    A context manager. Absl writes the log lines to stderr.

    Attributes:
        is_shown: Whether there is a bar.
    """

    def __init__(
        self, total: int, unit: str = "step", initial: int = 0, enabled: bool = True
    ):
        """See the class.

        Args:
            total: What the run will have done at its end, in `unit`.
            unit: What is counted.
            initial: What was done before.
            enabled: Whether anything is shown.
        """
        from tqdm import tqdm

        self._total, self._unit, self._done = total, unit, initial
        self._first, self._began, self._logged = initial, time.monotonic(), initial
        self.is_shown = enabled and sys.stderr.isatty()
        self._logs = enabled and not self.is_shown
        self._bar = tqdm(
            total=total, unit=unit, initial=initial, disable=not self.is_shown
        )

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def update(self, done: int, note: str = "") -> None:
        """Shows that `done` units of the total are done.

        Args:
            done: Counted from the run's beginning.
            note: What else to show, such as the loss.
        """
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._done)
        self._done = done
        if not self._logs:
            return
        portion = max(1, self._total // LINES)
        ended = done == self._total != self._logged
        if done // portion > self._logged // portion or ended:
            self._log(done, note)

    def _log(self, done: int, note: str) -> None:
        from absl import logging

        self._logged = done
        speed = (done - self._first) / max(time.monotonic() - self._began, 1e-9)
        left = int((self._total - done) / max(speed, 1e-9))
        logging.info(
            "%s %d of %d%s, %.3g %ss/s, %d:%02d left",
            self._unit,
            done,
            self._total,
            f", {note}" if note else "",
            speed,
            self._unit,
            *divmod(left, 60),
        )

    def write(self, text: str) -> None:
        """Prints text above the bar, or into the log."""
        from absl import logging
        from tqdm import tqdm

        if self.is_shown:
            tqdm.write(text, file=sys.stderr)
        elif self._logs:
            logging.info("%s", text)

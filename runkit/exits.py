"""How a command may end."""

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Failed(Exception):
    """The run itself failed: it ends with one line and exit code 1."""

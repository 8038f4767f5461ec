"""Ctrl-C as a terminal has it: a background job inherits that it is ignored."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)

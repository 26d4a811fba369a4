"""The log on stderr: of a command, and of a function that is called with `verbose=True`."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PACKAGE = logging.getLogger("ssd300")


class ToStderr(logging.StreamHandler[Any]):
    """Writes to the present `sys.stderr`, which a progress bar replaces while it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def log_to_stderr() -> None:
    """From now on, as a command does: this configures the logging of the whole process."""
    logging.basicConfig(level=logging.INFO, handlers=[ToStderr()], force=True)


@contextmanager
def logged_to_stderr() -> Iterator[None]:
    """While the block runs, what the package logs goes to stderr, unless logging is configured already."""
    if _PACKAGE.hasHandlers():
        yield
        return
    handler, level = ToStderr(), _PACKAGE.level
    _PACKAGE.addHandler(handler)
    _PACKAGE.setLevel(min(_PACKAGE.getEffectiveLevel(), logging.INFO))
    try:
        yield
    finally:
        _PACKAGE.removeHandler(handler)
        _PACKAGE.setLevel(level)

"""The log that people see: of a command on stderr, and of a function that is called with `verbose=True`."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ssd300.system.notebook import is_notebook
from ssd300.system.wording import fitted

_PACKAGE = logging.getLogger("ssd300")


class ToStderr(logging.StreamHandler[Any]):
    """Writes to the present `sys.stderr`, which a progress bar replaces while it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))

    def format(self, record: logging.LogRecord) -> str:
        """Broken between words where it is longer than a line of the terminal."""
        return fitted(super().format(record), self.stream)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def log_to_stderr() -> None:
    """From now on, as a command does: this configures the logging of the whole process."""
    logging.basicConfig(level=logging.INFO, handlers=[ToStderr()], force=True)


class _ToNotebook(ToStderr):
    """Writes to the output of the cell, where stderr would look like an error."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        logging.StreamHandler.emit(self, record)


@contextmanager
def logged_to_screen() -> Iterator[None]:
    """While the block runs, what the package logs is shown, on stderr or in a notebook, unless logging is configured
    already.
    """
    if _PACKAGE.hasHandlers():
        yield
        return
    handler, level = _ToNotebook() if is_notebook() else ToStderr(), _PACKAGE.level
    _PACKAGE.addHandler(handler)
    _PACKAGE.setLevel(min(_PACKAGE.getEffectiveLevel(), logging.INFO))
    try:
        yield
    finally:
        _PACKAGE.removeHandler(handler)
        _PACKAGE.setLevel(level)

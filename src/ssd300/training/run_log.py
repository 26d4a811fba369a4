"""`train.log` and `command.txt`: what a run logs, and how it was started."""

import logging
import shlex
import sys
from contextlib import suppress
from logging.handlers import MemoryHandler
from pathlib import Path

from ssd300 import run_layout
from ssd300.system.files import appending

_PACKAGE = logging.getLogger("ssd300")


class _LogFile(logging.FileHandler):
    """Without a traceback for each line that a full disk refuses: the rows, written beside it, end the run then."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  # the signature is logging's
        return

    def close(self) -> None:
        with suppress(OSError):  # the same line is refused again
            super().close()


class RunLog:
    """While the block runs, what the package logs is written into the run folder: from `start` on, after the lines that
    came before it, such as those of the start weights.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines = MemoryHandler(1)  # holds lines back until it has a target
        self.file: logging.Handler | None = None

    @property
    def is_open(self) -> bool:
        return self.file is not None

    def __enter__(self) -> "RunLog":
        self.level = _PACKAGE.level
        _PACKAGE.addHandler(self.lines)
        _PACKAGE.setLevel(min(_PACKAGE.getEffectiveLevel(), logging.INFO))
        return self

    def start(self, *, append: bool) -> None:
        """Write the command line, and begin the log; `append` to both for a resumed run."""
        mode = "a" if append else "w"
        path = self.folder / run_layout.COMMAND
        with appending(path), path.open(mode, encoding="utf-8") as file:
            file.write(shlex.join(sys.argv) + "\n")
        self.file = _LogFile(self.folder / run_layout.LOG, mode=mode, encoding="utf-8")
        self.file.setFormatter(logging.Formatter("%(message)s"))
        self.lines.setTarget(self.file)
        self.lines.flush()

    def __exit__(self, *_: object) -> None:
        """Close the file, if there is one, and restore the package's log level."""
        _PACKAGE.removeHandler(self.lines)
        _PACKAGE.setLevel(self.level)
        self.lines.close()
        if self.file is not None:
            self.file.close()
            self.file = None

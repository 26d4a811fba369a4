"""A lock that processes of this kind hold while they compare and write one file in a folder. It leaves no file there.

`system/lock` is for long work: a lock file that is removed after each of many short times would let two in at once.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ssd300.errors import RunError
from ssd300.system.files import absolute
from ssd300.system.lock import CANNOT_LOCK

if sys.platform != "win32":
    import fcntl

WAITS_S = 10.0
TRIES_EVERY_S = 0.01


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """In the block no other process is in such a block for this folder. On a file system without locks all may be.

    Raises RunError if another process holds the lock for longer than one file takes.
    """
    if sys.platform == "win32":
        name = hashlib.sha256(absolute(folder).encode()).hexdigest()[:32]
        try:
            with FileLock(Path(tempfile.gettempdir(), f"ssd300-label-{name}.lock"), timeout=WAITS_S):
                yield
        except Timeout as error:
            raise _busy(folder) from error
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        _wait(opened, folder)
        yield
    finally:
        os.close(opened)  # and with it the lock


def _wait(opened: int, folder: Path) -> None:
    deadline = time.monotonic() + WAITS_S
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise _busy(folder) from error
            time.sleep(TRIES_EVERY_S)
        except OSError as error:
            if error.errno in CANNOT_LOCK:
                return
            raise
        else:
            return


def _busy(folder: Path) -> RunError:
    return RunError("another program writes labels here and does not end", where=folder, fix="End it, and save again.")

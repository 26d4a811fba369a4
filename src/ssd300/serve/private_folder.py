"""The folder of a running server for what its processes share. Only this user can read it, and it goes with the server.

A server that was killed cannot remove its folder; the next one that starts does. The lock on the folder tells which are
in use, and keeps programs that tidy temporary folders (systemd-tmpfiles) out of it.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssd300.errors import RunError

if sys.platform != "win32":
    import fcntl

PREFIX = "ssd300-serve-"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new temporary folder, which is removed at the end. Folders of servers that were killed are removed first.

    Raises RunError where there is no temporary folder that can be written to.
    """
    try:
        _remove_left(Path(tempfile.gettempdir()))
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        raise RunError(
            f"there is no temporary folder that can be written to ({error.strerror})",
            where=error.filename,
            fix="The workers share their weights through it: free space there, or set TMPDIR to another folder.",
        ) from error
    lock = _locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """The open and locked folder; None where another process holds the lock, or the system has no such locks."""
    if sys.platform == "win32":
        return None
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened


def _remove_left(parent: Path) -> None:
    """Remove this user's folders whose server has gone."""
    if sys.platform == "win32":
        return
    for folder in parent.glob(f"{PREFIX}*"):
        if folder.lstat().st_uid == os.getuid() and (lock := _locked(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

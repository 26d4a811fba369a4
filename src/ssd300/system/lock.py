"""A lock on an output: one command writes into it at a time. It ends with its process, however that ends.

The file that carries it stays after a kill, and stops nobody.
"""

import logging
from errno import ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP
from pathlib import Path

from filelock import FileLock, Timeout

from ssd300.errors import UsageError

LOCK = ".lock"  # the file in a folder that is locked
CANNOT_LOCK = frozenset([ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP])  # as some network folders answer

log = logging.getLogger(__name__)


class InUseError(UsageError):
    """Another process writes there now."""


class Lock:
    """The lock that the file at `path` carries, held from now on. `output` is what it is for.

    `wait_s` are the seconds to wait for another process to end.

    On a file system without locks a line of the log says so, and nothing is held.

    Raises:
        InUseError: another process holds it. `instead` is a free name, for the message.
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path, *, output: Path, instead: Path, wait_s: float = 0.0) -> None:
        self.path = path
        self._lock = FileLock(path, timeout=wait_s)
        try:
            self._lock.acquire()
            if not path.exists():  # its holder has just removed it, so it is ours no more
                self._lock.release()
                self._lock.acquire()
        except Timeout as error:
            fix = f"Wait for it, or name a free one: --out {instead}."
            raise InUseError("another run is writing here", where=output, fix=fix) from error
        except (NotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in CANNOT_LOCK:
                raise
            log.warning("%s cannot be locked on this file system: let no other command write there", output)

    def release(self, *, remove: bool = True) -> None:
        """Give it back; `remove` also removes its file."""
        if remove:
            self._unlink()
        self._lock.release()
        if remove:
            self._unlink()  # where an open file cannot be removed

    def _unlink(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            return

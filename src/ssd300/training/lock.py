"""A lock on the run folder: one run writes into it at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ssd300 import run_layout
from ssd300.errors import UsageError
from ssd300.system.files import check_output_free, remove_stale_temporaries
from ssd300.training.distributed import World


@contextmanager
def sole_use(folder: Path, world: World, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Hold the lock on the run folder, which is made if needed. An empty folder is removed at the end.

    Raises:
        UsageError: another run holds the lock, or the folder is not empty and neither option is set.
    """
    if not world.is_main:
        yield
        return
    if not resume:
        check_output_free(folder, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / run_layout.LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(
            "another run is writing here", where=folder, fix="Wait for it, or name another --out."
        ) from error
    try:
        if resume:
            remove_stale_temporaries(folder)
        yield
    finally:
        lock.release()
        if [path.name for path in folder.iterdir()] == [run_layout.LOCK]:  # the run never began
            (folder / run_layout.LOCK).unlink()
            folder.rmdir()

"""A lock on the run folder: one run writes into it at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssd300.system.files import check_output_free, free_beside, remove_stale_temporaries
from ssd300.system.lock import LOCK, Lock
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
    lock = Lock(folder / LOCK, output=folder, instead=free_beside(folder))
    try:
        if resume:
            remove_stale_temporaries(folder)
        yield
    finally:
        began = any(path.name != LOCK for path in folder.iterdir())
        lock.release(remove=not began)
        if not began:
            folder.rmdir()

"""A lock on the run folder: one run writes into it at a time. A start by `torchrun` goes on with its launch's run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssd300.system.files import check_output_free, free_beside, remove_stale_temporaries
from ssd300.system.lock import LOCK, Lock
from ssd300.training.distributed import World
from ssd300.training.launch import has_state, is_own

# A process that was killed leaves those that read images for it. They hold its lock until they notice: some seconds.
KILLED_S = 60.0


@contextmanager
def sole_use(folder: Path, world: World, *, resume: bool, overwrite: bool) -> Iterator[bool]:
    """Hold the lock on the run folder, which is made if needed. An empty folder is removed at the end.

    Yields whether the run is resumed: as `resume` says, or because this launch began it and there is a state. What this
    launch wrote before there was a state is overwritten.

    Raises:
        UsageError: another run holds the lock, or the folder is not empty and neither option is set.
    """
    restarted, has_one = world.gather((is_own(folder), has_state(folder)))[0]
    resume = resume or (restarted and has_one)
    if not world.is_main:
        yield resume
        return
    if not resume:
        check_output_free(folder, overwrite=overwrite or restarted)
    folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder / LOCK, output=folder, instead=free_beside(folder), wait_s=KILLED_S if restarted else 0.0)
    try:
        if resume:
            remove_stale_temporaries(folder)
        yield resume
    finally:
        began = any(path.name != LOCK for path in folder.iterdir())
        lock.release(remove=not began)
        if not began:
            folder.rmdir()

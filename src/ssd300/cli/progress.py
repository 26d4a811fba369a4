"""The progress of a command on images."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ssd300.system.progress import shown


@contextmanager
def image_progress(
    total: int, done: int, *, what: str = "detecting", unit: str = "images"
) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that takes how many are done, and the total as far as is known."""
    with shown(what, total, unit=unit, done=done) as task:
        yield task.update

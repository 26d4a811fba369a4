"""Progress of long work: a bar on a terminal or in a notebook, plain lines elsewhere.

A function whose work can be long takes a `progress` argument. Its default is `silent`: the library shows nothing by
itself. Commands, and functions that are called with `verbose=True`, pass `shown`.
"""

import contextvars
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from typing import Protocol, runtime_checkable

from ssd300.system.duration import duration
from ssd300.system.processes import is_main_process
from ssd300.system.progress_views import View, view_of_stderr

CLOSED = (OSError, ValueError)  # what writing to a closed stderr raises: nobody reads it


class Task:
    """Work that goes on. `done` and `total` count in `unit`, such as images; a `total` that is unknown is None.

    `earlier_s` are seconds before this work, such as those of a run that is resumed: the time that is shown has them,
    the speed has not. `notes` are shown behind the numbers, where there is room, the most important one first.
    """

    def __init__(self, what: str, total: int | None, unit: str, done: int) -> None:
        self.what, self.total, self.unit, self.done = what, total or None, unit, done
        self.notes: Sequence[str] = ()
        self.earlier_s = 0.0
        self._before, self._started_s = done, time.monotonic()

    def advance(self, more: int = 1) -> None:
        """So many more are done."""
        self.done += more

    def update(self, done: int, total: int | None = None) -> None:
        """So many are done in all, of `total` if that is known by now."""
        self.done, self.total = done, total or self.total

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started_s

    @property
    def per_second(self) -> float:
        """The mean speed so far; 0 before anything was done."""
        return max(self.done - self._before, 0) / max(self.seconds, 1e-9)

    def numbers(self, room: int | None = None) -> str:
        """Such as '120 of 952 images, 12 s, 1 min 20 s left'; what is unknown is left out, and notes that would make it
        longer than `room`.
        """
        parts = []
        if self.total is not None:
            parts.append(f"{self.done:,} of {self.total:,} {self.unit}")
        elif self.done:
            parts.append(f"{self.done:,} {self.unit}")
        parts.append(duration(self.earlier_s + self.seconds))
        if self.total is not None and self.per_second and self.done < self.total:
            parts.append(f"{duration((self.total - self.done) / self.per_second)} left")
        text = ", ".join(parts)
        for note in self.notes:
            if room is not None and len(text) + len(note) + 2 > room:
                break
            text += f", {note}"
        return text


@runtime_checkable
class Progress(Protocol):
    """Called when work begins, and used as a context: the work is shown until the context ends.

    `what` says what goes on, such as 'evaluating'; `done` of `total` were done before.
    """

    def __call__(
        self, what: str, total: int | None = None, *, unit: str = "images", done: int = 0
    ) -> AbstractContextManager[Task]: ...


@contextmanager
def silent(what: str, total: int | None = None, *, unit: str = "images", done: int = 0) -> Iterator[Task]:
    """A `Progress` that shows nothing."""
    yield Task(what, total, unit, done)


@contextmanager
def shown(what: str, total: int | None = None, *, unit: str = "images", done: int = 0) -> Iterator[Task]:
    """A `Progress` on stderr, or in the output of a notebook's cell. Short work shows nothing, and neither does any of
    several processes but the main one.
    """
    if not is_main_process():
        with silent(what, total, unit=unit, done=done) as task:
            yield task
        return
    task, view, over = Task(what, total, unit, done), view_of_stderr(), threading.Event()
    thread = threading.Thread(  # in the context of the caller, which tells a notebook the cell
        target=contextvars.copy_context().run, args=(_show_until, over, task, view), daemon=True
    )
    thread.start()
    try:
        yield task
    finally:
        over.set()
        try:
            thread.join()
        finally:
            with suppress(*CLOSED):
                view.end(task)


def _show_until(over: threading.Event, task: Task, view: View) -> None:
    pause_s = view.first_s
    while not over.wait(pause_s):
        try:
            view.show(task)
        except CLOSED:
            return
        pause_s = view.every_s


def numbered(progress: Progress, phases: int) -> Progress:
    """A `Progress` for work in so many phases, which says which of them it is: 'comparing (3 of 4)'."""
    numbers = count(1)

    def phase(
        what: str, total: int | None = None, *, unit: str = "images", done: int = 0
    ) -> AbstractContextManager[Task]:
        return progress(f"{what} ({next(numbers)} of {phases})", total, unit=unit, done=done)

    return phase


def shows_bars() -> bool:
    """Whether `shown` draws bars here, as on a terminal and in a notebook; elsewhere it writes lines."""
    return view_of_stderr().is_bar

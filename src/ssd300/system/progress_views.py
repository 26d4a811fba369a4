"""How progress looks: a bar on a terminal, a bar in a notebook, or lines."""

import html
import os
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from ssd300.system.notebook import is_notebook

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars
    from rich.progress import TaskID

BAR_WIDTH = 20  # characters
BESIDE = 5  # two spaces, and room for the ^C of a terminal: on the next line it would keep the bar from being removed


@runtime_checkable
class Shown(Protocol):
    """What a view shows of a task."""

    what: str
    total: int | None
    unit: str
    done: int

    def numbers(self, room: int | None = None) -> str: ...


@runtime_checkable
class View(Protocol):
    """`show` is called after `first_s` seconds and then every `every_s`, by one thread; `end` once, after it."""

    first_s: float
    every_s: float
    is_bar: bool

    def show(self, task: Shown) -> None: ...

    def end(self, task: Shown) -> None: ...


def view_of_stderr() -> View:
    """The view that suits the place where this process writes its messages."""
    if is_notebook():
        return NotebookBar()
    if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalBar()
    return Lines()


class Lines:
    """A line on stderr from time to time, for logs."""

    first_s, every_s, is_bar = 2.0, 10.0, False

    def __init__(self) -> None:
        self.any = False

    def show(self, task: Shown) -> None:
        if sys.stderr is not None:
            self.any = True
            sys.stderr.write(f"{task.what}: {task.numbers()}\n")
            sys.stderr.flush()

    def end(self, task: Shown) -> None:
        if self.any and task.total is not None:
            self.show(task)


class TerminalBar:
    """A bar that stays on the screen; bars at the same time share it, and text that is written appears above them."""

    first_s, every_s, is_bar = 0.3, 0.1, True
    _lock: ClassVar = threading.RLock()
    _bars: ClassVar["RichBars | None"] = None  # while any bar is shown

    def __init__(self) -> None:
        self._id: TaskID | None = None

    def show(self, task: Shown) -> None:
        with TerminalBar._lock:
            bars = TerminalBar._bars = TerminalBar._bars or _start_bars()
            if self._id is None:
                self._id = bars.add_task(task.what, total=None, numbers="")
            numbers = task.numbers(
                bars.console.width - max(len(one.description) for one in bars.tasks) - BAR_WIDTH - BESIDE
            )
            bars.update(self._id, completed=task.done, total=task.total, numbers=numbers, refresh=True)

    def end(self, task: Shown) -> None:
        """The last bar stays on the screen if it is full. One that was interrupted is removed, and one that others are
        shown beside.
        """
        with TerminalBar._lock:
            bars = TerminalBar._bars
            if self._id is None or bars is None:
                return
            self.show(task)
            if len(bars.tasks) > 1:
                bars.remove_task(self._id)
            else:
                TerminalBar._bars = None
                bars.live.transient = task.total is None or task.done < task.total
                bars.stop()


def _start_bars() -> "RichBars":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        TextColumn("{task.fields[numbers]}", markup=False),
        console=Console(stderr=True),
        auto_refresh=False,  # the thread of `shown` does it
        redirect_stdout=sys.stdout.isatty(),  # stdout may be a file, which a bar on stderr must not take text from
    )
    bars.start()
    return bars


class NotebookBar:
    """A bar in the output of a notebook's cell, updated in place. It needs no widgets."""

    first_s, every_s, is_bar = 2.0, 0.5, True

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, task: Shown) -> None:
        known = "" if task.total is None else f' value="{task.done}" max="{task.total}"'
        self._display(task, f'<progress{known} style="width: 16em; vertical-align: middle"></progress> ')

    def end(self, task: Shown) -> None:
        if self._handle is None:
            return
        if task.total is None:
            self._display(task, "")  # its bar would move for ever
        else:
            self.show(task)

    def _display(self, task: Shown, bar: str) -> None:
        what, numbers = html.escape(task.what), html.escape(task.numbers())
        bundle = {
            "text/plain": f"{task.what}: {task.numbers()}",
            "text/html": f'<div style="font: 13px sans-serif">{what} {bar}{numbers}</div>',
        }
        if self._handle is None:
            display: Any = import_module("IPython.display").display
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

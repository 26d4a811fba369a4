"""Ctrl-C and SIGTERM in training: held back until the step under way is done, so that the state can be saved whole."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SAME_SIGNAL_S = 0.5
HELD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def held_back() -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether a signal came. At the end the signal does what it would have done at once.

    A second signal does so immediately, unless it comes within `SAME_SIGNAL_S` of the first: then it is the same one,
    which a terminal sends to every process and `torchrun` to its own once more. Outside of the main thread, where
    signals cannot be handled, nothing is held.
    """
    came: list[tuple[int, float]] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.getsignal(number) for number in HELD}

    def hold(number: int, _frame: FrameType | None) -> None:
        came.append((number, time.monotonic()))
        if came[-1][1] - came[0][1] > SAME_SIGNAL_S:
            restore()
            signal.raise_signal(number)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in HELD:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, hold)
    try:
        yield lambda: bool(came)
    finally:
        restore()
    if came:
        signal.raise_signal(came[0][0])

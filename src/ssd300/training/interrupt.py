"""Signals during training wait until the present step is done, so that the state can be saved: Ctrl-C, SIGTERM, and
SIGHUP, which comes when the terminal is closed.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SAME_SIGNAL_S = 0.5
HELD = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]  # not on Windows


@contextmanager
def held_back() -> Iterator[Callable[[], bool]]:
    """Hold signals back in the block; yields a function that returns whether one came. After the block it takes effect.

    A second signal takes effect at once, unless it comes within `SAME_SIGNAL_S` of the first: then it is the same one,
    which a terminal sends to each process and `torchrun` sends again. Outside the main thread signals cannot be
    handled, and none is held back.
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

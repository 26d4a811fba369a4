"""Ctrl-C and SIGTERM while a command is being loaded, when there is nothing to save or to remove."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from ssd300.system.processes import is_main_process

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def end_at_once() -> None:
    """From now on both signals end the process with a line and its exit code, until other handlers are set.

    Ctrl-C stays ignored where it is, as in a job that a shell runs in the background.
    """
    for number in WORDS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end)


def is_early(number: int) -> bool:
    """Whether the handler of `end_at_once` is set."""
    return signal.getsignal(number) is _end


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    if not is_main_process():
        os._exit(128 + number)
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"ssd300: {WORDS[signal.Signals(number)]}\n".encode())
    os._exit(128 + number)  # an exception could be lost in a module that is being imported

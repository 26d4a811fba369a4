"""What a command says when Ctrl-C or SIGTERM ends it: besides that, what to type to resume."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_signal(how_to_resume: Callable[[], str | None]) -> Iterator[None]:
    """If a signal ends the block, `main` prints these words behind "interrupted"; None for none."""
    try:
        yield
    except BaseException as signal:
        if not isinstance(signal, Exception) and (words := how_to_resume()):
            signal.add_note(words)
        raise


def last_words(signal: BaseException, word: str) -> str:
    """The line for a signal that ended the command: what the exception says or else `word`, and the notes behind it."""
    return "; ".join([str(signal) or word, *getattr(signal, "__notes__", ())])

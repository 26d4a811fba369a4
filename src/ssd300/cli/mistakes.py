"""All mistakes of one command line, reported together: collected while a verb checks its options, then raised."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

from ssd300.errors import MistakesError, SSDError, UsageError

Made = TypeVar("Made")
STAND_IN = "value-that-is-missing"  # in place of a value that a command line lacks, so that the others are checked
NO_NAMES: Mapping[str, str] = MappingProxyType({})
_words: ContextVar[tuple[str, ...]] = ContextVar("words", default=())
_in_the_words: ContextVar[tuple[SSDError, ...]] = ContextVar("in_the_words", default=())
_mended: ContextVar[frozenset[str]] = ContextVar("mended", default=frozenset())


class Mistakes:
    """What is wrong with a command line. `raise_all` comes before a verb writes anything.

    It begins with the mistakes in the words themselves, such as an unknown option. `words` are the command line from
    its verb on; None where they are wrong or not known.
    """

    def __init__(self) -> None:
        self.errors: list[SSDError] = list(_in_the_words.get())
        self._about_stand_ins = bool(self.errors)
        self._mended = _mended.get()
        self.words = None if self.errors else list(_words.get()) or None

    def add(self, what: str, *, where: object = None, fix: str | None = None) -> None:
        """A mistake in an option."""
        self.errors.append(UsageError(what, where=where, fix=fix))

    @contextmanager
    def caught(self) -> Iterator[None]:
        """An error of the block is collected, and what follows the block is checked too."""
        try:
            yield
        except SSDError as error:
            if not (self._about_stand_ins and STAND_IN in str(error)):
                self.errors += error.errors if isinstance(error, MistakesError) else [error]

    def built(
        self, make: Callable[..., Made], options: Mapping[str, Any], *, fix: str, names: Mapping[str, str] = NO_NAMES
    ) -> Made:
        """What `make` makes of the options, by name; None stands for one that is left out.

        Each value that it refuses, with a ValueError that begins with its name, is a mistake; the result is then made
        without it. `names` are the options of fields that are not named like them.
        """
        values = {name: value for name, value in options.items() if value is not None}
        while True:
            try:
                return make(**values)
            except ValueError as error:
                made = error if isinstance(error, SSDError) else of_option(error, fix=fix, names=names)
                if made.what.split(maxsplit=1)[0] not in self._mended:
                    self.errors.append(made)
                refused = str(error).split(maxsplit=1)[0]
                if refused not in values:
                    self.raise_all()
                del values[refused]

    def raise_all(self) -> None:
        """Raise what was collected: one error as itself, several as MistakesError, in the order of the checks."""
        if self.errors:
            raise raised(self.errors)


def raised(errors: Iterable[SSDError]) -> SSDError:
    """One error for all of them, each said once."""
    first, *others = {str(error): error for error in errors}.values()
    return MistakesError([first, *others]) if others else first


def of_option(error: ValueError, *, fix: str, names: Mapping[str, str] = NO_NAMES) -> UsageError:
    """The error of a value of Python's, 'top_k is 0; ...', as one of the option --top-k; `names` are other options."""
    field, *rest = str(error).split(maxsplit=1)
    return UsageError(" ".join((names.get(field) or option(field), *rest)), fix=fix)


def option(field: str) -> str:
    """The option that sets a field."""
    return f"--{field.replace('_', '-')}"


@contextmanager
def typed(words: Iterable[str], errors: Iterable[SSDError], mended: Iterable[str] = ()) -> Iterator[None]:
    """In the block a verb checks a command line, and the words have these mistakes. The values of the options `mended`
    were not typed, so nothing is said about them.
    """
    tokens = _words.set(tuple(words)), _in_the_words.set(tuple(errors)), _mended.set(frozenset(mended))
    try:
        yield
    finally:
        _words.reset(tokens[0])
        _in_the_words.reset(tokens[1])
        _mended.reset(tokens[2])

"""Errors that a user can fix. Each states what is wrong, where, and what to do.

The command line turns each kind into its exit code. Some callers catch a single kind: `--on-bad-image skip` skips
images that raise DataError, and the server answers a DataError with a 4xx status.
"""

import re
from collections.abc import Iterable, Sequence

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what a terminal obeys, but for tabs and new lines


def as_text(name: object) -> str:
    r"""A name as text that every file can hold: a byte of a file's name that is not UTF-8 becomes, say, '\udce9'."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def printable(text: str) -> str:
    r"""The text with control characters written out, such as '\x1b': names in a file from anywhere may have them."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class SSDError(Exception):
    """`what` is wrong, `where` (file, object, line), and the `fix`. str() gives all three as one text."""

    def __init__(self, what: str, *, where: object = None, fix: str | None = None) -> None:
        self.what = printable(as_text(what))
        self.where = None if where is None else printable(as_text(where))
        self.fix = fix
        super().__init__(": ".join(part for part in (self.where, self.what) if part) + (f". {fix}" if fix else ""))


class RunError(SSDError, RuntimeError):
    """A run cannot start or continue: exit code 1."""


class DownloadError(RunError):
    """A file that cannot be downloaded: exit code 1."""


class UsageError(SSDError, ValueError):
    """Wrong or contradicting options, or an output that exists: exit code 2."""


class DataError(SSDError, ValueError):
    """An image, annotation, list or split that cannot be used: exit code 3."""


class WeightsError(SSDError, ValueError):
    """A weights file or checkpoint that cannot be used: exit code 4."""


class ExportError(SSDError):
    """An exported file that cannot be made, or does not give the results of its weights: exit code 5."""


class ReportedElsewhereError(RunError):
    """Another process of this run failed and reports why; this one has nothing to add: exit code 1."""


class MistakesError(SSDError):
    """All mistakes of one command line, at least two. The exit code is that of the first."""

    def __init__(self, errors: Sequence[SSDError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, errors)))


def alike(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The names that are spelled like `word`, the nearest first: 'RBC' for 'rbc', 'ssd300_vgg16' for 'vgg16'."""
    from difflib import get_close_matches  # only where somebody mistyped

    names = {name.casefold(): name for name in known}
    wanted = word.casefold()
    same = [name for name in names if name == wanted]
    longer = [name for name in names if len(wanted) > 2 and wanted in name]
    close = get_close_matches(wanted, names, n=most, cutoff=0.6)
    return [names[name] for name in dict.fromkeys([*same, *longer, *close])][:most]


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """What to do about a name that is not known: the question with the names that are spelled alike, or `otherwise`."""
    names = alike(word, known)
    return f"Did you mean {' or '.join(names)}?" if names else otherwise


APP = ("fast", "light", "onnx", "serve", "video")  # the extras of the extra `app`, as pyproject.toml has them


def install_hint(extra: str) -> str:
    """How to install the optional dependencies `extra`. From a checkout, as the package is not on an index yet."""
    # Double quotes: cmd on Windows would pass single ones on to pip.
    part = f" `{extra}` is part of `app`, the extra that the README installs." if extra in APP else ""
    return f'Run `python -m pip install ".[{extra}]"` in the checkout of ssd300.{part}'

"""Mistakes that a user can mend. Each says what is wrong, where, and what to do.

The command line turns each kind into its exit code. Some callers catch one kind alone: DataError is what
`--on-bad-image skip` skips, and what the server answers with 4xx.
"""


class SSDError(Exception):
    """What is wrong, where (file, object, line), and what to do about it."""

    def __init__(self, what: str, *, where: object = None, fix: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.fix = fix
        super().__init__(": ".join(part for part in (self.where, what) if part) + (f". {fix}" if fix else ""))


class RunError(SSDError, RuntimeError):
    """A run cannot start or go on: exit code 1."""


class DownloadError(RunError):
    """A file that cannot be had from where it is published: exit code 1."""


class UsageError(SSDError, ValueError):
    """Options that contradict each other, or an output that is in the way: exit code 2."""


class DataError(SSDError, ValueError):
    """An image, annotation, list or split that cannot be used: exit code 3."""


class WeightsError(SSDError, ValueError):
    """A weights file or checkpoint that cannot be used: exit code 4."""


class ExportError(SSDError):
    """An exported file does not do what its weights do, or cannot be made."""


def install_hint(extra: str) -> str:
    """The command that installs an optional part, from a checkout: the package is on no index yet."""
    return f"Run `python -m pip install '.[{extra}]'` in the checkout of ssd300."

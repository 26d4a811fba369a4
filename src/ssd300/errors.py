"""Errors that a user can fix. Each states what is wrong, where, and what to do.

The command line turns each kind into its exit code. Some callers catch a single kind: `--on-bad-image skip` skips
images that raise DataError, and the server answers a DataError with a 4xx status.
"""


class SSDError(Exception):
    """`what` is wrong, `where` (file, object, line), and the `fix`. str() gives all three as one text."""

    def __init__(self, what: str, *, where: object = None, fix: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.fix = fix
        super().__init__(": ".join(part for part in (self.where, what) if part) + (f". {fix}" if fix else ""))


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


APP = ("fast", "light", "onnx", "serve", "video")  # the extras of the extra `app`, as pyproject.toml has them


def install_hint(extra: str) -> str:
    """How to install the optional dependencies `extra`. From a checkout, as the package is not on an index yet."""
    # Double quotes: cmd on Windows would pass single ones on to pip.
    part = f" `{extra}` is part of `app`, the extra that the README installs." if extra in APP else ""
    return f'Run `python -m pip install ".[{extra}]"` in the checkout of ssd300.{part}'

"""A folder for temporary files, and what to do where its disk is full."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from ssd300.errors import RunError
from ssd300.system.files import FULL


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is there as long as the block.

    Raises RunError where a temporary file of the block cannot be written, as its disk is full. Most such errors name no
    file, and outputs have an error of their own, by `write_atomically`.
    """
    try:
        with TemporaryDirectory() as name:
            yield Path(name)
    except (OSError, RuntimeError) as error:
        if not _is_about_a_full_disk(error):
            raise
        raise RunError(
            f"a temporary file cannot be written ({getattr(error, 'strerror', None) or error})",
            where=gettempdir(),
            fix="Make room there, or set TMPDIR to a folder on another disk, such as `TMPDIR=. ssd300 ...`.",
        ) from error


def _is_about_a_full_disk(error: OSError | RuntimeError) -> bool:
    if isinstance(error, OSError):
        path = error.filename
        return error.errno in FULL and (path is None or Path(str(path)).is_relative_to(gettempdir()))
    return type(error) is RuntimeError and "iostream error" in str(error)  # OpenVINO writes with C++'s streams

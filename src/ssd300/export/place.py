"""Where an export is written: one at a time, each file whole."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ssd300.errors import RunError
from ssd300.system.files import free_beside, write_atomically
from ssd300.system.lock import LOCK, Lock


@contextmanager
def reserved(out: Path) -> Iterator[None]:
    """No other export writes the file `out` in the block. Folders that were made for it and stay empty are removed.

    Raises:
        InUseError: another export writes it now.
        RunError: its folder cannot be made, or written.
    """
    made = [folder for folder in out.absolute().parents if not folder.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(out.with_name(f".{out.name}{LOCK}"), output=out, instead=free_beside(out))
    except OSError as error:
        raise RunError(
            f"the file cannot be written ({error.strerror})", where=out, fix="Name another folder with --out."
        ) from error
    try:
        yield
    finally:
        lock.release()
        _remove_empty(made)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """An error of a library that writes the temporary `file` in the block becomes a RunError that names its folder."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # OpenVINO raises RuntimeError for a full disk
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise RunError(
            f"{file.name} cannot be built ({reason})",
            where=file.parent,
            fix="Make room on the disk of temporary files, or set TMPDIR to a folder on another one.",
        ) from error


def put(parts: Sequence[Path], out: Path) -> None:
    """Copy what was built to the place of `out`, one file after the other; the .xml, which is loaded, comes last.

    Raises:
        RunError: a file cannot be written. Where an old .xml is then beside a new .bin, loading it says so.
    """
    for part in sorted(parts, key=lambda part: part.suffix == out.suffix):
        write_atomically(out.with_suffix(part.suffix), partial(shutil.copyfile, part))


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:  # the deepest one first
        try:
            folder.rmdir()
        except OSError:  # it is in use
            return

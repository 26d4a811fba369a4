"""Writing files and folders so that nobody reads half of one, and an existing folder is not overwritten by mistake."""

import glob
import itertools
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from ssd300.errors import DataError, RunError, UsageError, alike
from ssd300.system.lock import LOCK, Lock

TEMPORARY_SUFFIX = ".partial"
FULL = frozenset([ENOSPC, EDQUOT, EFBIG])  # a disk, a quota, or the limit on a file's size
MOST_NAMES = 20_000  # in a folder, that are compared with one that was mistyped


def write_atomically(path: Path, write: Callable[[Path], None], *, keep: Path | None = None, sync: bool = True) -> None:
    """Write a file whole or not at all: `write` fills a temporary file beside `path`, which then replaces `path`.

    With `sync` the data is on the disk when this returns, and survives a loss of power; for many small files that takes
    longer than all else. With `keep`, the previous file is renamed to it, so that at each moment one of the two is
    whole.

    Raises:
        RunError: the file cannot be written; the previous one is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        mode = stat.S_IMODE(temporary.stat().st_mode)  # by the user's umask
        write(temporary)
        temporary.chmod(mode)  # safetensors creates files that only their owner can read
        if sync:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        temporary.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch raises RuntimeError for a full disk
        raise _cannot_write(path, error, "The previous file is unchanged.") from error
    finally:
        temporary.unlink(missing_ok=True)
    if sync and os.name == "posix":  # a folder cannot be opened for fsync elsewhere
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def appending(path: Path) -> Iterator[None]:
    """For lines that are added to a file in the block. Raises RunError that names the file if they cannot be."""
    try:
        yield
    except OSError as error:
        raise _cannot_write(path, error, "What it held before is still there.") from error


def _cannot_write(path: Path, error: Exception, rest: str) -> RunError:
    what = "the file cannot be written ({})"
    reason = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
    fix = f"Check the folder's permissions and the space on its disk. {rest}".rstrip()
    return RunError(error.what if isinstance(error, RunError) else what.format(reason), where=path, fix=fix)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with line ends as given, as `write_atomically`."""
    write_atomically(path, lambda temporary: _write_utf8(temporary, text))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file's content as `write_atomically`."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_atomically(path, write)


def read_if_there(path: Path) -> bytes | None:
    """What a file holds; None without one. Raises DataError if it cannot be opened."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"the file cannot be opened ({error.strerror})", where=path) from error


def write_json(path: Path, value: Any, *, indent: int | None = 2) -> None:
    """Write JSON as `write_atomically`.

    Raises:
        ValueError: a number is NaN or infinite. The file is unchanged.
    """
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def _write_utf8(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def remove_stale_temporaries(folder: Path) -> None:
    """Remove the temporary files that killed runs left in `folder` and below."""
    for leftover in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def absolute(path: Path) -> str:
    """One spelling of each path: absolute, without `.` and `..`. Links keep their names, unlike in `Path.resolve`."""
    return os.path.abspath(path)  # noqa: PTH100  # pathlib has no way to do so


def check_output_free(folder: Path, *, overwrite: bool, instead: str = "", inputs: Iterable[Path | str] = ()) -> None:
    """Refuse an output folder that is not empty, unless `overwrite`; in any case if it is one of `inputs`.

    `instead` is what else the user can do, before --overwrite is mentioned.

    Raises:
        UsageError: `folder` is a file, is one of `inputs`, or is not empty and `overwrite` is false.
    """
    check_output_folder(folder)
    if any(Path(path).resolve() == folder.resolve() for path in inputs):
        fix = f"Name another one: --out {free_beside(folder)}."
        raise UsageError("the output folder is what is read, and would be mixed with it", where=folder, fix=fix)
    if folder.is_dir() and not is_empty(folder) and not overwrite:
        free = f"Name a free one: --out {free_beside(folder)}. "
        last = "--overwrite writes into this one, over files of the same name."
        raise UsageError("the output folder exists and is not empty", where=folder, fix=free + (instead or last))


def check_output_folder(folder: Path) -> None:
    """Refuse an output folder that is a file, or is in a place that cannot be written. Raises UsageError."""
    if folder.exists() and not folder.is_dir():
        fix = f"Such as --out {free_folder(folder.with_suffix(''))}."
        raise UsageError("the output is a file where a folder is needed", where=folder, fix=fix)
    _check_can_write(folder, "--out")


def is_empty(folder: Path) -> bool:
    """Whether nothing is in the folder but a lock, which a command holds that has just begun, or a killed one left."""
    return all(path.name == LOCK for path in folder.iterdir())


def check_file_free(file: Path, option: str, *, overwrite: bool, can_overwrite: bool = True) -> None:
    """Refuse an output file that exists, unless `overwrite`, or is in a place that cannot be written; `option` is the
    one that names it. Raises UsageError.
    """
    _check_can_write(file.parent, option)
    if file.is_dir():
        raise UsageError(
            f"{option} names a folder where a file is needed", where=file, fix=f"Name a file in it with {option}."
        )
    if file.exists() and not overwrite:
        last = " --overwrite replaces the file." if can_overwrite else ""
        raise UsageError("the file exists", where=file, fix=f"Name a free one: {option} {free_beside(file)}.{last}")


def _check_can_write(folder: Path, option: str) -> None:
    """Refuse a folder, there or not yet, that nothing can be written into: this is found now, and not after hours."""
    place = nearest_there(folder)
    fix = f"Name another place with {option}"
    if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
        raise UsageError("nothing can be written here", where=place, fix=f"{fix}, or change its permissions.")
    if not place.is_dir():
        raise UsageError("this is a file, so no folder can be made in it", where=place, fix=f"{fix}.")


def nearest_there(path: Path) -> Path:
    """The path, made absolute, or the nearest of its parents that exists."""
    whole = path.absolute()
    there = os.path.exists  # `Path.exists` raises an error below a folder that may not be looked into
    return next((one for one in (whole, *whole.parents) if there(one)), whole)


def free_beside(path: Path) -> Path:
    """The next name beside `path` that nothing has: `runs/mine-2` for `runs/mine`, `a-2.onnx` for `a.onnx`."""
    whole = path if path.name else path.absolute()
    suffix = "" if whole.is_dir() else whole.suffix
    stem, hyphen, number = whole.name.removesuffix(suffix).rpartition("-")
    if not (hyphen and number.isdigit()):
        stem, number = whole.name.removesuffix(suffix), "1"
    names = (whole.with_name(f"{stem}-{count}{suffix}") for count in itertools.count(int(number) + 1))
    return next(name for name in names if not name.exists())


def free_folder(folder: Path) -> Path:
    """The folder itself if it is not there or is empty, else the next free name beside it."""
    return free_beside(folder) if folder.exists() and not (folder.is_dir() and is_empty(folder)) else folder


def spelled_like(path: Path, otherwise: str) -> str:
    """What to do about a path that does not exist: the names in its folder that are spelled alike, or `otherwise`."""
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} either. Check the path."
    try:
        names = [child.name for child in itertools.islice(path.parent.iterdir(), MOST_NAMES)]
    except OSError:
        return otherwise
    near = [str(path.parent / name) for name in alike(path.name, names)]
    return f"Did you mean {' or '.join(near)}?" if near else otherwise


@contextmanager
def whole_folder(folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder to fill, which becomes `folder` when the block ends without an error, and else is removed.

    With `overwrite`, files of the same name are replaced; others in `folder` stay.

    Raises:
        UsageError: as `check_output_free`; or another process fills `folder` in this way, or has just done so.
        RunError: the disk is full, or the folder cannot be written. Nothing has changed in it.
    """
    check_output_free(folder, overwrite=overwrite)
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Inside an existing folder, as its parent may be another file system or not writable.
        there = folder.exists()
        lock = Lock(
            folder / LOCK if there else folder.with_name(f".{folder.name}{LOCK}"),
            output=folder,
            instead=free_beside(folder),
        )
    except OSError as error:
        raise _cannot_write(folder, error, "") from error
    building = (folder if there else folder.parent) / f".{folder.name}.{os.getpid()}{TEMPORARY_SUFFIX}"
    try:
        check_output_free(folder, overwrite=overwrite)  # again, as its last holder may have filled it
        _remove_leftovers(building)
        building.mkdir()
        yield building
        _move(building, folder)
    except (OSError, RunError) as error:
        if (place := _place_in(building, error)) is None:
            raise
        raise _cannot_write(folder / place, error, "Nothing has changed in the folder.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
        lock.release()


def _remove_leftovers(building: Path) -> None:
    """Remove what killed processes left of the same folder: its name with the number of another process."""
    begin = building.name.removesuffix(f"{os.getpid()}{TEMPORARY_SUFFIX}")
    for path in building.parent.glob(f"{glob.escape(begin)}*{TEMPORARY_SUFFIX}"):
        if path.name.removeprefix(begin).removesuffix(TEMPORARY_SUFFIX).isdecimal():  # else of "out.v2", not of "out"
            shutil.rmtree(path, ignore_errors=True)


def _move(building: Path, folder: Path) -> None:
    if not folder.exists():
        building.replace(folder)
        return
    for source in sorted(path for path in building.rglob("*") if path.is_file()):
        target = folder / source.relative_to(building)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _place_in(building: Path, error: OSError | RunError) -> Path | None:
    """The file in the folder `building` that could not be written, or the folder itself; None for another error.

    When the disk is full, a write does not name its file, and a copy names its source first.
    """
    full = isinstance(error, OSError) and error.errno in FULL
    name = error.where if isinstance(error, RunError) else error.filename2 or error.filename
    path = Path(os.fsdecode(name)) if isinstance(name, str | bytes) else Path()
    if path.is_relative_to(building):
        return path.relative_to(building)
    return Path() if full else None

"""Writing files and folders so that nobody reads half of one, and an existing folder is not overwritten by mistake."""

import itertools
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from ssd300.errors import RunError, UsageError, alike

TEMPORARY_SUFFIX = ".partial"
MOST_NAMES = 20_000  # in a folder, that are compared with one that was mistyped


def write_atomically(path: Path, write: Callable[[Path], None], *, keep: Path | None = None) -> None:
    """Write a file whole or not at all: `write` fills a temporary file beside `path`, which then replaces `path`.

    The data is on the disk (fsync) when this returns. With `keep`, the previous file is renamed to it, so that at each
    moment one of the two is whole.

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
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        temporary.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch raises RuntimeError for a full disk
        raise RunError(
            f"the file cannot be written ({getattr(error, 'strerror', None) or str(error).splitlines()[0]})",
            where=path,
            fix="Check the folder's permissions and the space on its disk. The previous file is unchanged.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":  # a folder cannot be opened for fsync elsewhere
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with line ends as given, as `write_atomically`."""
    write_atomically(path, lambda temporary: _write_utf8(temporary, text))


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


def check_output_free(folder: Path, *, overwrite: bool, instead: str = "") -> None:
    """Refuse an output folder that is not empty, unless `overwrite`.

    `instead` is what else the user can do, before --overwrite is mentioned.

    Raises:
        UsageError: `folder` is a file, or is not empty and `overwrite` is false.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            "the output is a file where a folder is needed", where=folder, fix=f"Such as --out {free_beside(folder)}."
        )
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        free = f"Name a free one: --out {free_beside(folder)}. "
        last = "--overwrite writes into this one, over files of the same name."
        raise UsageError("the output folder exists and is not empty", where=folder, fix=free + (instead or last))


def check_file_free(file: Path, option: str, *, overwrite: bool, can_overwrite: bool = True) -> None:
    """Refuse an output file that exists, unless `overwrite`; `option` is the one that names it. Raises UsageError."""
    if file.is_dir():
        raise UsageError(
            f"{option} names a folder where a file is needed", where=file, fix=f"Name a file in it with {option}."
        )
    if file.exists() and not overwrite:
        last = " --overwrite replaces the file." if can_overwrite else ""
        raise UsageError("the file exists", where=file, fix=f"Name a free one: {option} {free_beside(file)}.{last}")


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
    empty = folder.is_dir() and not any(folder.iterdir())
    return free_beside(folder) if folder.exists() and not empty else folder


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
        UsageError: as `check_output_free`.
    """
    check_output_free(folder, overwrite=overwrite)
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Inside an existing folder, as its parent may be another file system or not writable.
    beside = folder if folder.exists() else folder.parent
    building = beside / f".{folder.name}.{os.getpid()}{TEMPORARY_SUFFIX}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        yield building
        if folder.exists():
            for source in sorted(path for path in building.rglob("*") if path.is_file()):
                target = folder / source.relative_to(building)
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
        else:
            building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)

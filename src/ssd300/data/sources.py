"""Which pictures a user means: files, folders, patterns, lists of paths, and paths on standard input."""

import glob
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ssd300.data.images import SUFFIXES
from ssd300.errors import DataError, UsageError

STDIN = "-"
LIST_SUFFIX = ".txt"


def find_pictures(sources: Sequence[str]) -> list[Path]:
    """The pictures in the order of the sources; those of a folder or pattern by name. A picture may come twice.

    Paths in a list file are relative to it, those on standard input to the working folder.

    Raises:
        UsageError: no source.
        DataError: a source is not there, or names no picture.
    """
    if not sources:
        raise UsageError("no picture was named", fix="Name pictures, folders, patterns, a list (.txt), or - for stdin.")
    pictures: list[Path] = []
    for source in sources:
        path = Path(source)
        if source == STDIN:
            pictures += _listed(sys.stdin, Path(), "standard input")
        elif path.is_dir():
            found = sorted(child for child in path.iterdir() if child.suffix.lower() in SUFFIXES)
            if not found:
                raise DataError("the folder has no pictures", where=path, fix="Name another folder.")
            pictures += found
        elif path.exists() and path.suffix.lower() == LIST_SUFFIX:
            try:
                with path.open(encoding="utf-8-sig") as lines:
                    pictures += _listed(lines, path.parent, str(path))
            except UnicodeDecodeError as error:
                raise DataError("the list is no text", where=path, fix="Name a file with one path a line.") from error
        elif path.exists():
            pictures.append(path)
        elif glob.has_magic(source):
            matched = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207  # which takes no absolute pattern
            matched = [name for name in matched if name.suffix.lower() in SUFFIXES]
            if not matched:
                raise DataError("no picture fits the pattern", where=source, fix="Check the pattern.")
            pictures += matched
        else:
            raise DataError("there is no such picture", where=path, fix="Check the path.")
    return pictures


def _listed(lines: Iterable[str], root: Path, where: str) -> list[Path]:
    names = [line.strip() for line in lines]
    pictures = [root / name for name in names if name]
    if not pictures:
        raise DataError("no path is listed", where=where, fix="Give one path a line.")
    return pictures

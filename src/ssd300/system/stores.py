"""A place for many files: a folder, or an address that fsspec knows, such as s3://bucket/folder (the extra `remote`).

Names in a store are relative, with slashes. A folder needs no extra.
"""

import os.path
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast, runtime_checkable

from ssd300.errors import DataError, RunError, UsageError, install_hint
from ssd300.system.files import absolute, write_atomically

SCHEME = "://"
ADDRESS_AS_PATH = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.DOTALL)  # a drive of Windows has one letter
WEB_SCHEMES = ("http", "https")  # for whose servers a double slash may mean something else
UNTIDY = re.compile(r"/[./]|/$")  # in a path that may have another spelling, or is hidden
LOCAL_SCHEMES = ("file", "local")  # whose paths begin with a slash
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub", "az": "adlfs"}


@runtime_checkable
class Store(Protocol):
    """Reading raises DataError for a file that is not there or cannot be read, writing RunError; where is its place."""

    def place(self, name: str) -> str:
        """The path or address of a file, to be printed."""

    def names(self, suffix: str = "") -> list[str]:
        """The files in it and below that end so, sorted. Empty where there is no such place; no hidden files."""

    def size(self, name: str) -> int:
        """Bytes of a file."""

    def read(self, name: str, start: int = 0, count: int | None = None) -> bytes:
        """A file, or `count` bytes of it from `start` on; fewer at its end."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; one of that name is replaced."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file to this machine, without holding it in memory."""

    def put(self, name: str, source: Path) -> None:
        """As `write`, of the content of a file of this machine, without holding it in memory."""


def is_remote(place: str | Path) -> bool:
    """Whether it is an address of a file system, such as s3://bucket/folder, and not a path."""
    return SCHEME in str(place)


def as_place(path: str | Path) -> str:
    """A path as it is, or the address that it was typed as: `Path` makes s3:/bucket of s3://bucket."""
    found = ADDRESS_AS_PATH.fullmatch(str(path))
    if found is None:
        return str(path)
    scheme, rest = found.groups()
    return f"{scheme}{SCHEME}{'/' if scheme in LOCAL_SCHEMES else ''}{rest}"


def one_spelling(place: str, base: str = "") -> str:
    """One spelling of each path and address: a path in full, from the folder `base` on (default: the working folder),
    without `.` and `..`; an address without double slashes and without one at its end, but for those of the web. Links
    keep their names.
    """
    if not is_remote(place):
        full = os.path.join(base, place)  # noqa: PTH118  # a Path takes several times as long, for millions of names
        if not full.startswith("/") or UNTIDY.search(full):
            full = absolute(Path(full))
    else:
        scheme, path = place.split(SCHEME, 1)
        full = place if scheme in WEB_SCHEMES else scheme + SCHEME + re.sub("//+", "/", path).rstrip("/")
    return place if full == place else full  # the same object: for millions of names memory counts


def open_store(place: str | Path) -> Store:
    """The store at a folder or an address.

    Raises UsageError where fsspec, or its part for this kind of address, is not installed.
    """
    return Remote(str(place)) if is_remote(place) else Folder(Path(place))


class Folder:
    """A folder of this machine. It is made when something is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def place(self, name: str) -> str:
        return str(self.path / name)

    def names(self, suffix: str = "") -> list[str]:
        files = (path.relative_to(self.path) for path in self.path.rglob(f"*{suffix}") if path.is_file())
        return sorted(name.as_posix() for name in files if not any(part.startswith(".") for part in name.parts))

    def size(self, name: str) -> int:
        with _readable(self.place(name)):
            return (self.path / name).stat().st_size

    def read(self, name: str, start: int = 0, count: int | None = None) -> bytes:
        with _readable(self.place(name)), (self.path / name).open("rb") as file:
            return _part(file, start, count)

    def write(self, name: str, content: bytes) -> None:
        def fill(path: Path) -> None:
            path.write_bytes(content)

        write_atomically(self.path / name, fill)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def fetch(self, name: str, target: Path) -> None:
        with _readable(self.place(name)):
            shutil.copyfile(self.path / name, target)

    def put(self, name: str, source: Path) -> None:
        write_atomically(self.path / name, lambda path: _copy(source, path))


class Remote:
    """An address, through fsspec. An object store shows a file only when it is whole."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.files, self.root = _file_system(self.address)

    def place(self, name: str) -> str:
        return f"{self.address}/{name}"

    def names(self, suffix: str = "") -> list[str]:
        with _readable(self.address):
            try:
                found = [str(path) for path in self.files.find(self.root)]
            except FileNotFoundError:
                return []
        names = (path[len(self.root) :].lstrip("/") for path in found)
        return sorted(
            name for name in names if name.endswith(suffix) and not any(p.startswith(".") for p in name.split("/"))
        )

    def size(self, name: str) -> int:
        with _readable(self.place(name)):
            return int(self.files.size(self._path(name)))

    def read(self, name: str, start: int = 0, count: int | None = None) -> bytes:
        with _readable(self.place(name)):
            end = None if count is None else start + count
            return cast(bytes, self.files.cat_file(self._path(name), start=start, end=end))

    def write(self, name: str, content: bytes) -> None:
        try:
            self.files.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
            self.files.pipe_file(self._path(name), content)
        except Exception as error:  # each kind of address has its own kinds
            raise RunError(f"it cannot be written ({error})", where=self.place(name)) from error

    def remove(self, name: str) -> None:
        if self.files.exists(self._path(name)):
            self.files.rm_file(self._path(name))

    def fetch(self, name: str, target: Path) -> None:
        with _readable(self.place(name)):
            self.files.get_file(self._path(name), str(target))

    def put(self, name: str, source: Path) -> None:
        try:
            self.files.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
            self.files.put_file(str(source), self._path(name))
        except Exception as error:  # each kind of address has its own kinds
            raise RunError(f"it cannot be written ({error})", where=self.place(name)) from error

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"


def _file_system(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise UsageError("addresses of files need fsspec", where=address, fix=install_hint("remote")) from error
    try:
        files, root = fsspec.core.url_to_fs(address)
    except ValueError as error:
        raise UsageError(str(error), where=address, fix="Check the part before ://.") from error
    except ImportError as error:  # its message names the package
        package = PACKAGES.get(address.partition(SCHEME)[0])
        known = f"Run `python -m pip install {package}`: the extra `remote` has fsspec alone."
        fix = known if package else "Install the package that it names."
        raise UsageError(str(error), where=address, fix=fix) from error
    return files, str(root).rstrip("/")


@contextmanager
def _readable(where: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=where, fix="Check the path.") from error
    except DataError:
        raise
    except Exception as error:  # each kind of address has its own kinds
        raise DataError(f"it cannot be read ({error})", where=where, fix="Check that you may read it.") from error


def _part(file: BinaryIO, start: int, count: int | None) -> bytes:
    file.seek(start)
    return file.read() if count is None else file.read(count)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)

"""The images in zip and tar archives. Nothing is unpacked to disk, so that no name in an archive can do harm."""

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ssd300.detection.contents import Content
from ssd300.errors import DataError
from ssd300.images.kinds import HEAD_BYTES
from ssd300.system.web import MAX_BYTES

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
ZIPPED, COMPRESSED = (b"PK\3\4", b"PK\5\6"), (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")  # how such files begin
TAR_MARK, TAR_MARK_AT = b"ustar", 257
MOST_HELD = 512_000_000  # bytes of images of a compressed tar file, which has no fast way back to an earlier member
FAULTS = (OSError, EOFError, RuntimeError, ValueError, KeyError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
IsWanted = Callable[[str, Callable[[], bytes]], bool]  # of a file's name, and of what gives its first bytes


@dataclass(frozen=True, eq=False)
class _Member:
    """A file in an archive: its name as a plain relative path, and what gives its first bytes, as many as asked for:
    `read` as long as the archive is open, `read_later` at any time.
    """

    name: str
    read: Callable[[int], bytes]
    read_later: Callable[[int], bytes]

    def head(self) -> bytes:
        """Its first bytes; none where it cannot be read."""
        try:
            return self.read(HEAD_BYTES)
        except FAULTS:
            return b""


def is_archive(path: Path, head: bytes) -> bool:
    """Whether a file that begins with `head` is a zip or tar file; a compressed file of another kind is none."""
    if head.startswith(ZIPPED):
        return True
    if not (head.startswith(COMPRESSED) or head[TAR_MARK_AT:].startswith(TAR_MARK)):
        return False
    try:
        found = tarfile.is_tarfile(path)
    except FAULTS:
        found = False
    return found or path.name.lower().endswith(SUFFIXES)  # one that is damaged, which reading it tells


def contents(path: Path, is_wanted: IsWanted) -> tuple[list[Content], list[str]]:
    """The wanted files of an archive by name, as contents named after it, and the names of the others.

    Folders are no files. Names are made plain: '/etc/a.jpg' and '../../etc/a.jpg' are 'etc/a.jpg'.

    Raises:
        DataError: the archive is damaged.
    """
    wanted: list[Content] = []
    others: list[str] = []
    held = 0
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    with _explained(path), closing(_zipped(path) if head.startswith(ZIPPED) else _tarred(path)) as members:
        for member in members:
            name = f"{path}/{member.name}"
            if not is_wanted(member.name, member.head):
                others.append(member.name)
            elif head.startswith(COMPRESSED) and held < MOST_HELD:
                kept, size = _kept(member, name)
                held += size
                wanted.append(Content(name, kept))
            else:
                wanted.append(Content(name, partial(_whole, member.read_later, name)))
    return sorted(wanted, key=str), others


def _kept(member: _Member, where: str) -> tuple[Callable[[], bytes], int]:
    """What gives the member's content, read now, or raises why it could not be; and how many bytes that holds."""
    try:
        content = _whole(member.read, where)
    except DataError as error:
        fault = error
    else:
        return lambda: content, len(content)

    def fail() -> bytes:
        raise fault

    return fail, 0


def _whole(read: Callable[[int], bytes], where: str) -> bytes:
    """A whole file. Raises DataError."""
    try:
        content = read(MAX_BYTES + 1)
    except FAULTS as error:
        reason = "it is encrypted" if "encrypted" in str(error) else str(error) or type(error).__name__
        raise DataError(f"it cannot be read from the archive ({reason})", where=where, fix="Unpack it.") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"the file has more than {MAX_BYTES:,} bytes", where=where, fix="Unpack the archive.")
    return content


def _zipped(path: Path) -> Generator[_Member, None, None]:
    archive = zipfile.ZipFile(path)  # open as long as one of its members may be read; it has a lock of its own

    def read(info: zipfile.ZipInfo, most: int) -> bytes:
        with archive.open(info) as file:
            return file.read(most)

    for info in archive.infolist():
        if not info.is_dir():
            yield _Member(plain_name(info.filename), partial(read, info), partial(read, info))


def _tarred(path: Path) -> Generator[_Member, None, None]:
    def read_later(info: tarfile.TarInfo, most: int) -> bytes:
        with tarfile.open(path) as archive:
            return _extracted(archive, info, most)

    with tarfile.open(path) as archive:
        for info in archive:
            if not info.isdir():
                yield _Member(plain_name(info.name), partial(_extracted, archive, info), partial(read_later, info))


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo, most: int) -> bytes:
    """The first bytes of a file, or of the one in the archive that a link leads to."""
    file = archive.extractfile(info)
    if file is None:
        raise ValueError("it is a device, not a file")
    with file:
        return file.read(most)


def plain_name(name: str) -> str:
    """A member's name as a plain relative path: '/etc/a.jpg' and '../../etc/a.jpg' are 'etc/a.jpg'."""
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")) or "file"


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except FAULTS as error:
        raise DataError(f"the archive is damaged ({error})", where=path, fix="Get it again.") from error

"""A file from the web: a broken transfer is resumed, and the checksum is verified before the file gets its name.

Does not know weights and data. Its callers run only when the user asked for a download.
"""

import hashlib
import http.client
import logging
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ssd300.errors import DownloadError
from ssd300.system.files import write_atomically
from ssd300.system.web import is_address, reason_of

PART_SUFFIX = ".part"
CHUNK_BYTES = 1 << 18
TIMEOUT_S = 30.0  # without a single byte
MAX_FRUITLESS_ATTEMPTS = 3  # attempts in a row without a new byte, before the next address is tried
PAUSE_S = 1.0  # before another attempt at the same address, times the fruitless attempts so far

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A published file, its addresses in order of preference, and its published checksum.

    `sha256` may be only the beginning of the hexadecimal digest. `size_mib` is for messages.

    Raises:
        ValueError: there is no address or no checksum, or an address is not http or https.
    """

    name: str
    addresses: tuple[str, ...]
    sha256: str | None = None
    md5: str | None = None
    size_mib: float | None = None

    def __post_init__(self) -> None:
        if not self.addresses or not (self.sha256 or self.md5):
            raise ValueError(f"{self.name} needs an address and a checksum")
        if not all(is_address(address) for address in self.addresses):
            raise ValueError(f"the addresses of {self.name} must begin with http:// or https://")

    @property
    def checksum(self) -> str:
        """For messages, such as 'sha256 b556d3b4…'."""
        if self.sha256:
            return f"sha256 {self.sha256}" + ("…" if len(self.sha256) < hashlib.sha256().digest_size * 2 else "")
        return f"md5 {self.md5}"


def fetch(remote: RemoteFile, folder: Path, *, from_files: Path | None = None) -> Path:
    """The path of the file in `folder`, downloaded if it is not there yet. Its checksum is verified in either case.

    `from_files` is a folder to copy it from, for machines without a network. An unfinished transfer stays beside it
    with the suffix `.part`, and the next call resumes it.

    Raises:
        DownloadError: no address gives the file, or a file has another checksum. A file that was there is not removed.
    """
    path = folder / remote.name
    if path.exists():
        if not _is_right(path, remote):
            raise DownloadError(
                f"the file there is not the published one ({remote.checksum})",
                where=path,
                fix="Remove it and try again.",
            )
        return path
    folder.mkdir(parents=True, exist_ok=True)
    if from_files is not None:
        return _copy(remote, from_files / remote.name, path)
    part = path.with_name(path.name + PART_SUFFIX)
    faults = []
    offline = True  # no address was reached
    with _progress(remote, part) as advance:
        for address in remote.addresses:
            fault = _transfer_with_patience(address, part, advance)
            if fault is None and _is_right(part, remote):
                part.replace(path)
                return path
            if fault is None:
                part.unlink()
                fault = f"the downloaded file has another checksum than {remote.checksum}, and was removed"
            offline = offline and isinstance(fault, _Unreached) and not part.exists()
            faults.append(f"{address}: {fault}")
    again = "Connect this machine, and try again." if offline else "Try again: an unfinished download is resumed."
    raise DownloadError(
        f"{'no network? ' if offline else ''}{remote.name} could not be downloaded",
        where="; ".join(faults),
        fix=f"{again} Or download it on another machine, and put the file into {folder.resolve()}.",
    )


class _Unreached(str):
    """Why a transfer ended, where the server did not say it."""

    __slots__ = ()


def _copy(remote: RemoteFile, source: Path, path: Path) -> Path:
    if not source.is_file():
        raise DownloadError(
            f"{remote.name} is not there", where=source.parent, fix=f"Download it: {remote.addresses[0]}"
        )
    if not _is_right(source, remote):
        raise DownloadError(
            f"the file is not the published one ({remote.checksum})",
            where=source,
            fix=f"Download it again: {remote.addresses[0]}",
        )
    write_atomically(path, lambda temporary: _copy_bytes(source, temporary))
    return path


def _copy_bytes(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _transfer_with_patience(address: str, part: Path, advance: Callable[[int, int | None], None]) -> str | None:
    """Transfer the rest of the file, in as many attempts as bring new bytes. Returns None, or why it was given up."""
    fruitless = 0
    while True:
        before = _size(part)
        try:
            _transfer(address, part, advance)
            return None
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and before:
                return None  # all of it is there, or too much: the checksum decides
            if error.code < http.client.INTERNAL_SERVER_ERROR:
                return f"HTTP {error.code} {error.reason}"
            fault = f"HTTP {error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
            fault = _Unreached(reason_of(error))
        fruitless = 0 if _size(part) > before else fruitless + 1
        if fruitless == MAX_FRUITLESS_ATTEMPTS:
            return fault
        how = f"resuming after {_size(part):,} bytes" if _size(part) else "trying again"
        log.info("%s: %s; %s", address, fault, how)
        time.sleep(PAUSE_S * fruitless)  # gives an overloaded server time


def _transfer(address: str, part: Path, advance: Callable[[int, int | None], None]) -> None:
    """Append the missing bytes to `part`, or write them all where the server cannot resume.

    Raises:
        DownloadError: the disk has no room.
        OSError, http.client.HTTPException: the transfer breaks off.
    """
    done = _size(part)
    request = urllib.request.Request(address, headers={"User-Agent": "ssd300"})
    if done:
        request.add_header("Range", f"bytes={done}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        if answer.status != http.client.PARTIAL_CONTENT:
            done = 0  # the server does not resume: start again
        length = answer.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        if total is not None and total - done > shutil.disk_usage(part.parent).free:
            raise DownloadError(
                f"{total - done:,} bytes do not fit on the disk",
                where=part.parent,
                fix="Free some space, or choose another disk with --root.",
            )
        with part.open("ab" if done else "wb") as file:
            advance(done, total)
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                advance(done, total)
    if total is not None and done < total:
        raise http.client.IncompleteRead(b"", total - done)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_right(path: Path, remote: RemoteFile) -> bool:
    for name, wanted in (("sha256", remote.sha256), ("md5", remote.md5)):
        if wanted is not None:
            with path.open("rb") as file:
                if not hashlib.file_digest(file, name).hexdigest().startswith(wanted):
                    return False
    return True


@contextmanager
def _progress(remote: RemoteFile, part: Path) -> Iterator[Callable[[int, int | None], None]]:
    """Show progress: a bar on a terminal, else one line. Gives a function of the bytes so far and of all (if known)."""
    console = Console(stderr=True)
    size = "" if remote.size_mib is None else f" ({remote.size_mib:.0f} MiB)"
    resumed = f", resumed after {_size(part):,} bytes" if part.exists() else ""
    if not console.is_terminal:
        console.print(f"downloading {remote.name}{size} to {part.parent}{resumed}", soft_wrap=True, highlight=False)
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(remote.name)
        yield lambda done, total: bar.update(task, completed=done, total=total)

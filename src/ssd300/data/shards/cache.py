"""Copies of remote shards on this machine, in a folder of bounded size that several processes and runs may share.

A copy is named by the checksum of its content, and is there whole or not at all. The one that was used longest ago is
deleted first, also while another process reads it: that one copies it again.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock

from ssd300.data.shards.index import StoredFile
from ssd300.errors import RunError, UsageError
from ssd300.system.cache_folder import cache_folder
from ssd300.system.quantities import in_bytes, parse_bytes

USUAL_SIZE = "10GB"
SUFFIX, PARTIAL, LOCK = ".tar", ".partial", ".lock"
USED_S = 60.0  # how often a use is noted, in a file's time of change


@dataclass(frozen=True, kw_only=True)
class ShardCache:
    """`limit_bytes` of copies in `folder`, by default below that of downloaded weights."""

    limit_bytes: int = int(parse_bytes(USUAL_SIZE))
    folder: Path | None = None

    @property
    def place(self) -> Path:
        return cache_folder() / "shards" if self.folder is None else self.folder

    def check(self, needed_bytes: int) -> None:
        """Raises UsageError if the shards that are in use at the same time do not fit."""
        if needed_bytes > self.limit_bytes:
            raise UsageError(
                f"the cache of shards has {in_bytes(self.limit_bytes)}, and the shards that are in use at the "
                f"same time take {in_bytes(needed_bytes)}",
                where=self.place,
                fix=f"Give it more: --shard-cache {-(-needed_bytes // 1000**2)}MB; or write smaller shards.",
            )

    def copy_of(self, shard: StoredFile, fetch: Callable[[Path], None]) -> Path:
        """The copy of a shard; `fetch` makes it where there is none, and raises if it is not what it should be.

        Raises RunError if the folder cannot be written.
        """
        path = self.place / f"{shard.sha256}{SUFFIX}"
        if self._use(path, shard.bytes):
            return path
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            with FileLock(self.place / LOCK):
                if self._use(path, shard.bytes):  # another process was faster
                    return path
                self._make_room(shard.bytes)
                partial = path.with_suffix(f".{os.getpid()}{PARTIAL}")
                try:
                    fetch(partial)
                    partial.replace(path)
                finally:
                    partial.unlink(missing_ok=True)
        except OSError as error:
            fix = "Name another folder with --shard-cache-folder, or free some space."
            raise RunError(f"a shard cannot be stored ({error.strerror or error})", where=path, fix=fix) from error
        return path

    def _use(self, path: Path, size: int) -> bool:
        """Whether the copy is there; its use is noted."""
        try:
            found = path.stat()
            if found.st_size != size:
                return False
            if time.time() - found.st_mtime > USED_S:
                os.utime(path)
        except OSError:
            return False
        return True

    def _make_room(self, count: int) -> None:
        """Delete copies, the one that was used longest ago first, and what killed processes left."""
        for leftover in self.place.glob(f"*{PARTIAL}"):  # nobody else writes now, as the lock is ours
            leftover.unlink(missing_ok=True)
        copies = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self.place.glob(f"*{SUFFIX}"))
        total = sum(size for _, size, _ in copies) + count
        for _, size, path in copies:
            if total <= self.limit_bytes:
                return
            try:
                path.unlink()
            except OSError:  # it is open, on Windows
                continue
            total -= size


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()

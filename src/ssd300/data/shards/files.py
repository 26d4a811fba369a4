"""The files of a folder or address of shards: each is compared with its checksum before anything of it is used."""

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ssd300.data.shards.cache import ShardCache, digest_of
from ssd300.data.shards.index import WRITE_AGAIN, ShardError, StoredFile
from ssd300.data.shards.tar_members import image_places
from ssd300.errors import DataError
from ssd300.system.stores import is_remote, open_store

ATTEMPTS, PAUSE_S = 3, 1.0  # to copy a shard, as networks fail for a moment
MOST_PLACES = 16  # shards whose members are remembered: those of two chunks

log = logging.getLogger(__name__)


class ShardFiles:
    """Reads parts of the shards at `place`. Processes and threads may share it; it holds no open file.

    Reading raises ShardError that names the shard, with the expected and the found checksum, for one that is missing,
    truncated or changed, and DataError for one that cannot be read.
    """

    def __init__(self, place: str, cache: ShardCache) -> None:
        self.place, self.cache = place, cache
        self._verified: dict[str, tuple[int, int]] = {}  # of local shards: bytes and time of change when it was read
        self._places: OrderedDict[str, Int[np.ndarray, "images 4"]] = OrderedDict()

    def where(self, shard: StoredFile) -> str:
        """The path or address of a shard."""
        return f"{self.place.rstrip('/')}/{shard.name}"

    def local(self, shard: StoredFile) -> Path:
        """A file of this machine with the content of the shard: itself, or a copy in the cache."""
        if is_remote(self.place):
            return self.cache.copy_of(shard, lambda target: self._fetch(shard, target))
        path = Path(self.place) / shard.name
        try:
            found = path.stat()
        except OSError as error:
            raise self._missing(shard) from error
        state = found.st_size, found.st_mtime_ns
        if self._verified.get(shard.name) != state:
            self._verify(shard, path)
            self._verified[shard.name] = state
        return path

    def places(self, shard: StoredFile) -> Int[np.ndarray, "images 4"]:
        """As `tar_members.image_places`."""
        places = self._places.get(shard.name)
        if places is None:
            try:
                places = image_places(self.local(shard))
                if len(places) != shard.images:
                    raise ValueError(f"it has {len(places)} images, and the index says {shard.images}")
            except ValueError as error:
                if isinstance(error, DataError):
                    raise
                fix = "Write the shards again with `ssd300 shard`."
                raise ShardError(f"this is no shard of ssd300 ({error})", where=self.where(shard), fix=fix) from error
            except FileNotFoundError:  # another process has just deleted it
                return self.places(shard)
            self._places[shard.name] = places
            while len(self._places) > MOST_PLACES:
                self._places.popitem(last=False)
        return places

    def read(self, shard: StoredFile, start: int, count: int) -> bytes:
        """`count` bytes of a shard from `start` on."""
        while True:
            try:
                with self.local(shard).open("rb") as file:
                    file.seek(start)
                    content = file.read(count)
                    break
            except FileNotFoundError:
                continue  # another process has just deleted the copy, to make room; it is copied again
        if len(content) < count:
            raise ShardError("the shard was truncated while it was read", where=self.where(shard), fix=WRITE_AGAIN)
        return content

    def check_present(self, shards: Sequence[StoredFile]) -> None:
        """Raises ShardError for a shard that is not there, or not whole by its size. None is read."""
        if is_remote(self.place):
            names = set(open_store(self.place).names())
            if (absent := next((shard for shard in shards if shard.name not in names), None)) is not None:
                raise self._missing(absent)
            return
        for shard in shards:
            path = Path(self.place) / shard.name
            if not path.is_file():
                raise self._missing(shard)
            if path.stat().st_size != shard.bytes:
                self._verify(shard, path)

    def _fetch(self, shard: StoredFile, target: Path) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                open_store(self.place).fetch(shard.name, target)
                self._verify(shard, target)
                return
            except DataError as error:
                if isinstance(error.__cause__, FileNotFoundError):
                    raise self._missing(shard) from error
                if attempt == ATTEMPTS:
                    raise
                log.warning("%s; trying again", error)
                time.sleep(PAUSE_S * attempt)

    def _verify(self, shard: StoredFile, path: Path) -> None:
        size, found = path.stat().st_size, digest_of(path)
        if found == shard.sha256:
            return
        other = "changed" if size == shard.bytes else "truncated" if size < shard.bytes else "longer than it was"
        sizes = "" if size == shard.bytes else f", {size:,} bytes in place of {shard.bytes:,}"
        raise ShardError(
            f"the shard is {other}{sizes}: its SHA-256 is {found}, and {shard.sha256} is expected",
            where=self.where(shard),
            fix=WRITE_AGAIN,
        )

    def _missing(self, shard: StoredFile) -> ShardError:
        what = f"the shard is missing; the SHA-256 of its {shard.bytes:,} bytes is {shard.sha256}"
        return ShardError(what, where=self.where(shard), fix=WRITE_AGAIN)

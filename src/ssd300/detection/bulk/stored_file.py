"""A file of a store as an open file, read where it is asked for: for readers of Parquet and tar files."""

import io
from typing import Any

from ssd300.system.stores import Store, is_remote, open_store

AHEAD = 8 << 20  # bytes that reading in order asks for at once


class _StoredFile(io.RawIOBase):
    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._size, self._place = store.size(name), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(start + offset, 0)
        return self._place

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._place)
        if count <= 0:
            return 0
        content = self._store.read(self._name, self._place, count)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


def at_random(store: Store, name: str) -> io.RawIOBase:
    """A file of a store, for readers that jump: each read asks for its own bytes. Raises DataError."""
    return _StoredFile(store, name)


def in_order(place: str) -> io.BufferedReader:
    """A file by its path or address, for readers that go from its beginning to its end. Raises DataError."""
    return io.BufferedReader(_StoredFile(*split_place(place)), AHEAD)


def split_place(place: str) -> tuple[Store, str]:
    """The store that a file lies in, and its name there."""
    folder, slash, name = place.replace("\\", "/").rpartition("/") if not is_remote(place) else place.rpartition("/")
    return open_store(folder or (slash or ".")), name

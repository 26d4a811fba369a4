"""Detections at an address of fsspec, such as s3://bucket/job: found by their names, and copied one after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssd300.errors import DataError
from ssd300.system.stores import Store, open_store
from ssd300.system.temporary import temporary_folder

AT_ONCE = 8 << 20  # bytes that are copied at a time


def files_at(address: str, endings: tuple[str, ...], folder: str) -> list[str]:
    """The address itself if it has one of the endings, else those below it that have, only those of `folder` if there
    are such.

    Raises DataError where there is none.
    """
    if address.endswith(endings):
        return [address]
    store = open_store(address)
    names = [name for name in store.names() if name.endswith(endings)]
    names = [name for name in names if name.startswith(f"{folder}/")] or names
    if not names:
        fix = f"Name a job, or files that end in {' or '.join(endings)}; copy other formats to this machine."
        raise DataError("there are no detections in Parquet or JSON lines", where=address, fix=fix)
    return [store.place(name) for name in names]


def size_at(address: str) -> int:
    """Bytes of a file. Raises DataError."""
    store, name = _split(address)
    return store.size(name)


@contextmanager
def copied(address: str) -> Iterator[Path]:
    """The file in a folder of this machine, as long as the block. Raises DataError, or RunError for a full disk."""
    store, name = _split(address)
    with temporary_folder() as folder:
        path, size, start = folder / name, store.size(name), 0
        with path.open("wb") as file:
            while start < size:
                content = store.read(name, start, AT_ONCE)
                if not content:
                    raise DataError(f"the file ends at {start:,} of {size:,} bytes", where=address, fix="Try again.")
                file.write(content)
                start += len(content)
        yield path


def _split(address: str) -> tuple[Store, str]:
    folder, _, name = address.rpartition("/")
    return open_store(folder), name

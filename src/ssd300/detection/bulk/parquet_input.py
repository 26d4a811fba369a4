"""Images in Parquet files: in a column of bytes, or by the paths or addresses in a column of text."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ssd300.detection.bulk.chunks import Chunk, Shard
from ssd300.detection.bulk.rows import import_pyarrow
from ssd300.detection.bulk.stored_file import at_random, split_place
from ssd300.detection.contents import Content
from ssd300.errors import DataError
from ssd300.system.stores import is_remote

IMAGE_COLUMNS = (
    "image", "img", "bytes", "image_bytes", "content", "jpg", "jpeg", "png", "webp", "image_path", "path", "file",
    "file_name", "filename", "filepath", "file_path", "uri", "image_url", "url",
)  # fmt: skip
ID_COLUMNS = ("id", "image_id", "__key__", "key", "uid")
ROWS_AT_ONCE = 16


class Member(NamedTuple):
    """One image of a chunk: where it stands there, its id, and what gives it: a path, an address or a content."""

    place: int
    id: str
    image: Path | str | Content


def parquet_shard(place: str, column: str | None) -> Shard:
    """The Parquet file at a path or address. `column` None is the first of IMAGE_COLUMNS that it has.

    Raises DataError for a file that is none, or has no such column.
    """
    with _opened(place) as file:
        names: list[str] = file.schema_arrow.names
        chosen = column or next((one for name in IMAGE_COLUMNS for one in names if one.lower() == name), "")
        if chosen not in names:
            what = "no column of images is recognized" if column is None else f"there is no column '{column}'"
            raise DataError(what, where=place, fix=f"Name one with --column; there are {', '.join(names)}.")
        return Shard(kind="parquet", file=place, size=_size(place), rows=file.metadata.num_rows, column=chosen)


def members(chunk: Chunk, place: str) -> Iterator[Member]:
    """The images of the chunk's rows in the file at `place`, in order, a few in memory at a time. Raises DataError."""
    shard = chunk.shard
    assert shard is not None  # a chunk of Parquet
    with _opened(place) as file:
        names = [name for name in file.schema_arrow.names if name.lower() in ID_COLUMNS]
        id_column = min(names, key=lambda name: ID_COLUMNS.index(name.lower()), default=shard.column)
        for number, values in _rows(file, chunk.first, chunk.last, [shard.column, id_column]):
            value = values[shard.column]
            named = values[id_column] if names or isinstance(value, str) else None
            image_id = f"{shard.file}/{number}" if named is None else str(named)
            yield Member(number - chunk.first, image_id, _image(value, image_id, shard.file))


def _rows(file: Any, first: int, last: int, columns: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Numbers and values of the rows from `first` to `last`; only groups of rows with some of them are read."""
    groups: list[int] = []
    number = begins = 0  # of the first row of a group, and of the first group that is read
    for group in range(file.metadata.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        if number + count > first and number < last:
            begins = begins if groups else number
            groups.append(group)
        number += count
    for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=groups, columns=list(dict.fromkeys(columns))):
        if begins + batch.num_rows > first:
            for place, values in enumerate(batch.to_pylist()):
                if first <= begins + place < last:
                    yield begins + place, values
        begins += batch.num_rows
        if begins >= last:
            return


def _image(value: Any, image_id: str, file: str) -> str | Content:
    """Bytes, a path or address, or Hugging Face's struct of both."""
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, str):
        folder = file.rpartition("/")[0]
        return value if is_remote(value) or Path(value).is_absolute() else f"{folder}/{value}" if folder else value
    return Content(image_id, partial(_content, value))


def _content(value: Any) -> bytes:
    if not isinstance(value, bytes):
        what = "the row has no image" if value is None else f"the column holds {type(value).__name__}, not an image"
        raise DataError(what, fix="Name the column of images with --column.")
    return value


@contextmanager
def _opened(place: str) -> Iterator[Any]:
    """The Parquet file at a place; what pyarrow raises for a damaged one becomes a DataError."""
    pyarrow = import_pyarrow()
    try:
        yield pyarrow.parquet.ParquetFile(at_random(*split_place(place)))
    except DataError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        what = f"the Parquet file cannot be read ({reason})"
        raise DataError(what, where=place, fix="Get it again.") from error


def _size(place: str) -> int:
    store, name = split_place(place)
    return store.size(name)

"""The images of a chunk, in an order that never changes: files, rows of Parquet, or the members of a tar file."""

import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ssd300.detection.archives import FAULTS, plain_name
from ssd300.detection.bulk import parquet_input
from ssd300.detection.bulk.chunks import Chunk, Shard
from ssd300.detection.bulk.parquet_input import Member
from ssd300.detection.bulk.stored_file import in_order, split_place
from ssd300.detection.contents import Content
from ssd300.detection.folder_files import is_readable
from ssd300.detection.video_names import VIDEO_SUFFIXES
from ssd300.errors import DataError
from ssd300.images.kinds import HEAD_BYTES
from ssd300.system.stores import is_remote
from ssd300.system.web import MAX_BYTES, is_address


def members(chunk: Chunk, base: Path, other: Callable[[str], None]) -> Iterator[Member]:
    """The images of a chunk. `base` is the folder that relative paths start from. `other` takes the names of the
    members of a tar file that are no images.

    Raises DataError where the shard cannot be read, or not to its end.
    """
    if chunk.shard is None:
        return (Member(place, image, _image(image, base)) for place, image in enumerate(chunk.ids))
    return _tar_members(chunk.shard, base, other) if chunk.shard.kind == "tar" else _rows_of_parquet(chunk, base)


def _image(image: str, base: Path) -> Path | str | Content:
    """What the detector takes. Addresses of the web it fetches itself."""
    if is_address(image):
        return image
    return Content(image, partial(_content, image)) if is_remote(image) else base / image


def _content(place: str) -> bytes:
    store, name = split_place(place)
    content = store.read(name, 0, MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f"the file has more than {MAX_BYTES:,} bytes", where=place, fix="Make it smaller.")
    return content


def _rows_of_parquet(chunk: Chunk, base: Path) -> Iterator[Member]:
    assert chunk.shard is not None  # as the caller has checked
    for one in parquet_input.members(chunk, _place(chunk.shard, base)):
        yield one._replace(image=_image(one.image, base)) if isinstance(one.image, str) else one


def _place(shard: Shard, base: Path) -> str:
    return shard.file if is_remote(shard.file) else str(base / shard.file)


def _tar_members(shard: Shard, base: Path, other: Callable[[str], None]) -> Iterator[Member]:
    """Read in order, each member's content as it passes. A name that comes again gets a number: 'a.jpg#2'."""
    seen: dict[str, int] = {}
    try:
        with in_order(_place(shard, base)) as file, tarfile.open(fileobj=file, mode="r|*") as archive:
            for info in archive:
                if info.isdir():
                    continue
                name = plain_name(info.name)
                content = _member(archive, info, name)
                if content is None:
                    other(name)
                    continue
                times = seen[name] = seen.get(name, 0) + 1
                image_id = f"{shard.file}/{name}" + (f"#{times}" if times > 1 else "")
                yield Member(sum(seen.values()) - 1, image_id, content)
    except DataError:
        raise
    except FAULTS as error:
        raise DataError(f"the tar file is damaged ({error})", where=shard.file, fix="Get it again.") from error


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo, name: str) -> Content | None:
    """The content of an image; None for another file. A link or a device is an image that cannot be read."""
    file = archive.extractfile(info) if info.isreg() else None
    head = b"" if file is None else file.read(HEAD_BYTES)
    if name.lower().endswith(VIDEO_SUFFIXES) or not is_readable(name, lambda: head):
        return None
    content = None if file is None or info.size > MAX_BYTES else head + file.read()
    why = f"it has more than {MAX_BYTES:,} bytes" if file is not None else "it is a link or a device, not a file"

    def read() -> bytes:
        if content is None:
            raise DataError(why, fix="Pack the image itself.")
        return content

    return Content(name, read)

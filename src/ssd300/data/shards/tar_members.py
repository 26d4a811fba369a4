"""Plain tar files whose bytes follow from their members, and where in such a file each member begins.

No times, owners or modes of the machine are stored. Any tar program reads them, and WebDataset.
"""

import io
import tarfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Int

BLOCK, PADDED = tarfile.BLOCKSIZE, tarfile.RECORDSIZE  # members begin at multiples of 512; the end is padded to 10,240
KEY_DIGITS = 9
ANNOTATION_SUFFIX = ".json"


def key(number: int) -> str:
    """The name of an image in its shard, without ending."""
    return f"{number:0{KEY_DIGITS}}"


def stored_bytes(*contents: bytes) -> int:
    """The bytes that members of these contents take."""
    return sum(BLOCK + -(-len(content) // BLOCK) * BLOCK for content in contents)


def archive_bytes(members: int) -> int:
    """The bytes of an archive whose members take so many."""
    return -(-(members + 2 * BLOCK) // PADDED) * PADDED


def add_member(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    archive.addfile(info, io.BytesIO(content))


def open_new(path: Path) -> tarfile.TarFile:
    return tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # the caller closes it


def image_places(path: Path) -> Int[np.ndarray, "images 4"]:
    """For each image: where it and its annotation begin, and their bytes, as (image, bytes, annotation, bytes).

    Raises ValueError that says what is wrong, for a file that `add_member` did not write in pairs.
    """
    rows: list[tuple[int, int]] = []
    with path.open("rb") as file:
        while (member := _next(file)) is not None:
            name, place, count = member
            number, is_annotation = divmod(len(rows), 2)
            if not name.startswith(key(number)) or name.endswith(ANNOTATION_SUFFIX) != bool(is_annotation):
                raise ValueError(f"the member {name!r} is not that of image {number}")
            rows.append((place, count))
    if len(rows) % 2:
        raise ValueError("the last image has no annotation")
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _next(file: BinaryIO) -> tuple[str, int, int] | None:
    """Name, place and bytes of the next member; the file then stands behind it. None at the end."""
    head = file.read(BLOCK)
    if len(head) < BLOCK:
        raise ValueError("it ends too soon")
    if not any(head):
        return None
    if head[156:157] not in (b"0", b"\0"):
        raise ValueError("it has a member that is no file")
    name = head[:100].rstrip(b"\0").decode("ascii", "replace")
    count = int(head[124:136].rstrip(b"\0 ") or b"0", 8)
    place = file.tell()
    file.seek(-(-count // BLOCK) * BLOCK, io.SEEK_CUR)
    return name, place, count

"""Checksums inside a safetensors file that cover each of its bytes: of its header, and of the data behind it.

Two, so that the metadata alone can be read and trusted without reading the data. The header holds both, as entries of
its metadata. That of the header is computed with zeros in its own place.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO

OF_HEADER, OF_DATA = "sha256_header", "sha256_data"
UNSEALED = {OF_HEADER: "0" * 64, OF_DATA: "0" * 64}  # metadata of a file that is to be sealed
LENGTH_BYTES = 8  # the first of the file: the length of its header, the lowest byte first


def seal(path: Path) -> None:
    """Write the checksums into a file that was saved with `UNSEALED` in its metadata."""
    with path.open("rb+") as file:
        head = _put(_head(file), OF_DATA, hashlib.file_digest(file, "sha256").hexdigest())
        file.seek(0)
        file.write(_put(head, OF_HEADER, hashlib.sha256(head).hexdigest()))


def check_header(path: Path) -> None:
    """Raises ValueError if a byte of the header is not the one that was sealed."""
    with path.open("rb") as file:
        _checked_head(file)


def check_whole(path: Path) -> None:
    """Raises ValueError if a byte of the file is not the one that was sealed."""
    with path.open("rb") as file:
        head = _checked_head(file)
        if hashlib.file_digest(file, "sha256").hexdigest() != _get(head, OF_DATA):
            raise ValueError("the checksum does not match its weights")


def _checked_head(file: BinaryIO) -> bytes:
    head = _head(file)
    if hashlib.sha256(_put(head, OF_HEADER, UNSEALED[OF_HEADER])).hexdigest() != _get(head, OF_HEADER):
        raise ValueError("the checksum does not match its header")
    return head


def _head(file: BinaryIO) -> bytes:
    """The length and the header, which are the first bytes of the file; the next to be read are the data."""
    start = file.read(LENGTH_BYTES)
    length = int.from_bytes(start, "little")
    if length > os.fstat(file.fileno()).st_size:
        raise ValueError("the header is not whole")
    return start + file.read(length)


def _entry(head: bytes, name: str) -> slice:
    """Where the checksum stands. Quotes inside a value are escaped, so that no class name looks like this entry."""
    found = [match.span(1) for match in re.finditer(rf'"{name}"\s*:\s*"([0-9a-f]{{64}})"'.encode(), head)]
    if len(found) != 1:
        raise ValueError(f"the header has {len(found)} entries {name}")
    return slice(*found[0])


def _get(head: bytes, name: str) -> str:
    return head[_entry(head, name)].decode()


def _put(head: bytes, name: str, digest: str) -> bytes:
    place = _entry(head, name)
    return head[: place.start] + digest.encode() + head[place.stop :]

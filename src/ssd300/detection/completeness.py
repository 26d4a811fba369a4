"""Whether a video file was cut: its container says that it is longer than it is. Nothing is decoded or counted.

Of raw streams and MXF nothing is known; a cut that falls between two packets of MPEG streams cannot be seen.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

ISO_DATA = (b"moov", b"mdat", b"moof")  # ISO/IEC 14496-12; other boxes hold no images
EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
TS_PACKETS, TS_SYNC, TS_LOOK = (188, 192, 204), 0x47, 5
FLV_HEADER, FLV_TAG, FLV_BACK = 9, 11, 4
OGG_HEADER = 27
TAIL_BYTES = 1 << 17
MOST_PARTS = 1_000_000  # that are followed, about 5 s of them: a file may be made to have very many


def is_cut(path: Path) -> bool:
    """Whether the file ends before its container does.

    False for containers that do not say how long they are, and for a file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
            return _rule(head)(file, os.fstat(file.fileno()).st_size)
    except OSError:
        return False


def _rule(head: bytes) -> Callable[[BinaryIO, int], bool]:
    if head[4:8].isalnum() and head[4:8] in (b"ftyp", b"styp", b"wide", b"free", b"skip", b"pnot", *ISO_DATA):
        return _iso
    if head[:4] == b"RIFF":
        return _riff
    marks = {EBML: _matroska, b"OggS": _ogg, b"FLV\x01": _flv, ASF_HEADER[:4]: _asf, b"\0\0\x01\xba": _program_stream}
    if head[:4] in marks:
        return marks[head[:4]]
    return _transport_stream


def _iso(file: BinaryIO, size: int) -> bool:
    place = 0
    for _ in range(MOST_PARTS):
        if place + 8 > size:
            return False
        length, kind = _number(file, place, 4), _bytes(file, place + 4, 4)
        if length == 1:
            length = _number(file, place + 8, 8)
        if length == 0:  # up to the end of the file
            return False
        if length < 8 or not kind.isalnum():  # no box: something was appended to the file
            return False
        if place + length > size:
            return kind in ISO_DATA
        place += length
    return False


def _riff(file: BinaryIO, size: int) -> bool:
    place = 0
    for _ in range(MOST_PARTS):
        if place + 8 > size or _bytes(file, place, 4) != b"RIFF":
            break
        length = int.from_bytes(_bytes(file, place + 4, 4), "little")
        if length == 0:  # a recorder that never wrote it
            return False
        place += 8 + length + length % 2
    return place > size + 1


def _matroska(file: BinaryIO, size: int) -> bool:
    """Live recordings state no size of the segment, nor of its clusters: the elements in them are followed."""
    header, width = _ebml_size(file, 4)
    place = 4 + width + (header or 0)
    if _bytes(file, place, 4) != SEGMENT:
        return False
    length, width = _ebml_size(file, place + 4)
    place += 4 + width
    if length is not None:
        return place + length > size
    for _ in range(MOST_PARTS):
        if place >= size:
            return place > size
        id_width = 9 - _number(file, place, 1).bit_length()
        length, width = _ebml_size(file, place + id_width)
        if id_width > 4:  # no element: something was appended to the file
            return False
        place += id_width + width + (length or 0)
    return False


def _ebml_size(file: BinaryIO, place: int) -> tuple[int | None, int]:
    """A size as EBML (RFC 8794) writes it, None for an unknown one, and how many bytes it takes."""
    first = _number(file, place, 1)
    width = 9 - first.bit_length()
    size, unknown = _number(file, place, width) & ((1 << 7 * width) - 1), (1 << 7 * width) - 1
    return None if size == unknown else size, width


def _ogg(file: BinaryIO, size: int) -> bool:
    tail_at, tail = _tail(file, size)
    page = tail.rfind(b"OggS")
    segments = tail[page + OGG_HEADER : page + OGG_HEADER + tail[page + 26]] if len(tail) > page + 26 else b""
    return page >= 0 and (not segments or tail_at + page + OGG_HEADER + len(segments) + sum(segments) > size)


def _flv(file: BinaryIO, size: int) -> bool:
    """The last tag is followed by its own size; where that does not fit, the tags are followed from the first one."""
    last = _number(file, size - FLV_BACK, 4)
    start = size - FLV_BACK - last
    if last > FLV_TAG and start > FLV_HEADER and _number(file, start + 1, 3) + FLV_TAG == last:
        return False
    place = FLV_HEADER + FLV_BACK
    for _ in range(MOST_PARTS):
        if place + FLV_TAG > size:
            return place != size
        place += FLV_TAG + _number(file, place + 1, 3) + FLV_BACK
    return False


def _asf(file: BinaryIO, size: int) -> bool:
    place = 0
    for _ in range(MOST_PARTS):
        if place + 24 > size:
            break
        kind, length = _bytes(file, place, 16), int.from_bytes(_bytes(file, place + 16, 8), "little")
        if length < 24:
            return False
        place += length
        if kind == ASF_DATA:
            break
    return place > size


def _program_stream(file: BinaryIO, size: int) -> bool:
    tail_at, tail = _tail(file, size)
    for place in _start_codes(tail):
        if 0xBC <= tail[place + 3] <= 0xEF and len(tail) >= place + 6:  # a packet, which says its length
            return tail_at + place + 6 + int.from_bytes(tail[place + 4 : place + 6]) > size
        if 0xB9 <= tail[place + 3] <= 0xBB:  # the end of the program, or a header
            return False
    return False


def _start_codes(data: bytes) -> Iterator[int]:
    """The places of the start codes of an MPEG stream, from the last one on."""
    place = data.rfind(b"\0\0\x01", 0, -1)
    while place >= 0:
        yield place
        place = data.rfind(b"\0\0\x01", 0, place)


def _transport_stream(file: BinaryIO, size: int) -> bool:
    head = _bytes(file, 0, TS_LOOK * max(TS_PACKETS))
    for packet in TS_PACKETS:
        for first in (0, 4):
            marks = head[first::packet][:TS_LOOK]
            if len(marks) > 1 and all(mark == TS_SYNC for mark in marks):
                return size % packet != 0
    return False


def _tail(file: BinaryIO, size: int) -> tuple[int, bytes]:
    place = max(0, size - TAIL_BYTES)
    return place, _bytes(file, place, TAIL_BYTES)


def _number(file: BinaryIO, place: int, width: int) -> int:
    return int.from_bytes(_bytes(file, place, width))


def _bytes(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(max(0, place))
    return file.read(count)

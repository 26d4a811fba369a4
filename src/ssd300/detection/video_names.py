"""Which sources are videos, cameras and streams: by name, and files without a usual ending by their content."""

import sys
from collections.abc import Iterable
from pathlib import Path

from ssd300.detection.containers import import_av
from ssd300.errors import UsageError
from ssd300.images.header import LITTER, is_image_name
from ssd300.system.web import is_address

VIDEO_SUFFIXES = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv"),
    *(".3gp", ".3g2", ".mts", ".m2ts", ".m2t", ".asf", ".vob", ".mxf", ".f4v", ".qt", ".divx"),
)  # fmt: skip
CODE_SUFFIXES = (".ts", ".mts")  # of TypeScript too: such a file is a video if it is not text
CAMERA = "camera:"
LIVE_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "udp://")
DRIVERS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
HEAD_BYTES = 4096
# How files of these containers begin: the place of the mark, and the mark.
MARKS = (
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"FLV\x01"),
    (0, b"\x00\x00\x01\xba"),  # MPEG program stream
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01"),  # MXF
    (28, b"\x80theora"),
)
ISO_BOXES = (b"moov", b"mdat", b"wide")  # with which QuickTime files without `ftyp` begin
STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"jp2 ")
SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
TS_SYNC, TS_PACKETS = 0x47, (188, 192, 204)


def is_live(source: object) -> bool:
    """Whether it is a camera or a stream, which has no end until it is stopped. A Path is always a file."""
    return isinstance(source, str) and source.startswith((CAMERA, *LIVE_SCHEMES))


def is_video(source: object) -> bool:
    """Whether it is a camera, a stream, or a video: by the name, and for a file with an unknown ending by its content.

    A Path is always a file; a str may be an address too. What is neither, such as a member of an archive, is no video.
    """
    if is_live(source):
        return True
    if not isinstance(source, (str, Path)):
        return False
    if isinstance(source, str) and is_address(source):
        return source.split("?")[0].lower().endswith(VIDEO_SUFFIXES)
    path = Path(source)
    return is_video_name(path) or (not has_known_ending(path) and _begins_like_a_video(_head(path)))


def is_video_name(path: Path) -> bool:
    """Whether the file has the ending of a video. Code, and what macOS writes beside a file, is none."""
    suffix = path.suffix.lower()
    if suffix not in VIDEO_SUFFIXES or path.name.startswith(LITTER):
        return False
    return suffix not in CODE_SUFFIXES or not is_text(_head(path))


def has_known_ending(path: Path) -> bool:
    """Whether the ending says what is in the file, so that its content need not be looked at."""
    return is_image_name(path) or path.suffix.lower() in VIDEO_SUFFIXES


def check_readable(sources: Iterable[object]) -> None:
    """Raises UsageError if there is a video or camera among the sources and PyAV is missing."""
    first = next((source for source in sources if is_video(source)), None)
    if first is not None:
        import_av(str(first))


def device_of(source: str) -> tuple[str, str]:
    """What FFmpeg calls a camera, and the driver that opens it. Raises UsageError where the name is wrong."""
    number = source.removeprefix(CAMERA)
    driver = DRIVERS.get(sys.platform)
    if driver is None:
        raise UsageError(f"cameras are not known on {sys.platform}", where=source, fix="Record a video, and name it.")
    if driver == "dshow":
        return f"video={number}", driver
    if not number.isdigit():
        raise UsageError("a camera has a number", where=source, fix="Name it 'camera:0', 'camera:1' and so on.")
    return (f"/dev/video{number}" if driver == "v4l2" else number), driver


def _head(path: Path) -> bytes:
    """The first bytes of a file; b"" for one that is not there, or is none, such as a pipe."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _begins_like_a_video(head: bytes) -> bool:
    if head[4:8] == b"ftyp":
        return head[8:12] not in STILL_BRANDS + SOUND_BRANDS
    if head[4:8] in ISO_BOXES or any(head.startswith(mark, place) for place, mark in MARKS):
        return True
    return any(_has_sync(head[place:], size) for size in TS_PACKETS for place in (0, 4))


def _has_sync(head: bytes, size: int) -> bool:
    """Whether each packet of `size` bytes begins with the byte that packets of a transport stream begin with."""
    first_bytes = head[::size]
    return len(first_bytes) > 2 and all(byte == TS_SYNC for byte in first_bytes)


def is_text(head: bytes) -> bool:
    """Whether these bytes are text; not if there are none."""
    if not head or b"\0" in head:
        return False
    try:
        head[: head.rfind(b"\n") + 1 or None].decode()  # up to a line's end, as the last letter may be cut
    except UnicodeDecodeError:
        return False
    return True

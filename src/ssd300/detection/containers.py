"""Opening videos with FFmpeg through PyAV (the extra `video`), which is imported when it is used.

A file is opened as that file alone, whatever its name looks like, and only as a container of video: a playlist or a
script could make FFmpeg read other files, or the network.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ssd300.errors import DataError, UsageError, install_hint

OPEN_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 30.0
# FFmpeg's names of the containers of video. Not among them: hls, dash, concat, sdp, lavfi, image2, which name others.
FORMATS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "ogg", "mxf", "nut", "ivf", "dv", "wtv"),
    *("yuv4mpegpipe", "mpegvideo", "m4v", "h263", "h264", "hevc", "vvc", "obu", "av1", "vc1", "mjpeg", "live_flv"),
)  # fmt: skip
FILE_PROTOCOLS, WEB_PROTOCOLS = ("file",), ("http", "https", "httpproxy", "tcp", "tls")
LIVE_PROTOCOLS = (
    *("rtsp", "rtsps", "rtp", "rtcp", "srtp", "udp", "rtmp", "rtmps", "rtmpt", "rtmpe", "rtmpte", "rtmpts"),
    *WEB_PROTOCOLS,
)


def import_av(source: str) -> Any:
    """PyAV, set to log nothing. Raises UsageError, which names `source`, where it is missing."""
    try:
        import av
    except ImportError as error:
        raise UsageError("videos and cameras need PyAV", where=source, fix=install_hint("video")) from error
    av.logging.set_level(None)  # faults are raised; FFmpeg's own lines would appear among ours
    return av


def open_file(path: Path) -> Any:
    """The container of a file. 'file:' keeps FFmpeg from taking a name such as 'concat:a|b' for a protocol."""
    return _open(f"file:{path}", FILE_PROTOCOLS, format_whitelist=",".join(FORMATS))


def open_address(address: str) -> Any:
    """The container at an http or https address."""
    return _open(address, WEB_PROTOCOLS, format_whitelist=",".join(FORMATS))


def open_stream(address: str) -> Any:
    """The container of a live stream."""
    return _open(address, LIVE_PROTOCOLS)


def open_device(name: str, driver: str) -> Any:
    """The container of a camera."""
    return import_av(name).open(name, format=driver, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))


def first_video(container: Any) -> Any:
    """Its first track of moving images; None if there is none. A cover picture of a piece of music is none."""
    av = import_av("")
    cover = av.stream.Disposition.attached_pic
    return next((stream for stream in container.streams.video if not stream.disposition & cover), None)


@contextmanager
def explained(source: str, describe: Callable[[str], tuple[str, str]]) -> Iterator[None]:
    """FFmpeg's errors as DataError; `describe` turns the reason that FFmpeg gives into what happened and what to do."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError) as error:
        what, fix = describe(getattr(error, "strerror", None) or str(error))
        raise DataError(what, where=source, fix=fix) from error


def _open(name: str, protocols: tuple[str, ...], **options: str) -> Any:
    return import_av(name).open(
        name,
        container_options={"protocol_whitelist": ",".join(protocols), **options},
        timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        metadata_errors="replace",
    )

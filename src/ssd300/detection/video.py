"""Videos, cameras and live streams as frames: upright RGB images with their times.

PyAV (the extra `video`) is imported when it is used.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ssd300.errors import DataError, UsageError, install_hint
from ssd300.system.wording import plural

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv")
CAMERA = "camera:"
LIVE_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "udp://")
OPEN_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 30.0
USUAL_RATE = Fraction(25)  # frames/s, for a source that does not state its rate
WHOLE_BY_COUNT, WHOLE_BY_DURATION = 0.95, 0.8  # shares of the expected frames; a smaller share means a cut file
AFTER_A_BREAK = "What came before is done. Get the whole file, or connect it again."
DRIVERS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """One image of a video. `number` counts from 0; `time_s` is since the first frame, None where it is not stated."""

    pixels: UInt8[np.ndarray, "h w 3"] = field(repr=False)
    source: str
    number: int
    time_s: float | None


class Video:
    """A video file, a camera ('camera:0') or a stream, open for reading once.

    `rate` is in frames/s; `expected` is the number of frames, 0 where it is not known. No thread may still read the
    frames when it is closed: FFmpeg would read freed memory.

    Raises:
        DataError: it cannot be opened, or has no images.
        UsageError: PyAV is missing.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        av = import_av(source)
        name, driver = _device(source)
        with _explained(source):
            self._container = av.open(
                name, format=driver, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S), metadata_errors="replace"
            )
        if not self._container.streams.video:
            self._container.close()
            raise DataError("it has no images", where=source, fix="Name a video, or an image.")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.rate = Fraction(self._stream.average_rate or self._stream.guessed_rate or USUAL_RATE)
        self._counted = int(self._stream.frames or 0)
        self.expected = self._counted
        if not self.expected and self._container.duration and not is_live(source):
            self.expected = round(self._container.duration / av.time_base * self.rate)

    def frames(self, most: int | None = None) -> Iterator[Frame]:
        """The frames in order, `most` of them at most; corrupt ones are skipped.

        Frames before a fault are yielded before it is raised.

        Raises:
            DataError: the rest cannot be read: the file is damaged, or the camera was disconnected.
        """
        first: float | None = None
        number = 0
        with _explained(self.source, lambda: f"it breaks off after {plural(number, 'frame')}"):
            for packet in self._container.demux(self._stream):
                for image in packet.decode():
                    if image.is_corrupt:
                        continue
                    time = image.time
                    first = time if first is None else first
                    pixels = np.rot90(image.to_ndarray(format="rgb24"), image.rotation // 90)
                    yield Frame(
                        pixels=np.ascontiguousarray(pixels),
                        source=self.source,
                        number=number,
                        time_s=None if time is None or first is None else round(float(time - first), 6),
                    )
                    number += 1
                    if number == most:
                        return
        if number < self._fewest_frames():
            raise DataError(
                f"it breaks off after {number} of {self.expected} frames", where=self.source, fix=AFTER_A_BREAK
            )

    def _fewest_frames(self) -> float:
        """Fewer frames mean that the file was cut. A number from its duration is less sure than its own count."""
        return (WHOLE_BY_COUNT if self._counted else WHOLE_BY_DURATION) * self.expected

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_live(source: str) -> bool:
    """Whether it is a camera or a stream, which has no end until it is stopped."""
    return source.startswith((CAMERA, *LIVE_SCHEMES))


def is_video(source: str) -> bool:
    """Whether its name is that of a camera, a stream, or a video's file or address."""
    return is_live(source) or source.split("?")[0].lower().endswith(VIDEO_SUFFIXES)


def check_readable(sources: Iterable[object]) -> None:
    """Raises UsageError if there is a video or camera among the sources and PyAV is missing."""
    first = next((str(source) for source in sources if is_video(str(source))), None)
    if first is not None:
        import_av(first)


def import_av(source: str) -> Any:
    """PyAV, set to log nothing. Raises UsageError, which names `source`, where it is missing."""
    try:
        import av
    except ImportError as error:
        raise UsageError("videos and cameras need PyAV", where=source, fix=install_hint("video")) from error
    av.logging.set_level(None)  # faults are raised; FFmpeg's own lines would appear among ours
    return av


def _device(source: str) -> tuple[str, str | None]:
    """What FFmpeg calls it, and for a camera the driver that opens it."""
    if not source.startswith(CAMERA):
        return source, None
    number = source.removeprefix(CAMERA)
    driver = DRIVERS.get(sys.platform)
    if driver is None:
        raise UsageError(f"cameras are not known on {sys.platform}", where=source, fix="Record a video, and name it.")
    if driver == "dshow":
        return f"video={number}", driver
    if not number.isdigit():
        raise UsageError("a camera has a number", where=source, fix="Name it 'camera:0', 'camera:1' and so on.")
    return (f"/dev/video{number}" if driver == "v4l2" else number), driver


@contextmanager
def _explained(source: str, broken: Callable[[], str] | None = None) -> Iterator[None]:
    """FFmpeg's errors as DataError; `broken` describes one that comes after the source was opened."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if broken is not None:
            what, fix = f"{broken()} ({reason})", AFTER_A_BREAK
        elif source.startswith(CAMERA):
            what, fix = f"the camera cannot be opened ({reason})", "Is it connected, and not in use?"
        else:
            what, fix = f"the video cannot be opened ({reason})", "Replace it, or do not name it."
        raise DataError(what, where=source, fix=fix) from error

"""Videos, cameras and live streams: frames as upright RGB, and copies with other images, the same times and sound.

PyAV (the extra `video`) is imported when it is used.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ssd300.errors import DataError, UsageError, install_hint
from ssd300.system.files import TEMPORARY_SUFFIX

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv")
CAMERA = "camera:"
LIVE_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "udp://")
OPEN_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 30.0
USUAL_RATE = Fraction(25)  # for what does not say its own
CODECS = ("libx264", "libopenh264", "mpeg4")  # the first that this FFmpeg has
CODEC_OPTIONS = {"libx264": {"crf": "20", "preset": "veryfast"}}
SOUND_OF_MP4 = ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac")
AFTER_A_BREAK = "What came before is done. Get the whole file, or connect it again."
DRIVERS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """One image of a video. `number` counts from 0; `time_s` is since the first one, None where it is not said."""

    pixels: UInt8[np.ndarray, "h w 3"]
    source: str
    number: int
    time_s: float | None


class Video:
    """A video file, a camera ('camera:0') or a stream, open for reading once.

    `rate` is frames a second; `expected` how many there are, 0 where that is not known.

    Raises:
        DataError: it cannot be opened, or has no images.
        UsageError: PyAV is missing.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        av = _import_av(source)
        name, form = _device(source)
        with _explained(source):
            self._container = av.open(
                name, format=form, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S), metadata_errors="replace"
            )
        if not self._container.streams.video:
            self._container.close()
            raise DataError("there are no images in it", where=source, fix="Name a video, or an image.")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.rate = Fraction(self._stream.average_rate or self._stream.guessed_rate or USUAL_RATE)
        self.expected = int(self._stream.frames or 0)
        if not self.expected and self._container.duration and not is_live(source):
            self.expected = round(self._container.duration / av.time_base * self.rate)

    def frames(self) -> Iterator[Frame]:
        """One after another; what lies before a fault is given before it is raised.

        Raises:
            DataError: the rest cannot be read: the file is damaged, the camera is gone.
        """
        first: float | None = None
        number = 0
        with _explained(self.source, lambda: f"it breaks off after {number} frames"):
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
        if number < self._least_frames():
            raise DataError(
                f"it breaks off after {number} of {self.expected} frames", where=self.source, fix=AFTER_A_BREAK
            )

    def _least_frames(self) -> float:
        """Fewer than these mean that the file was cut: exact where it counts its frames, with room where time tells."""
        return (0.95 if self._stream.frames else 0.8) * self.expected

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class VideoWriter:
    """An .mp4 at `path` of the frames that are added, at their times, with the sound of the file `sound`, if any.

    Sides that are odd lose a line, as H.264 has none. `silent` says, after the first frame, why there is no sound.
    """

    def __init__(self, path: Path, *, rate: Fraction, sound: str | None = None) -> None:
        self._av = _import_av(str(path))
        self.path, self.rate, self.silent = path, rate, ""
        self._out = self._av.open(str(path), "w", format="mp4")
        self._stream: Any = None
        self._sound_source = sound
        self._sound: Iterator[Any] = iter(())
        self._next_packet: Any = None
        self._last_pts = -1
        self._time_base = Fraction(1, 90_000)

    def add(self, pixels: UInt8[np.ndarray, "h w 3"], time_s: float | None, number: int) -> None:
        """`time_s` None means the `number`th of frames at even distances."""
        height, width = (side - side % 2 for side in pixels.shape[:2])
        if not height or not width:
            return
        if self._stream is None:
            self._begin(height, width)
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="rgb24")
        time = float(number / self.rate) if time_s is None else time_s
        frame.time_base = self._time_base
        frame.pts = self._last_pts = max(round(time / self._time_base), self._last_pts + 1)
        self._put_sound(time)
        self._out.mux(self._stream.encode(frame))

    def close(self) -> None:
        if self._stream is not None:
            self._out.mux(self._stream.encode(None))
            self._put_sound(float(self._last_pts * self._time_base) + float(1 / self.rate))
        self._out.close()

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.close()

    def _begin(self, height: int, width: int) -> None:
        codec = next(name for name in CODECS if name in self._av.codecs_available)
        self._stream = self._out.add_stream(codec, rate=self.rate, options=CODEC_OPTIONS.get(codec, {}))
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = self._stream.time_base = self._time_base
        if self._sound_source is None:
            return
        source = self._av.open(self._sound_source, metadata_errors="replace")
        if not source.streams.audio:
            source.close()
            return
        audio = source.streams.audio[0]
        if audio.codec_context.name.removesuffix("float") not in SOUND_OF_MP4:
            self.silent = f"its sound ({audio.codec_context.name}) cannot be copied into an .mp4"
            source.close()
            return
        self._copy = self._out.add_stream_from_template(audio)
        first_image = source.streams.video[0].start_time or 0
        self._offset = float(first_image * source.streams.video[0].time_base)
        self._sound = self._packets(source, audio)
        self._next_packet = next(self._sound, None)

    def _packets(self, source: Any, audio: Any) -> Iterator[Any]:
        """Sound from the first image on; what cannot be read ends it."""
        try:
            for packet in source.demux(audio):
                if packet.dts is None or packet.pts is None or float(packet.pts * packet.time_base) < self._offset:
                    continue
                shift = round(self._offset / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self._copy
                yield packet
        except self._av.FFmpegError:
            return
        finally:
            source.close()

    def _put_sound(self, until_s: float) -> None:
        while self._next_packet is not None and float(self._next_packet.pts * self._next_packet.time_base) <= until_s:
            self._out.mux(self._next_packet)
            self._next_packet = next(self._sound, None)


@contextmanager
def whole_copy(target: Path, *, rate: Fraction, sound: str | None) -> Iterator[VideoWriter]:
    """A VideoWriter whose file appears at `target` when the block ends, and then only with at least one frame.

    After an error inside the block nothing is left.
    """
    partial = target.with_name(f".{target.name}{TEMPORARY_SUFFIX}")
    try:
        with VideoWriter(partial, rate=rate, sound=sound) as writer:
            yield writer
        if partial.exists() and partial.stat().st_size:
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def is_live(source: str) -> bool:
    """A camera or a stream, which has no end of its own."""
    return source.startswith((CAMERA, *LIVE_SCHEMES))


def is_video(source: str) -> bool:
    """By its name: a camera, a stream, or a file or address of a video."""
    return is_live(source) or source.split("?")[0].lower().endswith(VIDEO_SUFFIXES)


def _device(source: str) -> tuple[str, str | None]:
    """What FFmpeg calls it, and the form that it must be opened in."""
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


def _import_av(source: str) -> Any:
    try:
        import av
    except ImportError as error:
        raise UsageError("videos and cameras need PyAV", where=source, fix=install_hint("video")) from error
    av.logging.set_level(None)  # faults are raised; FFmpeg's own words would stand among ours
    return av


@contextmanager
def _explained(source: str, broken: Any = None) -> Iterator[None]:
    """FFmpeg's errors as ours."""
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
            what, fix = f"the video cannot be opened ({reason})", "Replace it, or leave it out."
        raise DataError(what, where=source, fix=fix) from error

"""The annotated copy of a video: an .mp4 with other images, at the same times, and with the same sound."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ssd300.detection.containers import first_video, import_av, open_address, open_file
from ssd300.system.files import TEMPORARY_SUFFIX

CODECS = ("libx264", "libopenh264", "mpeg4")  # the first that this FFmpeg has
CODEC_OPTIONS = {"libx264": {"crf": "20", "preset": "veryfast"}}
TIME_BASE = Fraction(1, 90_000)
SOUND_OF_MP4 = ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac")


class VideoWriter:
    """An .mp4 at `path` of the frames that are added, at their times, with the sound of `sound`, if any.

    `rate` is that of the added frames; `sound` is a file, or an address.

    An odd width or height loses its last column or row, as H.264 needs even ones. `why_silent` states, after the first
    frame, why the sound cannot be copied; it is "" where it is copied, or there is none.
    """

    def __init__(self, path: Path, *, rate: Fraction, sound: Path | str | None = None) -> None:
        self._av = import_av(str(path))
        self.path, self.rate, self.why_silent = path, rate, ""
        self._out = self._av.open(f"file:{path}", "w", format="mp4")
        self._stream: Any = None
        self._sound_source = sound
        self._sound: _Sound | None = None
        self._last_pts = -1

    def add(self, pixels: UInt8[np.ndarray, "h w 3"], time_s: float | None, number: int) -> None:
        """Append a frame (RGB). Where `time_s` is None, frames are evenly spaced and this is the `number`th."""
        height, width = (side - side % 2 for side in pixels.shape[:2])
        if not height or not width:
            return
        if self._stream is None:
            self._begin(height, width)
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="rgb24")
        time = float(number / self.rate) if time_s is None else time_s
        frame.time_base = TIME_BASE
        frame.pts = self._last_pts = max(round(time / TIME_BASE), self._last_pts + 1)
        self._put_sound(time)
        self._out.mux(self._stream.encode(frame))

    def close(self) -> None:
        try:
            if self._stream is not None:
                self._out.mux(self._stream.encode(None))
                self._put_sound(float(self._last_pts * TIME_BASE) + float(1 / self.rate))
        finally:
            self._out.close()
            if self._sound is not None:
                self._sound.close()

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.close()

    def _begin(self, height: int, width: int) -> None:
        codec = next(name for name in CODECS if name in self._av.codecs_available)
        self._stream = self._out.add_stream(codec, rate=self.rate, options=CODEC_OPTIONS.get(codec, {}))
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = self._stream.time_base = TIME_BASE
        if self._sound_source is None:
            return
        sound = _Sound(self._av, self._sound_source)
        if sound.codec in SOUND_OF_MP4:
            sound.copy_into(self._out)
            self._sound = sound
            return
        sound.close()
        if sound.track is not None:
            self.why_silent = f"its sound ({sound.name}) cannot be copied into an .mp4"

    def _put_sound(self, until_s: float) -> None:
        if self._sound is not None:
            for packet in self._sound.until(until_s):
                self._out.mux(packet)


class _Sound:
    """The first track of sound in a file, to be copied packet by packet. `name` and `codec` are "" without a track."""

    def __init__(self, av: Any, source: Path | str) -> None:
        self._av = av
        self._container = open_file(source) if isinstance(source, Path) else open_address(source)
        self.track = next(iter(self._container.streams.audio), None)
        self.name: str = "" if self.track is None else self.track.codec_context.name
        self.codec = self.name.removesuffix("float")
        self._packets: Generator[Any, None, None] | None = None
        self._next: Any = None

    def copy_into(self, out: Any) -> None:
        """Add a track to `out`, to which the packets will belong."""
        self._copy = out.add_stream_from_template(self.track)
        images = first_video(self._container)
        self._offset_s = float((images.start_time or 0) * images.time_base)
        self._packets = self._read()
        self._next = next(self._packets, None)

    def until(self, time_s: float) -> Iterator[Any]:
        """The packets that were not given yet, up to this time since the first image."""
        assert self._packets is not None
        while self._next is not None and float(self._next.pts * self._next.time_base) <= time_s:
            yield self._next
            self._next = next(self._packets, None)

    def close(self) -> None:
        if self._packets is not None:
            self._packets.close()
        self._container.close()

    def _read(self) -> Generator[Any, None, None]:
        """The packets from the first image on, their times counted from it; a fault ends them."""
        try:
            for packet in self._container.demux(self.track):
                if packet.dts is None or packet.pts is None or float(packet.pts * packet.time_base) < self._offset_s:
                    continue
                shift = round(self._offset_s / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self._copy
                yield packet
        except self._av.FFmpegError:
            return


@contextmanager
def whole_copy(target: Path, *, rate: Fraction, sound: Path | str | None) -> Iterator[VideoWriter]:
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

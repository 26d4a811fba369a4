"""Videos, cameras and live streams as frames: RGB images as a player shows them, with their times."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ssd300.detection.completeness import is_cut
from ssd300.detection.containers import (
    explained,
    first_video,
    import_av,
    open_address,
    open_device,
    open_file,
    open_stream,
)
from ssd300.detection.decoding import shown_images
from ssd300.detection.frame_choice import ALL, FrameChoice
from ssd300.detection.orientation import as_shown
from ssd300.detection.video_names import CAMERA, device_of, is_live
from ssd300.errors import DataError, as_text
from ssd300.system.web import is_address
from ssd300.system.wording import plural

AV_TIME_BASE = 1_000_000  # FFmpeg's unit of durations, in a second
USUAL_RATE = Fraction(25)  # frames/s, for a source that does not state its rate
NUMBERS_SHOWN = 10
CUT, WHOLE = "the video was cut off, and without the rest it cannot be opened", "Get the whole file."
DOWNLOAD = "Try again, or download it and name the file."


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """One image of a video. `number` counts from 0; `time_s` is since the first frame, None where it is not stated."""

    pixels: UInt8[np.ndarray, "h w 3"] = field(repr=False)
    source: str
    number: int
    time_s: float | None


class Video:
    """A video file, a camera ('camera:0') or a stream, open for reading once. A Path is always a file.

    `path` is that of a file, None for others. `rate` is in frames/s; `expected` is the number of frames, 0 where it is
    not known. `damaged` are the numbers of the chosen frames so far that could not be decoded. No thread may still read
    the frames when it is closed: FFmpeg would read freed memory.

    Raises:
        DataError: it cannot be opened, or has no images.
        UsageError: PyAV is missing.
    """

    def __init__(self, source: str | Path) -> None:
        self.source = as_text(source)
        self.path = None if is_live(source) or (isinstance(source, str) and is_address(source)) else Path(source)
        self.live = is_live(source)
        self.damaged: list[int] = []
        import_av(self.source)
        with explained(self.source, self._why_closed):
            self._container = self._open()
        self._stream = first_video(self._container)
        if self._stream is None or self._stream.codec_context is None:
            self._container.close()
            what = "it has no images" if self._stream is None else "its images are of a kind that is not known"
            cut = self.path is not None and is_cut(self.path)
            raise DataError(CUT if cut else what, where=self.source, fix=WHOLE if cut else "Name a video, or an image.")
        self._reopened: Any = None
        self.rate = Fraction(self._stream.average_rate or self._stream.guessed_rate or USUAL_RATE)
        self._counted = int(self._stream.frames or 0)
        own_s = float((self._stream.duration or 0) * (self._stream.time_base or 0))
        duration_s = 0.0 if self.live else own_s or float(self._container.duration or 0) / AV_TIME_BASE
        by_duration = round(duration_s * self.rate)  # less than counted where an edit list hides frames
        self.expected = min(self._counted, by_duration or self._counted) or by_duration

    def frames(self, choice: FrameChoice = ALL) -> Iterator[Frame]:
        """The frames in order, as `choice` says. A frame keeps the number and the time that it has in the whole video.

        Chosen frames that cannot be decoded are left out, and their numbers are in `damaged`. Frames before a fault are
        yielded before it is raised.

        Raises:
            DataError: the rest cannot be read: the file is damaged or was cut, or the camera was disconnected.
        """
        first: Fraction | None = None
        taken = number = 0
        due = choice.due(self.rate)
        with explained(self.source, lambda why: (f"{self._breaks_off(number)} ({why})", self._after_a_break(taken))):
            for shown in shown_images(self._container, self._stream, None if self.path is None else self._reopen):
                if self.live and shown.image is None and not number:
                    continue  # a stream that is joined in the middle begins with the next whole image
                first = shown.time_s if first is None else first
                time_s = None if shown.time_s is None or first is None else shown.time_s - first
                is_due = due(number, time_s)
                if is_due and shown.image is None:
                    self.damaged.append(number)
                elif is_due:
                    yield self._frame(shown.image, number, time_s)
                    taken += 1
                number += 1
                if taken == choice.most:
                    return
        if self._ended_early(number):
            raise DataError(self._breaks_off(number), where=self.source, fix=self._after_a_break(taken))
        if not taken and not self.live:
            raise DataError("no frame of it can be decoded", where=self.source, fix="Replace it, or do not name it.")

    def damage(self) -> str:
        """What to say of the frames so far that could not be decoded; "" if there are none."""
        if not self.damaged:
            return ""
        numbers = ", ".join(map(str, self.damaged[:NUMBERS_SHOWN]))
        more = "" if len(self.damaged) <= NUMBERS_SHOWN else f" and {len(self.damaged) - NUMBERS_SHOWN:,} more"
        return f"{plural(len(self.damaged), 'frame')} could not be decoded: {numbers}{more}"

    def close(self) -> None:
        if self._reopened is not None:
            self._reopened.close()
        self._container.close()

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Any:
        if self.path is not None:
            return open_file(self.path)
        if self.source.startswith(CAMERA):
            return open_device(*device_of(self.source))
        return open_stream(self.source) if self.live else open_address(self.source)

    def _reopen(self) -> tuple[Any, Any]:
        self._reopened = self._open()
        return self._reopened, first_video(self._reopened)

    def _frame(self, image: Any, number: int, time_s: Fraction | None) -> Frame:
        return Frame(
            pixels=as_shown(image, self._stream.sample_aspect_ratio),
            source=self.source,
            number=number,
            time_s=None if time_s is None else round(float(time_s), 6),
        )

    def _ended_early(self, number: int) -> bool:
        """Whether the file was cut before its last frame. From an address or a stream, FFmpeg reports that itself."""
        return self.path is not None and is_cut(self.path) and not (self._counted and number >= self._counted)

    def _breaks_off(self, number: int) -> str:
        return (
            f"it breaks off after {f'{number} of ' if self._counted else ''}{plural(self._counted or number, 'frame')}"
        )

    def _after_a_break(self, taken: int) -> str:
        """What to do when it breaks off; `taken` frames came before."""
        before = "" if not taken else "The frame before is done. " if taken == 1 else "The frames before are done. "
        return before + self._by_kind("Is it still connected?", "Is it still sent?", DOWNLOAD, WHOLE)

    def _why_closed(self, reason: str) -> tuple[str, str]:
        if self.path is not None and is_cut(self.path):
            return f"{CUT} ({reason})", WHOLE
        what = self._by_kind("camera", "stream", "video", "video")
        is_sent, replace = "Check the address, and that it is sent.", "Replace it, or do not name it."
        fix = self._by_kind("Is it connected, and not in use?", is_sent, "Check the address.", replace)
        return f"the {what} cannot be opened ({reason})", fix

    def _by_kind(self, camera: str, stream: str, address: str, file: str) -> str:
        if self.live:
            return camera if self.source.startswith(CAMERA) else stream
        return address if self.path is None else file

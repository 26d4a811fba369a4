"""Sources through a detector into a folder: reading, network, drawing and writing overlap."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ssd300.detection.defaults import BATCH
from ssd300.detection.detector import Detector
from ssd300.detection.output_folder import DetectionFolder
from ssd300.detection.output_names import ANNOTATED_VIDEO, output_names
from ssd300.detection.outputs import Output, save_image
from ssd300.detection.results import Result, frame_name
from ssd300.detection.sources import Source
from ssd300.detection.video import Video, is_live, is_video
from ssd300.detection.video_writer import VideoWriter, whole_copy
from ssd300.errors import DataError, SSDError, as_text
from ssd300.system.threads import ordered_map, read_ahead
from ssd300.types import Selection

Progress = Callable[[int, int], None]  # takes how many images are done, and how many there are as far as is known


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What is detected and saved. Detections of the classes `suppress` are dropped.

    `most_frames` is of each video or camera, None for all.
    """

    selection: Selection
    save: Sequence[Output]
    suppress: Sequence[str] = ()
    batch_size: int = BATCH
    most_frames: int | None = None


def content_key(detector: Detector, sources: Sequence[Source], options: RunOptions, **more: object) -> dict[str, Any]:
    """What identifies a command: an unfinished run is resumed by the same one only. `more` are its other options.

    The pixels of the images and the numbers in the weights are not part of it.
    """
    return {
        "sources": [as_text(one) for one in sources],
        "card": asdict(detector.card),  # type: ignore[call-overload]  # both kinds of card are dataclasses
        "selection": asdict(options.selection),
        "save": options.save,
        "suppress": options.suppress,
        "frames": options.most_frames,
        **more,
    }


class _Written(NamedTuple):
    """A frame whose own files are written: their name, its row, and the annotated frame, None without a copy."""

    name: str
    row: dict[str, Any]
    drawn: Any
    time_s: float | None


class DetectionRun:
    """Detection on the sources of one command, in their order, without those that the folder already holds.

    `report` takes a line for the user: what is skipped and why. Images and frames both count as images: `done` in the
    folder, `done_before` of them by an earlier run, `expected` in total as far as is known.
    """

    def __init__(
        self,
        detector: Detector,
        sources: Sequence[Source],
        folder: DetectionFolder,
        options: RunOptions,
        report: Callable[[str], None],
    ) -> None:
        self.detector, self.sources, self.folder, self.options = detector, sources, folder, options
        self.report = report
        self.names = output_names(sources)
        self.first_error: SSDError = DataError("nothing could be read")
        self.done = self.done_before = sum(1 for _ in folder.rows())
        self.expected = self.done + len(sources) - len(folder.done)
        self.seconds = 0.0
        self.found_nothing = False  # so that nothing is there to resume

    @contextmanager
    def resumable(self) -> Iterator[None]:
        """Close the folder when the block ends. After an error the same command resumes, unless `run` found nothing."""
        finished = False
        try:
            yield
            finished = True
        except BaseException:
            finished = self.found_nothing
            if self.done and self.folder.done:
                self.report(f"{len(self.folder.done)} of {len(self.sources)} are done; the same command resumes")
            raise
        finally:
            self.folder.close(finished=finished)

    def run(self, progress: Progress) -> BaseException | None:
        """Detect on the sources that are not done yet, then write the files of all images together.

        Returns what interrupted a camera: its frames are saved, and the sources after it are left out. Sources that
        cannot be read are skipped; `first_error` is that of the first one.

        Raises:
            SSDError, KeyboardInterrupt: no source could be read, or a camera was interrupted before its first frame.
        """
        started = time.monotonic()
        interruption = self._detect_on_pending(progress)
        self.seconds = time.monotonic() - started
        if not self.done:
            self.found_nothing = True
            raise interruption or self.first_error
        self.folder.finish(self.detector.card.classes, self.options.save)
        return interruption

    def _detect_on_pending(self, progress: Progress) -> BaseException | None:
        pending = [number for number in range(len(self.sources)) if number not in self.folder.done]
        for are_videos, numbers in groupby(pending, key=lambda number: is_video(str(self.sources[number]))):
            if not are_videos:
                self._detect_on_images(list(numbers), progress)
                continue
            for number in numbers:
                interruption = self._detect_on_video(number, progress)
                if interruption is not None:
                    for later in pending[pending.index(number) + 1 :]:
                        self.report(f"not processed: {self.sources[later]}")
                    return interruption
        return None

    def videos(self) -> dict[str, str]:
        """The sources that are videos or cameras, with the names of their files."""
        pairs = zip(map(as_text, self.sources), self.names, strict=True)
        return {source: name for source, name in pairs if is_video(source)}

    def _detect_on_images(self, numbers: Sequence[int], progress: Progress) -> None:
        def save(outcome: tuple[int, Result | SSDError]) -> tuple[int, dict[str, Any] | SSDError]:
            place, result = outcome
            if isinstance(result, SSDError):
                return numbers[place], result
            wanted = self._without_suppressed(result)
            save_image(self.folder.folder, self.names[numbers[place]], wanted, self.options.save)
            return numbers[place], wanted.to_dict()

        images = [self.sources[number] for number in numbers]
        outcomes = self.detector.outcomes(images, self.options.selection, batch_size=self.options.batch_size)
        with closing(outcomes), closing(ordered_map(save, outcomes, ahead=self.options.batch_size)) as saved:
            for number, row in saved:
                if isinstance(row, SSDError):
                    self._skip(number, row)
                else:
                    self.folder.add(number, self.names[number], row, done=True)
                    self._advance(progress)

    def _detect_on_video(self, number: int, progress: Progress) -> BaseException | None:
        """Frames of a broken video before the fault are saved, and the video is recorded as skipped."""
        interruption: BaseException | None = None
        fault: DataError | None = None
        try:
            with Video(str(self.sources[number])) as video, self._annotated_copy(video, number) as copy:
                frames = min(video.expected or 1, self.options.most_frames or video.expected or 1)
                self.expected += frames - 1
                try:
                    self._detect_on_frames(video, number, copy, progress)
                except DataError as error:
                    fault = error
                except BaseException as error:
                    if not is_live(video.source):  # the same command starts a file again from its first frame
                        raise
                    interruption = error
        except DataError as error:
            fault = error
        if fault is not None:
            self._skip(number, fault)
        else:
            self.folder.end(number)
        return interruption

    def _annotated_copy(self, video: Video, number: int) -> Any:
        """A context that gives the VideoWriter of the annotated copy, or None where it is not wanted."""
        if "image" not in self.options.save:
            return nullcontext()
        target = self.folder.folder / f"{self.names[number]}{ANNOTATED_VIDEO}"
        return whole_copy(target, rate=video.rate, sound=None if is_live(video.source) else video.source)

    def _detect_on_frames(self, video: Video, number: int, copy: VideoWriter | None, progress: Progress) -> None:
        try:
            with closing(self._frames(video, self.names[number])) as frames:
                for frame_number, frame in enumerate(frames):
                    if copy is not None:
                        copy.add(frame.drawn, frame.time_s, frame_number)
                    self.folder.add(number, frame.name, frame.row, done=False)
                    self._advance(progress)
        finally:
            if copy is not None and copy.why_silent:
                self.report(f"{video.source}: {copy.why_silent}")

    def _frames(self, video: Video, name: str) -> Iterator[_Written]:
        formats = [output for output in self.options.save if output != "image"]  # the copy is written in one place
        batch_size = 1 if is_live(video.source) else self.options.batch_size

        def save(result: Result) -> _Written:
            wanted = self._without_suppressed(result)
            own_name = frame_name(name, wanted.frame or 0)
            save_image(self.folder.folder, own_name, wanted, formats)
            drawn = np.asarray(wanted.draw()) if "image" in self.options.save else None
            return _Written(own_name, wanted.to_dict(), drawn, wanted.time_s)

        with (  # closed from the last to the first, so that no thread reads the video when it is closed
            closing(read_ahead(video.frames(self.options.most_frames), most=batch_size)) as frames,
            closing(self.detector.stream(frames, self.options.selection, batch_size=batch_size)) as results,
            closing(ordered_map(save, results, ahead=batch_size)) as written,
        ):
            yield from written

    def _without_suppressed(self, result: Result) -> Result:
        return result.select([name not in self.options.suppress for name in result.names])

    def _advance(self, progress: Progress) -> None:
        self.done += 1
        progress(self.done, max(self.expected, self.done))

    def _skip(self, number: int, error: SSDError) -> None:
        if not self.folder.skipped:
            self.first_error = error
        self.folder.end(number, skipped=str(error))
        if len(self.sources) > 1:
            self.report(f"skipped: {error}")

"""Sources through a detector into a folder: reading, network, drawing and writing overlap."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from ssd300.detection.detector import Detector
from ssd300.detection.output_folder import DetectionFolder
from ssd300.detection.output_names import ANNOTATED_VIDEO, output_names, with_file
from ssd300.detection.outputs import save_image
from ssd300.detection.results import Result
from ssd300.detection.run_options import RunOptions
from ssd300.detection.sources import Source
from ssd300.detection.video import Video
from ssd300.detection.video_names import is_video
from ssd300.detection.video_results import written_frames
from ssd300.detection.video_writer import VideoWriter, whole_copy
from ssd300.errors import DataError, SSDError, as_text
from ssd300.system.threads import ordered_map

Progress = Callable[[int, int], None]  # takes how many images are done, and how many there are as far as is known


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
        "frames": asdict(options.frames),
        "track": options.track,
        **more,
    }


class DetectionRun:
    """Detection on the sources of one command, in their order, without those that the folder already holds.

    `report` takes a line for the user: what is skipped and why. Images and frames both count as images: `done` in the
    folder, `done_before` of them by an earlier run, `expected` in total as far as is known: how many frames a video has
    is an estimate until its end. What is skipped is not expected any more.
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
        self.incomplete = False  # whether frames of a skipped video were saved
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
        for are_videos, numbers in groupby(pending, key=lambda number: is_video(self.sources[number])):
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
        pairs = zip(self.sources, self.names, strict=True)
        return {as_text(source): name for source, name in pairs if is_video(source)}

    def _detect_on_images(self, numbers: Sequence[int], progress: Progress) -> None:
        def save(outcome: tuple[int, Result | SSDError]) -> tuple[int, dict[str, Any] | SSDError]:
            place, result = outcome
            if isinstance(result, SSDError):
                return numbers[place], result
            wanted = self.options.without_suppressed(result)
            save_image(self.folder.folder, self.names[numbers[place]], wanted, self.options.save)
            return numbers[place], with_file(wanted.to_dict(), self.names[numbers[place]])

        images = [self.sources[number] for number in numbers]
        outcomes = self.detector.outcomes(images, self.options.selection, batch_size=self.options.batch_size)
        with closing(outcomes), closing(ordered_map(save, outcomes, ahead=self.options.batch_size)) as saved:
            for number, row in saved:
                if isinstance(row, SSDError):
                    self._skip(number, row)
                    self._expect(-1, progress)
                else:
                    self.folder.add(number, self.names[number], row, done=True)
                    self._advance(progress)

    def _detect_on_video(self, number: int, progress: Progress) -> BaseException | None:
        """Frames of a broken or damaged video that can be decoded are saved, and the video is recorded as skipped."""
        interruption: BaseException | None = None
        fault: DataError | None = None
        done_before, estimate = self.done, 1
        source = self.sources[number]
        assert isinstance(source, (str, Path))  # others are no videos (`is_video`)
        try:
            with Video(source) as video, self._annotated_copy(video, number) as copy:
                estimate = self.options.frames.count(video.expected or 1, video.rate)
                self._expect(estimate - 1, progress)
                try:
                    self._detect_on_frames(video, number, copy, progress)
                except DataError as error:
                    fault = error
                except BaseException as error:
                    if not video.live:  # the same command starts a file again from its first frame
                        raise
                    interruption = error
                fault = self._with_damage(video, fault)
        except DataError as error:
            fault = error
        self._expect(self.done - done_before - estimate, progress)
        if fault is not None:
            self.incomplete |= self.done > done_before
            self._skip(number, fault, "incomplete" if self.done > done_before else "skipped")
        else:
            self.folder.end(number)
        return interruption

    def _with_damage(self, video: Video, fault: DataError | None) -> DataError | None:
        """The fault of a video, with its frames that could not be decoded. Those of a live stream are only reported."""
        damage = video.damage()
        if not damage:
            return fault
        if fault is not None:
            return DataError(f"{fault.what}; {damage}", where=fault.where, fix=fault.fix)
        if video.live:
            self.report(f"{video.source}: {damage}")
            return None
        return DataError(damage, where=video.source, fix="The other frames are done. Get a whole copy of the video.")

    def _annotated_copy(self, video: Video, number: int) -> Any:
        """A context that gives the VideoWriter of the annotated copy, or None where it is not wanted."""
        if "image" not in self.options.save:
            return nullcontext()
        target = self.folder.folder / f"{self.names[number]}{ANNOTATED_VIDEO}"
        rate = self.options.frames.rate(video.rate)
        return whole_copy(target, rate=rate, sound=None if video.live else video.path or video.source)

    def _detect_on_frames(self, video: Video, number: int, copy: VideoWriter | None, progress: Progress) -> None:
        frames_of = written_frames(self.detector, video, self.folder.folder, self.names[number], self.options)
        try:
            with closing(frames_of) as frames:
                for frame_number, frame in enumerate(frames):
                    if copy is not None:
                        copy.add(frame.drawn, frame.time_s, frame_number)
                    self.folder.add(number, frame.name, with_file(frame.row, self.names[number]), done=False)
                    self._advance(progress)
        finally:
            if copy is not None and copy.why_silent:
                self.report(f"{video.source}: {copy.why_silent}")

    def _expect(self, more: int, progress: Progress) -> None:
        """So many more images than before, or fewer, are expected."""
        self.expected += more
        progress(self.done, max(self.expected, self.done))

    def _advance(self, progress: Progress) -> None:
        self.done += 1
        progress(self.done, max(self.expected, self.done))

    def _skip(self, number: int, error: SSDError, how: str = "skipped") -> None:
        if not self.folder.skipped:
            self.first_error = error
        self.folder.end(number, skipped=str(error))
        if len(self.sources) > 1:
            self.report(f"{how}: {error}")

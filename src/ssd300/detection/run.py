"""Sources through a detector into a folder: reading, network, drawing and writing overlap."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from ssd300.detection.detector import Detector
from ssd300.detection.output_folder import DetectionFolder
from ssd300.detection.outputs import CLASSES, Output, save_image
from ssd300.detection.results import Result
from ssd300.detection.sources import Source
from ssd300.detection.video import Video, VideoWriter, is_live, is_video
from ssd300.errors import DataError, SSDError, UsageError
from ssd300.system.threads import ordered_map, read_ahead
from ssd300.types import Selection

UNFINISHED = ".partial"  # of a video while it is written
Progress = Callable[[int, int], None]  # is told how many images are done, and how many there are as far as is known


@dataclass(frozen=True)
class _Done:
    """What the writing threads hand back of an image or frame."""

    name: str
    row: dict[str, Any]
    drawn: Any  # of a video, (h, w, 3) as bytes
    time_s: float | None


class DetectionRun:
    """One command's sources, gone through in order; those that the folder has already are left out.

    `say` is told what is skipped and why; `progress` opens a Progress, given how many images there are and are done.
    """

    def __init__(
        self,
        detector: Detector,
        selection: Selection,
        folder: DetectionFolder,
        sources: Sequence[Source],
        *,
        save: Sequence[Output],
        suppress: Sequence[str],
        batch_size: int,
        most_frames: int | None,
        say: Callable[[str], None],
        progress: Callable[[int, int], AbstractContextManager[Progress]],
    ) -> None:
        self.detector, self.selection, self.folder = detector, selection, folder
        self.sources, self.save, self.suppress = sources, save, suppress
        self.batch_size, self.most_frames = batch_size, most_frames
        self.say, self.progress = say, progress
        self.names = output_names([str(source) for source in sources])
        self.first_error: SSDError = DataError("nothing could be read")
        self.images = self.earlier = sum(1 for _ in folder.rows())
        self.seconds = 0.0

    def run(self) -> BaseException | None:
        """All that is not done yet. What ended a camera from outside is handed back, as what it gave is kept."""
        started = time.monotonic()
        left = [number for number in range(len(self.sources)) if number not in self.folder.done]
        ended_by: BaseException | None = None
        total = self.images + len(left)
        with self.progress(total, self.images) as told:
            self.told, self.total = told, total
            for films, numbers in _runs(left, lambda number: is_video(str(self.sources[number]))):
                if not films:
                    self._look_at_images(numbers)
                    continue
                for number in numbers:
                    ended_by = self._look_at_video(number)
                    if ended_by is not None:
                        break
        self.seconds = time.monotonic() - started
        return ended_by

    def read_any(self) -> bool:
        return self.images > 0

    def lines(self, counts: Sequence[tuple[str, str, int]], out: Path) -> Iterator[str]:
        """A line an image; of a video one, as it has many."""
        for image, frames in groupby(counts, key=lambda one: one[1]):
            rows = list(frames)
            if image in self._films():
                where = out / f"{self._films()[image]}.mp4" if "image" in self.save else image
                yield f"{where}: {len(rows)} frames, {sum(count for _, _, count in rows)} detections\n"
            else:
                for name, _, count in rows:
                    yield f"{out / f'{name}.jpg' if 'image' in self.save else image}: {count} detections\n"

    @property
    def kind(self) -> str:
        """What the sources are, for messages."""
        return "sources" if self._films() else "images"

    def summary(self) -> str:
        new = self.images - self.earlier
        speed = f", {new / self.seconds:.1f} images/s" if self.seconds > 0 else ""
        return f"{new} images in {self.seconds:.1f} s{speed}; {len(self.folder.skipped)} skipped"

    def _films(self) -> dict[str, str]:

        return {str(one): name for one, name in zip(self.sources, self.names, strict=True) if is_video(str(one))}

    def _look_at_images(self, numbers: Sequence[int]) -> None:

        skipped: set[int] = set()

        def skip(place: int, error: SSDError) -> None:
            skipped.add(place)
            self._skip(numbers[place], error)

        def found() -> Iterator[tuple[int, Result]]:
            stream = self.detector.stream(
                [self.sources[number] for number in numbers], self.selection, batch_size=self.batch_size, on_bad=skip
            )
            # what cannot be read is known before the next result
            places = (place for place in range(len(numbers)) if place not in skipped)
            for result in stream:
                yield numbers[next(places)], result

        def write(numbered: tuple[int, Result]) -> tuple[int, dict[str, Any]]:
            number, result = numbered
            wanted = self._wanted(result)
            save_image(self.folder.folder, self.names[number], wanted, self.save)
            return number, wanted.to_dict()

        with closing(ordered_map(write, found(), ahead=self.batch_size)) as written:
            for number, row in written:
                self.folder.add(number, self.names[number], row, done=True)
                self._tell()

    def _look_at_video(self, number: int) -> BaseException | None:

        source, name = str(self.sources[number]), self.names[number]
        target = self.folder.folder / f"{name}.mp4"
        partial = target.with_name(f".{target.name}{UNFINISHED}")
        ended_by: BaseException | None = None
        trouble: SSDError | None = None
        try:
            with Video(source) as video:
                expected = min(video.expected or 1, self.most_frames or video.expected or 1)
                self.total += expected - 1
                writer = None
                if "image" in self.save:
                    writer = VideoWriter(partial, rate=video.rate, sound=None if is_live(source) else source)
                try:
                    for frame_number, done in enumerate(self._frames(video, name, live=is_live(source))):
                        if writer is not None:
                            writer.add(done.drawn, done.time_s, frame_number)
                        self.folder.add(number, done.name, done.row, done=False)
                        self._tell()
                except DataError as error:
                    trouble = error
                except BaseException as error:
                    if not is_live(source):  # it is begun again by the same command
                        raise
                    ended_by = error
                finally:
                    if writer is not None:
                        writer.close()
                        if writer.silent:
                            self.say(f"{source}: {writer.silent}")
            if partial.exists() and partial.stat().st_size:
                partial.replace(target)
        except DataError as error:
            trouble = error
        finally:
            partial.unlink(missing_ok=True)
        if trouble is not None:
            self._skip(number, trouble)
        else:
            self.folder.end(number)
        return ended_by

    def _frames(self, video: Any, name: str, *, live: bool) -> Iterator[_Done]:

        forms = [form for form in self.save if form != "image"]
        batch_size = 1 if live else self.batch_size

        def write(result: Result) -> _Done:
            wanted = self._wanted(result)
            own_name = f"{name}_{wanted.frame:06d}"
            save_image(self.folder.folder, own_name, wanted, forms)
            drawn = np.asarray(wanted.draw()) if "image" in self.save else None
            return _Done(own_name, wanted.to_dict(), drawn, wanted.time_s)

        with closing(read_ahead(islice(video.frames(), self.most_frames), most=batch_size)) as frames:
            stream = self.detector.stream(frames, self.selection, batch_size=batch_size)
            with closing(ordered_map(write, stream, ahead=batch_size)) as written:
                yield from written

    def _wanted(self, result: Result) -> Result:
        return result.select([name not in self.suppress for name in result.names])

    def _tell(self) -> None:
        self.images += 1
        self.told(self.images, max(self.total, self.images))

    def _skip(self, number: int, error: SSDError) -> None:
        if not self.folder.skipped:
            self.first_error = error
        self.folder.end(number, skipped=str(error))
        if len(self.sources) > 1:
            self.say(f"skipped: {error}")


def _runs(numbers: Sequence[int], kind: Callable[[int], bool]) -> Iterator[tuple[bool, list[int]]]:
    """Neighbours of one kind together."""
    for which, some in groupby(numbers, key=kind):
        yield which, list(some)


def spare_sources(sources: Sequence[Source], folder: Path, save: Sequence[Output]) -> None:
    """Raises UsageError where a copy in `folder` would be written over an image or video that is to be looked at."""
    names = output_names([str(source) for source in sources])
    written = {(folder / f"{name}{ending}").resolve() for name in names for ending in (".jpg", ".mp4")}
    for source in sources:
        if "image" in save and isinstance(source, Path) and source.resolve() in written:
            raise UsageError("the output would be written over a source", where=source, fix="Name another --out.")


def _has_frames_name(name: str, stems: Iterable[str]) -> bool:
    return any(re.fullmatch(rf"{re.escape(name)}_\d{{6,}}", stem) for stem in stems)


def output_names(sources: Sequence[str]) -> list[str]:
    """A name for each source's files: its own stem, with a number where it is taken.

    A video's files are also named `<name>_<frame>`, which no image's name may look like; "classes" is YOLO's.
    """
    own = [Path(source.split("?")[0]).stem.replace(":", "_") or "image" for source in sources]
    stems = set(own)
    names: list[str] = []
    taken = {CLASSES}
    counts: dict[str, int] = {}
    for source, stem in zip(sources, own, strict=True):
        name = stem
        while name in taken or (name != stem and name in stems) or (is_video(source) and _has_frames_name(name, stems)):
            counts[stem] = counts.get(stem, 1) + 1
            name = f"{stem}_{counts[stem]}"
        taken.add(name)
        names.append(name)
    return names

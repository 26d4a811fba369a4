"""One video through a detector: reading, network, tracking, drawing and writing overlap."""

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ssd300.detection.detector import Detector
from ssd300.detection.outputs import save_image
from ssd300.detection.results import Result, frame_name
from ssd300.detection.run_options import RunOptions
from ssd300.detection.tracking import tracked, with_faint
from ssd300.detection.video import Video
from ssd300.system.threads import ordered_map, read_ahead
from ssd300.types import Selection


class Written(NamedTuple):
    """A frame whose own files are written: their name, its row, and the annotated frame, None without a copy."""

    name: str
    row: dict[str, Any]
    drawn: Any
    time_s: float | None


def track(detector: Detector, video: Video, selection: Selection | None = None) -> Iterator[Result]:
    """The Results of the frames of a video, with their `tracks`. Without `selection`: `detector.selection()`.

    Raises:
        DataError: the video breaks off; the results before it are yielded first.
        UsageError: the package trackers is missing.
    """
    wanted = detector.selection() if selection is None else selection
    return _results(detector, video, RunOptions(selection=wanted, save=(), track=True))


def written_frames(
    detector: Detector, video: Video, folder: Path, name: str, options: RunOptions
) -> Generator[Written, None, None]:
    """The chosen frames of a video in their order; `name` is that of its files in `folder`.

    When the iterator is closed or has ended, no thread reads the video.
    """
    formats = [output for output in options.save if output != "image"]  # the copy is written in one place

    def save(result: Result) -> Written:
        wanted = options.without_suppressed(result)
        own_name = frame_name(name, wanted.frame or 0)
        save_image(folder, own_name, wanted, formats)
        drawn = np.asarray(wanted.draw()) if "image" in options.save else None
        return Written(own_name, wanted.to_dict(), drawn, wanted.time_s)

    with (
        closing(_results(detector, video, options)) as results,
        closing(ordered_map(save, results, ahead=_batch_size(video, options))) as written,
    ):
        yield from written


def _results(detector: Detector, video: Video, options: RunOptions) -> Generator[Result, None, None]:
    batch_size = _batch_size(video, options)
    selection = with_faint(options.selection) if options.track else options.selection
    with (  # closed from the last to the first
        closing(read_ahead(video.frames(options.frames), most=batch_size)) as frames,
        closing(detector.stream(frames, selection, batch_size=batch_size)) as results,
    ):
        if options.track:
            yield from tracked(results, options.selection, options.frames.rate(video.rate))
        else:
            yield from results


def _batch_size(video: Video, options: RunOptions) -> int:
    return 1 if video.live else options.batch_size

"""What `ssd300 detect` says at its end: a line per image or video, what was noted, and what was skipped."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ssd300.errors import DataError
from ssd300.system.wording import plural

if TYPE_CHECKING:
    from ssd300.detection.output_folder import DetectionFolder
    from ssd300.detection.run import DetectionRun


def result_lines(run: "DetectionRun", out: Path) -> Iterator[str]:
    """One line per image; one per video, as it has many frames."""
    from ssd300.detection.output_names import ANNOTATED_IMAGE, ANNOTATED_VIDEO

    annotated = "image" in run.options.save
    videos = run.videos()
    counts = ((name, row["image"], len(row["detections"])) for name, row in run.folder.rows())
    for image, frames in groupby(counts, key=lambda one: one[1]):
        rows = list(frames)
        if image in videos:
            where = out / f"{videos[image]}{ANNOTATED_VIDEO}" if annotated else image
            yield f"{where}: {plural(len(rows), 'frame')}, {plural(sum(count for _, _, count in rows), 'detection')}"
        else:
            for name, _, count in rows:
                yield f"{out / f'{name}{ANNOTATED_IMAGE}' if annotated else image}: {plural(count, 'detection')}"


def pages_noted(run: "DetectionRun") -> list[str]:
    """A line on the images of several pages or frames; none if there are none."""
    from ssd300.images.pages import pages_notes

    return pages_notes([(row["image"], note) for _, row in run.folder.rows() for note in row.get("notes", ())])


def at_the_limit(run: "DetectionRun", top_k: int) -> list[str]:
    """A line on the images that may have more objects than --top-k lets through; none if there are none."""
    full = sum(len(row["detections"]) >= top_k for _, row in run.folder.rows())
    if not full:
        return []
    return [
        f"{plural(full, 'image')} reached the limit of {plural(top_k, 'detection')} per image and may have more: "
        "raise --top-k, or --min-score if these are too many"
    ]


def summary(run: "DetectionRun") -> str:
    new = run.done - run.done_before
    speed = f", {new / run.seconds:.1f} images/s" if run.seconds > 0 else ""
    return f"{plural(new, 'image')} in {run.seconds:.1f} s{speed}; {len(run.folder.skipped)} skipped"


def raise_for_skipped(run: "DetectionRun", folder: "DetectionFolder") -> None:
    if not folder.skipped:
        return
    if len(run.sources) == 1:
        raise run.first_error
    raise DataError(
        f"{len(folder.skipped)} of {len(run.sources)} {'sources' if run.videos() else 'images'} could not be read"
        f"{' as a whole' if run.incomplete else ''}; the others are done",
        where=str(run.sources[min(folder.skipped)]),
        fix="Replace them, or do not name them.",
    )

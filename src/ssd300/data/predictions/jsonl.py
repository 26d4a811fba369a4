"""Our own `detections.jsonl`: a line per image, with all its detections. The row of an image is that of the API too,
and of detection in bulk, where the image is named by `id` and `error` says why it has no detections.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300.boxes import CORNERS
from ssd300.data.predictions.rows import PredictionRows
from ssd300.errors import DataError
from ssd300.types import DetectionTable

BLOCK = 100_000  # detections that are read at a time: some 20 MB
DETECTION_COLUMNS = ("label", "label_id", "score", *CORNERS)  # of a detection where it is one row of a table


def image_row(
    image: str, size_hw: tuple[int, int], detections: Iterable[Mapping[str, Any]], **place: Any
) -> dict[str, Any]:
    """The row of an image; `detections` are rows of `detection_row`. `place` is where a video has the image."""
    height, width = size_hw
    return {"image": image, **place, "width": width, "height": height, "detections": list(detections)}


def detection_row(name: str, label: int, score: float, box_px: Sequence[float]) -> dict[str, Any]:
    """The row of a detection: class name, 0-based class number, score, and the corners, 0-based half-open pixels."""
    return {"label": name, "label_id": label, "score": score, "box": dict(zip(CORNERS, box_px, strict=True))}


def corners_of(detection: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The xyxy of a row of `detection_row`. Raises KeyError, TypeError or ValueError for another one."""
    xmin, ymin, xmax, ymax = (float(detection["box"][name]) for name in CORNERS)
    return (xmin, ymin, xmax, ymax)


def looks_like_jsonl(path: Path) -> bool:
    """Whether the ending or the first line is that of `detections.jsonl`; one object with all images is another."""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        first = lines.readline()
    an_image = first.startswith("{") and '"detections"' in first and '"images"' not in first
    return path.suffix == ".jsonl" or an_image


def jsonl_blocks(path: Path, rows: PredictionRows, *, where: str | None = None) -> Iterator[DetectionTable]:
    """The detections of a file, which messages name `where`, in blocks of whole images. Blank lines are skipped.

    Raises:
        DataError: as `PredictionRows.at` does, or the file has no line: images without detections have lines too.
    """
    empty, file = True, where or str(path)
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                empty = False
                with rows.at(place := f"{file}:{number}"):
                    add_image(json.loads(line), place, rows)
                if len(rows.image_index) >= BLOCK:
                    yield rows.take()
    if empty:
        raise DataError(
            "the file is empty; it has a line per image, also for images without detections",
            where=file,
            fix="Run the detection again.",
        )
    yield rows.take()


def add_image(row: Any, where: str, rows: PredictionRows) -> None:
    """Put all detections of an image's row, which is at `where`, into `rows`. One with an error has none.

    Raises DataError for a second row, or one of another size.
    """
    by_id = isinstance(row, dict) and "image" not in row and "id" in row
    image = rows.place(row["id" if by_id else "image"], where, row.get("height"), row.get("width"))
    if row.get("error") is not None:
        rows.remarks.fail(where, str(row["error"]))
        return
    for number, detection in enumerate(row["detections"], start=1):
        with rows.at(f"{where}, detection {number}"):
            corners = corners_of(detection)
            rows.add(image, rows.label(detection["label"]), (float(detection["score"]), *corners))

"""Detections that were stored by this program or another one, as a table to be scored against annotations.

Knows no metric. VOC's result files, which count pixels from 1 and include the last one, and our own lines are read and
written here; what is one JSON object, and other tools' forms, in `foreign_predictions`. Every fault is named by file
and line, and nothing is dropped in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ssd300 import run_layout
from ssd300.data.predictions.comp4 import PATTERN, read_comp4
from ssd300.data.predictions.foreign import foreign_reader
from ssd300.data.predictions.jsonl import looks_like_jsonl, read_jsonl
from ssd300.data.predictions.rows import OnBadPrediction, PredictionRows
from ssd300.errors import DataError
from ssd300.types import Annotation, DetectionTable

ARCHIVES = (".tar", ".tgz", ".gz", ".xz", ".bz2", ".zip")
UNDERSTOOD = (
    f"a folder of <competition>_det_<split>_<class>.txt (VOC results), {run_layout.DETECTIONS_JSONL} or a folder "
    "that holds it, detections.json, COCO results or COCO annotations with scores (.json), FiftyOne's labels.json, "
    "a folder of YOLO text files with scores, or of VOC's XML files with scores"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredPredictions:
    """`table` in the order of the files; `format` says whose they are; `notes` must be said aloud."""

    table: DetectionTable
    format: str
    notes: tuple[str, ...]


def read_predictions(
    path: Path,
    annotations: Sequence[Annotation],
    classes: Sequence[str],
    *,
    ids_of: Path | None = None,
    on_bad: OnBadPrediction = "error",
) -> StoredPredictions:
    """Read what a detector has stored; which form it has is found out from its content.

    Forms: VOC's result files, our `detections.jsonl` and `detections.json`, COCO results and annotations, FiftyOne's
    labels, YOLO's text files and VOC's XML files, each with scores. `ids_of` is the COCO file that says what the ids
    in COCO results stand for. An image or class without detections is a normal value, and counted in the notes, as is
    all that `on_bad` leaves out.

    Raises:
        DataError: no known form or two at once; and unless `on_bad` skips it an unknown image or class, a row of the
            wrong form, an image twice (in our own forms), or a number that is not finite: with file and line.
    """
    target = PredictionRows(annotations, classes, on_bad)
    result_files = sorted(path.glob(PATTERN)) if path.is_dir() else []
    jsonl = path / run_layout.DETECTIONS_JSONL if path.is_dir() else path
    notes: list[str] = []
    of_a_run = path / run_layout.EVALUATION / run_layout.DETECTIONS_JSONL
    if not result_files and not jsonl.is_file() and of_a_run.is_file():
        jsonl = of_a_run
    if result_files and jsonl.is_file():
        raise DataError(
            f"the folder holds two predictions, VOC results and {run_layout.DETECTIONS_JSONL}",
            where=path,
            fix=f"Name {jsonl}, or move the result files to a folder of their own.",
        )
    if result_files:
        form = "comp4"
        notes += read_comp4(result_files, target)
    elif jsonl.is_file() and looks_like_jsonl(jsonl):
        form = "jsonl"
        read_jsonl(jsonl, target)
    elif (foreign := foreign_reader(path)) is not None:
        form, read = foreign
        notes += read(target, ids_of)
    elif path.exists():
        packed = [file.name for file in sorted(path.glob("*")) if file.suffix in ARCHIVES] if path.is_dir() else []
        first = f"Unpack {packed[0]} first. " if packed else ""
        raise DataError("predictions of an unknown form", where=path, fix=f"{first}Understood: {UNDERSTOOD}.")
    else:
        raise DataError("there is no such file or folder", where=path, fix=f"Name {UNDERSTOOD}.")
    return StoredPredictions(table=target.table(), format=form, notes=(*notes, *target.notes()))

"""Stored detections of this program or another one, as a table to be scored against annotations.

The format is recognized by content: VOC's result files (`comp4`), our own `parts`, or one of `foreign`. A fault
is named by file and line; rows that are skipped are counted. No metric here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssd300 import run_layout
from ssd300.data.predictions.comp4 import PATTERN, read_comp4
from ssd300.data.predictions.foreign import foreign_reader
from ssd300.data.predictions.origin import UNKNOWN, Origin
from ssd300.data.predictions.parts import Parts, find_parts
from ssd300.data.predictions.rows import OnBadPrediction, PredictionRows
from ssd300.errors import DataError
from ssd300.types import Annotation, DetectionTable, join

ARCHIVES = (".tar", ".tgz", ".gz", ".xz", ".bz2", ".zip")
UNDERSTOOD = (
    f"a folder of <competition>_det_<split>_<class>.txt (VOC results), {run_layout.DETECTIONS_JSONL} or a folder "
    "that holds it, Parquet or a folder of parts in Parquet or JSON lines, detections.json, COCO results or COCO "
    "annotations with scores (.json), FiftyOne's labels.json, a folder of YOLO text files, or of "
    "VOC's XML files with scores"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredPredictions:
    """`table` is in the order of the files; `format` is the name of their format; `notes` are to be printed. `rows` are
    how many images have a row, in our own formats.
    """

    table: DetectionTable
    format: str
    notes: tuple[str, ...] = field(repr=False)
    rows: int = field(default=0, repr=False)


def read_predictions(
    path: Path | str,
    annotations: Sequence[Annotation],
    classes: Sequence[str],
    *,
    ids_of: Path | None = None,
    on_bad: OnBadPrediction = "error",
    origin: Origin = UNKNOWN,
) -> StoredPredictions:
    """Read what a detector has stored, in any format of `UNDERSTOOD`. A text is an address of our own formats.

    `ids_of` is the COCO annotations that the ids in COCO results refer to. Images without detections are normal, and
    counted in the notes, as are the rows that `on_bad` skips, and those of images that `origin` knows in other splits.

    Raises:
        DataError: no known format or two at once; and, unless `on_bad` skips it, an unknown image or class, a malformed
            row, a second row for an image (in our own formats), a row for another size than the image's (where a
            format has it: our own, COCO annotations, VOC), or a number that is not finite: with file and line.
    """
    rows = PredictionRows(annotations, classes, on_bad, origin)
    if isinstance(path, str):
        return _of_parts(find_parts(path), path, rows)
    result_files = sorted(path.glob(PATTERN)) if path.is_dir() else []
    parts = find_parts(path, search_run=not result_files) if path.exists() else None
    if result_files and parts is not None:
        raise DataError(
            f"the folder holds two predictions, VOC results and {Path(parts.files[0]).name}",
            where=path,
            fix=f"Name {parts.files[0]}, or move the result files to a folder of their own.",
        )
    notes: list[str] = []
    if result_files:
        format_name = "comp4"
        notes = read_comp4(result_files, rows)
    elif parts is not None:
        return _of_parts(parts, path, rows)
    elif (foreign := foreign_reader(path)) is not None:
        format_name, read = foreign
        notes = read(rows, ids_of)
    else:
        raise _unknown(path)
    table = rows.take()
    return StoredPredictions(table=table, format=format_name, notes=(*notes, *rows.notes()))


def _of_parts(parts: Parts | None, where: Path | str, rows: PredictionRows) -> StoredPredictions:
    if parts is None:
        raise DataError("predictions of an unknown format", where=where, fix=f"Name {UNDERSTOOD}.")
    table = join(list(parts.blocks(rows)))
    return StoredPredictions(table=table, format=parts.format, notes=tuple(rows.notes()), rows=rows.read)


def _unknown(path: Path) -> DataError:
    if not path.exists():
        return DataError("there is no such file or folder", where=path, fix=f"Name {UNDERSTOOD}.")
    packed = [file.name for file in sorted(path.glob("*")) if file.suffix in ARCHIVES] if path.is_dir() else []
    first = f"Unpack {packed[0]} first. " if packed else ""
    return DataError("predictions of an unknown format", where=path, fix=f"{first}Understood: {UNDERSTOOD}.")

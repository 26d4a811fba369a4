"""Detections that were stored by this program or another one, as a table to be scored against annotations.

Knows no metric. VOC's result files, which count pixels from 1 and include the last one, and our own lines are read and
written here; what is one JSON object, and other tools' forms, in `foreign_predictions`. Every fault is named by file
and line, and nothing is dropped in silence.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import numpy as np
from jaxtyping import Float

from ssd300 import run_layout
from ssd300.data.formats.voc_xml import from_voc
from ssd300.data.predictions.foreign import foreign_reader
from ssd300.data.predictions.rows import OnBadPrediction, PredictionRows
from ssd300.errors import DataError
from ssd300.system.files import write_text
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
    result_files = sorted(path.glob("*_det_*.txt")) if path.is_dir() else []
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
        notes += _read_comp4(result_files, target)
    elif jsonl.is_file() and _is_ours(jsonl):
        form = "jsonl"
        _read_jsonl(jsonl, target)
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


def write_comp4(
    folder: Path, split: str, table: DetectionTable, annotations: Sequence[Annotation], classes: Sequence[str]
) -> None:
    """Write `comp4_det_<split>_<class>.txt` for every class, empty ones too; numbers keep every digit.

    Raises:
        DataError: a class or split that cannot be part of a file name.
    """
    boxes = _to_voc(table.boxes_px)
    for label, name in enumerate(classes):
        file_name = f"comp4_det_{split}_{name}.txt"
        if PureWindowsPath(file_name).name != file_name:
            raise DataError(f"'{file_name}' is no file name", where=folder, fix="Rename the class or the split.")
        rows = np.flatnonzero(table.labels == label)
        columns = zip(table.image_index[rows].tolist(), table.scores[rows].tolist(), boxes[rows].tolist(), strict=True)
        lines = [
            f"{annotations[image].image_id} {score!r} {' '.join(map(repr, box))}\n" for image, score, box in columns
        ]
        write_text(folder / file_name, "".join(lines))


def _to_voc(boxes_px: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    boxes: np.ndarray = boxes_px + np.array([1.0, 1.0, 0.0, 0.0])
    return boxes


def _read_comp4(files: Sequence[Path], target: PredictionRows) -> list[str]:
    """Rows of `image score xmin ymin xmax ymax`, a file a class, into `target`."""
    found = set()
    for path in files:
        name = path.stem.split("_det_", 1)[1].split("_", 1)[-1]
        label = None
        with target.at(str(path)):
            label = target.label(name)
        if label is None:  # left out, and noted
            continue
        found.add(name)
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                words = line.rsplit(maxsplit=5)
                if not words:
                    continue
                with target.at(f"{path}:{number}"):
                    if len(words) != 6:
                        raise DataError(f"the row has {len(words)} columns where 6 are needed")
                    score, xmin, ymin, xmax, ymax = map(float, words[1:])
                    target.add(target.image(words[0].strip()), label, (score, *from_voc((xmin, ymin, xmax, ymax))))
    absent = [name for name in target.classes if name not in found]
    return [f"no file, so no detection, of: {', '.join(absent)}"] if absent else []


def _is_ours(path: Path) -> bool:
    """Whether the first line looks like `detections.jsonl`; one object with all images is read elsewhere."""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        first = lines.readline()
    a_image = first.startswith("{") and '"detections"' in first and '"images"' not in first
    return path.suffix == ".jsonl" or a_image


def _read_jsonl(path: Path, target: PredictionRows) -> None:
    """One line an image into `target`."""
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                with target.at(where := f"{path}:{number}"):
                    target.add_image(json.loads(line), where)
    if not target.images:
        raise DataError(
            "the file is empty; it should have a line an image, also where nothing was found",
            where=path,
            fix="Write it again.",
        )

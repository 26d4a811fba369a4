"""The files that `ssd300 detect` writes: annotated images, and detections in formats that other tools read."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ssd300 import run_layout
from ssd300.data.class_lists import crop_folders
from ssd300.data.formats.coco_rows import annotation_row, category_ids, category_rows, image_ids, result_row
from ssd300.data.predictions.jsonl import DETECTION_COLUMNS, corners_of
from ssd300.detection.output_names import ANNOTATED_IMAGE, CLASSES
from ssd300.detection.results import Result
from ssd300.images.encode import write_image
from ssd300.system.files import write_atomically, write_text
from ssd300.types import Annotation, DetectionTable

Output = Literal[
    "image", "jsonl", "json", "csv", "coco", "coco-annotations", "yolo", "yolo-scores", "voc", "comp4", "crops"
]
JPEG_QUALITY = 95
COMP4_SPLIT = "test"
PLACE_COLUMNS = ("frame", "time_s")  # of the frames of a video
TRACK_COLUMN = "track"  # with tracking
Rows = Iterable[Mapping[str, Any]]


def save_image(folder: Path, name: str, result: Result, wanted: Iterable[Output]) -> None:
    """Write the files of one image; `name` is theirs, without an ending. Formats with one file per run are skipped."""
    for output in wanted:
        if output in _PER_IMAGE:
            _PER_IMAGE[output](folder, name, result)


def save_table(
    folder: Path,
    names: Sequence[str],
    rows: Rows,
    classes: Sequence[str],
    wanted: Iterable[Output],
) -> None:
    """Write the files with all images; `rows` are those of `Result.to_dict`, `names` as for `save_image`.

    `rows` is iterated once or twice per format.
    """
    for output in wanted:
        if output in _PER_RUN:
            _PER_RUN[output](folder, names, rows, classes)


def _image(folder: Path, name: str, result: Result) -> None:
    _save_jpeg(result.draw(), folder / f"{name}{ANNOTATED_IMAGE}")


def _save_jpeg(image: Image.Image, path: Path) -> None:
    write_atomically(path, lambda temporary: write_image(temporary, image, "JPEG", quality=JPEG_QUALITY), sync=False)


def _voc(folder: Path, name: str, result: Result) -> None:
    write_text(folder / "voc" / f"{name}.xml", result.to_voc_xml())


def _crops(folder: Path, name: str, result: Result) -> None:
    """The inside of each box, one pixel or more, in a folder per class."""
    height, width = result.pixels.shape[:2]
    folders = dict(zip(result.classes, crop_folders(result.classes), strict=True))
    for number, (label, box) in enumerate(zip(result.names, result.boxes, strict=True), start=1):
        left, top = np.floor(box[:2]).astype(int).clip(0, [width - 1, height - 1])
        right, bottom = np.ceil(box[2:]).astype(int).clip([left + 1, top + 1], [width, height])
        target = folder / "crops" / folders[label]
        _save_jpeg(Image.fromarray(result.pixels[top:bottom, left:right]), target / f"{name}_{number}.jpg")


def _yolo(folder: Path, name: str, result: Result) -> None:
    """Without scores, as labels are."""
    write_text(folder / "yolo" / f"{name}.txt", result.to_yolo(scores=False))


def _yolo_scores(folder: Path, name: str, result: Result) -> None:
    write_text(folder / "yolo-scores" / f"{name}.txt", result.to_yolo())


def _jsonl(folder: Path, _names: Sequence[str], rows: Rows, _classes: Sequence[str]) -> None:
    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    write_atomically(folder / run_layout.DETECTIONS_JSONL, write)


def _json(folder: Path, _names: Sequence[str], rows: Rows, classes: Sequence[str]) -> None:
    content = {"classes": list(classes), "images": list(rows)}
    write_text(folder / "detections.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _csv(folder: Path, _names: Sequence[str], rows: Rows, _classes: Sequence[str]) -> None:
    tracking = any(TRACK_COLUMN in one for row in rows for one in row["detections"])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image", *DETECTION_COLUMNS, *PLACE_COLUMNS, *([TRACK_COLUMN] if tracking else [])))
    for row in rows:
        place = [row.get(column, "") for column in PLACE_COLUMNS]
        for one in row["detections"]:
            more = [*place, one.get(TRACK_COLUMN)] if tracking else place
            writer.writerow((row["image"], one["label"], one["label_id"], one["score"], *corners_of(one), *more))
    write_text(folder / "detections.csv", text.getvalue())


def _coco(folder: Path, names: Sequence[str], rows: Rows, classes: Sequence[str]) -> None:
    """COCO results, and a file beside them with the images and categories that their ids mean."""
    from ssd300.data.predictions.foreign import COCO_RESULTS, IDS_BESIDE  # it imports the readers of all formats

    images: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    numbers = category_ids(classes)
    for image_id, row in zip(image_ids(names), rows, strict=True):
        images.append(_coco_image(image_id, row))
        for one in row["detections"]:
            results.append(result_row(image_id, numbers[one["label_id"]], corners_of(one), one["score"]))
    categories = [{"id": number, "name": name} for number, name in zip(numbers, classes, strict=True)]
    ids = {"images": images, "categories": categories, "annotations": []}
    write_text(folder / IDS_BESIDE, json.dumps(ids, ensure_ascii=False) + "\n")
    write_text(folder / COCO_RESULTS, json.dumps(results, ensure_ascii=False) + "\n")


def _coco_image(image_id: int | str, row: Mapping[str, Any]) -> dict[str, Any]:
    place = {key: row[key] for key in PLACE_COLUMNS if key in row}
    return {"id": image_id, "file_name": row["image"], "width": row["width"], "height": row["height"], **place}


def _coco_annotations(folder: Path, _names: Sequence[str], rows: Rows, classes: Sequence[str]) -> None:
    """COCO annotations, each with its score; ids count from 1."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        images.append(_coco_image(number, row))
        for one in row["detections"]:
            box, row_id = corners_of(one), len(annotations) + 1
            annotations.append(annotation_row(row_id, number, one["label_id"], box, score=one["score"]))
    content = {"images": images, "categories": category_rows(classes), "annotations": annotations}
    write_text(folder / "coco_annotations.json", json.dumps(content, ensure_ascii=False) + "\n")


def _comp4(folder: Path, names: Sequence[str], rows: Rows, classes: Sequence[str]) -> None:
    """VOC's result files; an image has the name of its other files."""
    from ssd300.data.predictions.comp4 import write_comp4

    items = [(number, one) for number, row in enumerate(rows) for one in row["detections"]]
    table = DetectionTable(
        image_index=np.array([number for number, _ in items], dtype=np.int64),
        labels=np.array([one["label_id"] for _, one in items], dtype=np.int64),
        scores=np.array([one["score"] for _, one in items], dtype=np.float64),
        boxes_px=np.array([corners_of(one) for _, one in items], dtype=np.float64).reshape(-1, 4),
    )
    annotations = [
        Annotation(
            image_id=name,
            image_path=Path(row["image"]),
            size_hw=(row["height"], row["width"]),
            boxes_px=np.zeros((0, 4)),
            labels=np.zeros(0, np.int64),
            difficult=np.zeros(0, bool),
        )
        for name, row in zip(names, rows, strict=True)
    ]
    write_comp4(folder / run_layout.COMP4, COMP4_SPLIT, table, annotations, classes)


def _classes_file(folder: Path, classes: Sequence[str]) -> None:
    write_text(folder / f"{CLASSES}.txt", "".join(f"{name}\n" for name in classes))


_PER_IMAGE: Mapping[Output, Callable[[Path, str, Result], None]] = {
    "image": _image,
    "voc": _voc,
    "crops": _crops,
    "yolo": _yolo,
    "yolo-scores": _yolo_scores,
}
_PER_RUN: Mapping[Output, Callable[[Path, Sequence[str], Rows, Sequence[str]], None]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "coco": _coco,
    "coco-annotations": _coco_annotations,
    "comp4": _comp4,
    "yolo": lambda folder, _names, _rows, classes: _classes_file(folder / "yolo", classes),
    "yolo-scores": lambda folder, _names, _rows, classes: _classes_file(folder / "yolo-scores", classes),
}

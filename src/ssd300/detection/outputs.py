"""What `ssd300 detect` writes: annotated images and detections in the forms that other tools read."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ssd300 import run_layout
from ssd300.data.predictions.comp4 import write_comp4
from ssd300.detection.output_names import ANNOTATED_IMAGE, CLASSES
from ssd300.detection.results import Result
from ssd300.system.files import write_atomically, write_text
from ssd300.types import Annotation, DetectionTable

Output = Literal["image", "jsonl", "json", "csv", "coco", "yolo", "voc", "comp4", "crops"]
JPEG_QUALITY = 95
COMP4_SPLIT = "test"
Rows = Iterable[Mapping[str, Any]]


def save_image(folder: Path, name: str, result: Result, wanted: Iterable[Output]) -> None:
    """The files of one image; `name` is theirs, without an ending. Forms of all images together are left out."""
    for form in wanted:
        if form in _PER_IMAGE:
            _PER_IMAGE[form](folder, name, result)


def save_table(
    folder: Path,
    names: Sequence[str],
    rows: Rows,
    classes: Sequence[str],
    wanted: Iterable[Output],
) -> None:
    """The files of all images together; `rows` are as `Result.to_dict` gives them, `names` as for `save_image`.

    `rows` is gone through once for each form.
    """
    for form in wanted:
        if form in _PER_RUN:
            _PER_RUN[form](folder, names, rows, classes)


def _image(folder: Path, name: str, result: Result) -> None:
    result.draw().save(folder / f"{name}{ANNOTATED_IMAGE}", quality=JPEG_QUALITY)


def _voc(folder: Path, name: str, result: Result) -> None:
    write_text(folder / "voc" / f"{name}.xml", result.to_voc_xml())


def _crops(folder: Path, name: str, result: Result) -> None:
    """What is inside each box, at least a pixel, in a folder a class."""
    height, width = result.pixels.shape[:2]
    for number, (label, box) in enumerate(zip(result.names, result.boxes, strict=True), start=1):
        left, top = np.floor(box[:2]).astype(int).clip(0, [width - 1, height - 1])
        right, bottom = np.ceil(box[2:]).astype(int).clip([left + 1, top + 1], [width, height])
        target = folder / "crops" / (re.sub(r"[^\w .-]", "_", label).strip(". ") or "_")
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(result.pixels[top:bottom, left:right]).save(
            target / f"{name}_{number}.jpg", quality=JPEG_QUALITY
        )


def _yolo(folder: Path, name: str, result: Result) -> None:
    """Six columns, the last one the score."""
    height, width = result.size_hw
    lines = []
    for label, score, (left, top, right, bottom) in zip(
        result.labels.tolist(), result.scores.tolist(), result.boxes.tolist(), strict=True
    ):
        box = ((left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height)
        lines.append(" ".join(map(str, (label, *box, score))) + "\n")
    write_text(folder / "yolo" / f"{name}.txt", "".join(lines))


def _jsonl(folder: Path, _names: Sequence[str], rows: Rows, _classes: Sequence[str]) -> None:
    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    write_atomically(folder / run_layout.DETECTIONS_JSONL, write)


def _json(folder: Path, _names: Sequence[str], rows: Rows, classes: Sequence[str]) -> None:
    content = {"classes": list(classes), "images": list(rows)}
    write_text(folder / "detections.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _csv(folder: Path, _names: Sequence[str], rows: Rows, _classes: Sequence[str]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image", "label", "label_id", "score", "xmin", "ymin", "xmax", "ymax", "frame", "time_s"))
    for row in rows:
        for one in row["detections"]:
            place = row.get("frame", ""), row.get("time_s", "")
            writer.writerow((row["image"], one["label"], one["label_id"], one["score"], *one["box"].values(), *place))
    write_text(folder / "detections.csv", text.getvalue())


def _coco(folder: Path, _names: Sequence[str], rows: Rows, classes: Sequence[str]) -> None:
    """COCO's annotations, each with its score; ids count from 1."""
    images: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        place = {key: row[key] for key in ("frame", "time_s") if key in row}  # of a video
        size = {"width": row["width"], "height": row["height"]}
        images.append({"id": number, "file_name": row["image"], **size, **place})
        for one in row["detections"]:
            left, top, right, bottom = one["box"].values()
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": number,
                    "category_id": one["label_id"] + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                    "score": one["score"],
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, start=1)]
    content = {"images": images, "categories": categories, "annotations": found}
    write_text(folder / "coco.json", json.dumps(content, ensure_ascii=False) + "\n")


def _comp4(folder: Path, names: Sequence[str], rows: Rows, classes: Sequence[str]) -> None:
    """VOC's result files; an image is named as its other files are."""
    items = [(number, one) for number, row in enumerate(rows) for one in row["detections"]]
    table = DetectionTable(
        image_index=np.array([number for number, _ in items], dtype=np.int64),
        labels=np.array([one["label_id"] for _, one in items], dtype=np.int64),
        scores=np.array([one["score"] for _, one in items], dtype=np.float64),
        boxes_px=np.array([list(one["box"].values()) for _, one in items], dtype=np.float64).reshape(-1, 4),
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


def _classes_file(folder: Path, _names: Sequence[str], _rows: Rows, classes: Sequence[str]) -> None:
    write_text(folder / "yolo" / f"{CLASSES}.txt", "".join(f"{name}\n" for name in classes))


_PER_IMAGE: Mapping[Output, Callable[[Path, str, Result], None]] = {
    "image": _image,
    "voc": _voc,
    "crops": _crops,
    "yolo": _yolo,
}
_PER_RUN: Mapping[Output, Callable[[Path, Sequence[str], Rows, Sequence[str]], None]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "coco": _coco,
    "comp4": _comp4,
    "yolo": _classes_file,
}

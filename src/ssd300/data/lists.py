"""The seed's data lists: five JSON files that name pictures and their objects.

In these files every corner is one less than VOC's, so xmax and ymax are the last pixel; the seed's own rule.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from ssd300.data.dataset import Dataset
from ssd300.files import write_json
from ssd300.types import Annotation

LIST_FILES = ("TRAIN_images.json", "TRAIN_objects.json", "TEST_images.json", "TEST_objects.json", "label_map.json")


def write_lists(
    folder: Path, train: list[Dataset], test: list[Dataset], *, home: Path, absolute_paths: bool = False
) -> dict[str, Any]:
    """Write the lists and `data.json` into `folder`; paths are relative to `home`, where they will lie.

    Answers what `data.json` says: counts and hashes. All data sets must have the same classes.
    """
    classes = (train or test)[0].classes
    label_map = {name: label for label, name in enumerate(classes, start=1)} | {"background": 0}
    summary: dict[str, Any] = {"classes": list(classes)}
    for name, parts in (("TRAIN", train), ("TEST", test)):
        images = [_path(a.image_path, home, absolute_paths) for part in parts for a in part.annotations]
        objects = [_objects(a) for part in parts for a in part.annotations]
        write_json(folder / f"{name}_images.json", images, indent=None)
        write_json(folder / f"{name}_objects.json", objects, indent=None)
        summary[name.lower()] = {
            "images": len(images),
            "objects": sum(len(item["boxes"]) for item in objects),
            "objects_per_class": {label: sum(part.objects_per_class()[label] for part in parts) for label in classes},
            "dropped": {key: sum(part.dropped.get(key, 0) for part in parts) for key in ("boxes", "images")},
        }
    write_json(folder / "label_map.json", label_map, indent=None)
    summary["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in LIST_FILES}
    write_json(folder / "data.json", summary)
    return summary


def _path(image: Path, home: Path, absolute: bool) -> str:
    whole = image.resolve()
    return str(whole) if absolute else Path(os.path.relpath(whole, home.resolve())).as_posix()


def _objects(annotation: Annotation) -> dict[str, list[Any]]:
    corners = annotation.boxes_px.tolist()
    return {
        "boxes": [[_number(value) for value in (x1, y1, x2 - 1, y2 - 1)] for x1, y1, x2, y2 in corners],
        "labels": (annotation.labels + 1).tolist(),
        "difficulties": annotation.difficult.astype(int).tolist(),
    }


def _number(value: float) -> int | float:
    """Integers as the seed writes them; the few real fractions of VOC2012 are kept."""
    return int(value) if value == int(value) else value

"""The seed's data lists, written and read: five JSON files that name pictures and their objects.

In these files every corner is one less than VOC's, so xmax and ymax are the last pixel; the seed's own rule.
"""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from ssd300.data.dataset import Dataset
from ssd300.data.labels import (
    Corners,
    LabelledObject,
    LabelledPicture,
    LabelledPictures,
    NoSplitError,
    Purpose,
    box_fault,
)
from ssd300.errors import DataError
from ssd300.files import write_json
from ssd300.types import Annotation

LABEL_MAP = "label_map.json"
PARTS: dict[Purpose, str] = {"train": "TRAIN", "test": "TEST"}
SPLIT_NAMES = {"train": "TRAIN", "trainval": "TRAIN", "test": "TEST", "val": "TEST"}
AGAIN = "Write the lists again with `ssd300 prepare`."
LIST_FILES = ("TRAIN_images.json", "TRAIN_objects.json", "TEST_images.json", "TEST_objects.json", LABEL_MAP)


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
    write_json(folder / LABEL_MAP, label_map, indent=None)
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


def has_lists(folder: Path) -> bool:
    return (folder / LABEL_MAP).is_file() and any((folder / f"{part}_images.json").is_file() for part in PARTS.values())


def read_lists(folder: Path, split: str | None, purpose: Purpose, *, require_images: bool) -> LabelledPictures:
    """The pictures and objects of one of the two lists. Paths that are not absolute start at the lists' folder.

    Raises:
        DataError: no such list, or a list that is not of the seed's form: with file and entry.
    """
    part = PARTS[purpose] if split is None else SPLIT_NAMES.get(split.casefold())
    if part is None:
        raise DataError(f"lists have no split '{split}'", where=folder, fix="Use --split train or --split test.")
    if not (folder / f"{part}_images.json").is_file():
        raise NoSplitError(f"there is no list {part}_images.json to {purpose} on", where=folder, fix=AGAIN)
    names = _read_label_map(folder / LABEL_MAP)
    images_file, objects_file = folder / f"{part}_images.json", folder / f"{part}_objects.json"
    images, objects = _read_json(images_file, list), _read_json(objects_file, list)
    if len(images) != len(objects):
        raise DataError(
            f"it has {len(objects)} entries where {images_file.name} has {len(images)}", where=objects_file, fix=AGAIN
        )
    paths = [folder / _checked_path(path, f"{images_file}, entry {n}") for n, path in enumerate(images, start=1)]
    stems = Counter(path.stem for path in paths)
    pictures = [
        LabelledPicture(
            image_id=path.stem if stems[path.stem] == 1 else f"{path.parent.parent.name}/{path.stem}",
            image_path=path if not require_images or path.is_file() else None,
            size_hw=None,
            objects=_listed_objects(entry, names, f"{objects_file}, entry {n}"),
            where=f"{objects_file}, entry {n} ({path})",
        )
        for n, (path, entry) in enumerate(zip(paths, objects, strict=True), start=1)
    ]
    note = f"{folder.name}: the seed's lists (it has {LABEL_MAP}), {purpose}s on {part}"
    return LabelledPictures(
        pictures=pictures, split=part, notes=(note,), classes=tuple(names[1:]), all_names=lambda: set(names[1:])
    )


def _read_label_map(path: Path) -> list[str]:
    """Names by label, background first."""
    label_map = _read_json(path, dict)
    names = {label: name for name, label in label_map.items()} | {0: "background"}
    if sorted(names) != list(range(len(names))) or len(label_map) < len(names) - 1:
        raise DataError(
            "the labels are not 1, 2, 3… with background 0",
            where=path,
            fix="Correct the map, or write the lists again.",
        )
    return [names[label] for label in range(len(names))]


def _read_json(path: Path, kind: type) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise DataError("there is no such list", where=path, fix=AGAIN) from error
    except (OSError, ValueError) as error:
        raise DataError(f"the list cannot be read ({error})", where=path, fix=AGAIN) from error
    if not isinstance(value, kind):
        raise DataError(f"the list is no JSON {kind.__name__}", where=path, fix=AGAIN)
    return value


def _checked_path(path: Any, where: str) -> str:
    if not isinstance(path, str):
        raise DataError("the entry is no path", where=where, fix=AGAIN)
    return path


def _listed_objects(entry: Any, names: list[str], where: str) -> tuple[LabelledObject, ...]:
    try:
        rows = list(zip(entry["boxes"], entry["labels"], entry["difficulties"], strict=True))
        return tuple(
            _listed_object(box, names[int(label)], bool(difficult)) for box, label, difficult in rows if label > 0
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(
            "the entry is not {boxes: [[4 numbers]…], labels: […], difficulties: […]} of one length, with the label "
            f"map's labels ({type(error).__name__}: {error})",
            where=where,
            fix=AGAIN,
        ) from error


def _listed_object(box: Any, name: str, difficult: bool) -> LabelledObject:
    xmin, ymin, xmax, ymax = map(float, box)
    box_px: Corners = (xmin, ymin, xmax + 1, ymax + 1)  # all four are one less than VOC's; see the top of the file
    return LabelledObject(
        name=name, box_px=box_px, difficult=difficult, fault=box_fault(box_px, None, (xmin, ymin, xmax, ymax))
    )

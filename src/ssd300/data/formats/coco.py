"""COCO annotations: a JSON file per split, as COCO itself, Roboflow and most annotation tools lay them out.

Boxes are (x, y, width, height) of a continuous plane, so no pixel is added or subtracted.
"""

import json
import math
import os
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300.data.choices import Purpose
from ssd300.data.formats.annotations import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Corners,
    NoSplitError,
    box_fault,
    cut_at_border,
    unique_ids,
)
from ssd300.errors import DataError

ROBOFLOW = "_annotations.coco.json"
PREFIX = "instances_"
BEGINNINGS: Mapping[Purpose, tuple[str, ...]] = {"train": ("trainval", "train"), "test": ("test", "val")}
AGAIN = "Correct the file, or export it again."


def find_coco(path: Path) -> Path | None:
    """The first annotation file at `path`."""
    return next(iter(coco_files(path).values()), None)


def coco_splits(path: Path) -> list[str]:
    return list(coco_files(path))


def coco_files(path: Path) -> dict[str, Path]:
    """The annotation files at `path`, a file or a folder, by the name of their split. None found gives {}."""
    if path.is_file():
        return {_split_name(path): path} if _looks_like_coco(path) else {}
    exported = sorted(path.glob(f"*/{ROBOFLOW}"))
    if exported:
        return {file.parent.name: file for file in exported}
    for folder in (path / "annotations", path):
        files = [file for file in sorted(folder.glob("*.json")) if _looks_like_coco(file)]
        files = [file for file in files if file.name.startswith(PREFIX)] or files  # not captions, not keypoints
        if files:
            return {_split_name(file): file for file in files}
    return {}


def read_coco(path: Path, split: str | None, purpose: Purpose, *, require_images: bool) -> AnnotatedImages:
    """The images of one annotation file of `path`, by their ids. Crowd regions are marked, and difficult as in Caffe.

    Raises:
        DataError: the split is absent, or the file is not COCO annotations: with file and entry.
    """
    files = coco_files(path)
    name = _choose_split(files, split, purpose, path)
    file = files[name]
    content = _read(file)
    names, notes = _categories(content["categories"], content["annotations"], file)
    images = _in_order_of_ids(_by_id(content["images"], f"{file}, images"))
    objects = _objects_by_image(content["annotations"], images, names, file)
    listed = [_file_name(entry, file) for entry in images.values()]
    roots = _image_roots(file, name)
    crowds = sum(item.crowd for items in objects.values() for item in items)
    if crowds:
        notes.append(f"{crowds} crowd region(s) are read as difficult objects")
    return AnnotatedImages(
        images=[
            AnnotatedImage(
                image_id=image_id,
                image_path=_image_path(roots, relative, required=require_images),
                size_hw=_size(entry),
                objects=tuple(objects[key]),
                where=f"{file}, image {key} ({relative})",
            )
            for (key, entry), relative, image_id in zip(images.items(), listed, unique_ids(listed), strict=True)
        ],
        split=name,
        notes=(f"{path.name}: COCO annotations ({file.name}), split '{name}'", *notes),
        classes=tuple(names.values()),
        all_names=lambda: set(names.values()),
        find_images=f"Put them into one of {', '.join(dict.fromkeys(map(str, roots)))}.",
    )


def category_rows(classes: Sequence[str]) -> list[dict[str, Any]]:
    """The `categories` of COCO annotations; ids count from 1."""
    return [{"id": number, "name": name} for number, name in enumerate(classes, start=1)]


def annotation_row(
    row_id: int, image_id: int, label: int, box_px: Sequence[float], *, crowd: bool = False, **more: Any
) -> dict[str, Any]:
    """An entry of COCO's `annotations`; `label` is 0-based, `box_px` xyxy. `more` are keys that COCO does not have."""
    xmin, ymin, xmax, ymax = box_px
    return {
        "id": row_id,
        "image_id": image_id,
        "category_id": label + 1,
        "bbox": to_xywh(box_px),
        "area": (xmax - xmin) * (ymax - ymin),
        "iscrowd": int(crowd),
        **more,
    }


def result_row(image_id: int | str, label: int, box_px: Sequence[float], score: float) -> dict[str, Any]:
    """An entry of COCO results, a detection; `label` is 0-based, `box_px` xyxy."""
    return {"image_id": image_id, "category_id": label + 1, "bbox": to_xywh(box_px), "score": score}


def to_xywh(box_px: Sequence[float]) -> list[float]:
    """From xyxy to COCO's `bbox`: left, top, width, height."""
    xmin, ymin, xmax, ymax = box_px
    return [xmin, ymin, xmax - xmin, ymax - ymin]


def from_xywh(x: float, y: float, width: float, height: float) -> Corners:
    """The inverse of `to_xywh`."""
    return (x, y, x + width, y + height)


def _looks_like_coco(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            if not stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
                return False
            stream.seek(0)
            return file.suffix == ".json" and b'"categories"' in stream.read()
    except OSError:
        return False


def _split_name(file: Path) -> str:
    return file.parent.name if file.name == ROBOFLOW else file.stem.removeprefix(PREFIX)


def _choose_split(files: Mapping[str, Path], split: str | None, purpose: Purpose, path: Path) -> str:
    if split is not None and split in files:
        return split
    if split is None and len(files) == 1:
        return next(iter(files))
    if split is None:
        for beginning in BEGINNINGS[purpose]:
            for name in files:
                if name.casefold().startswith(beginning):
                    return name
    wanted = split or " or ".join(f"{beginning}…" for beginning in BEGINNINGS[purpose])
    kind = DataError if split is not None else NoSplitError
    raise kind(
        f"there is no split to {purpose} on ({wanted})",
        where=path,
        fix=f"Splits here: {', '.join(files)}. Name one with --split.",
    )


def _read(file: Path) -> dict[str, list[Any]]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"the annotations cannot be read ({error})", where=file, fix=AGAIN) from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise DataError(f"it has no list '{key}', as COCO annotations have", where=file, fix=AGAIN)
    return content  # type: ignore[no-any-return]  # JSON


def _by_id(entries: Sequence[Any], where: str) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(entries, start=1):
        key = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(key, (int, str)):
            raise DataError("the entry has no id", where=f"{where}, entry {number}", fix=AGAIN)
        if key in found:
            raise DataError(f"the id {key} is listed twice", where=f"{where}, entry {number}", fix=AGAIN)
        found[key] = entry
    return found


def _in_order_of_ids(entries: Mapping[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """As pycocotools orders images; the order decides between equal scores in COCO's metric. Numbers before texts."""
    return {key: entries[key] for key in sorted(entries, key=lambda key: (isinstance(key, str), key))}


def _categories(entries: Sequence[Any], annotations: Sequence[Any], file: Path) -> tuple[dict[Any, str], list[str]]:
    """Names by id, in the order of the ids, without Roboflow's first category that only groups the others."""
    categories = _in_order_of_ids(_by_id(entries, f"{file}, categories"))
    used = {entry.get("category_id") for entry in annotations if isinstance(entry, dict)
            and isinstance(entry.get("category_id"), (int, str))}  # fmt: skip
    names: dict[Any, str] = {}
    notes = []
    parents = {entry.get("supercategory") for entry in categories.values()}
    for key, category in categories.items():
        name = category.get("name")
        if not isinstance(name, str) or not name.strip():
            raise DataError("the category has no name", where=f"{file}, category {key}", fix=AGAIN)
        if key not in used and name in parents and category.get("supercategory") == "none":
            notes.append(f"the category '{name}' has no objects and only groups the others: skipped")
            continue
        names[key] = name.strip()
    if twice := [name for name, count in Counter(names.values()).items() if count > 1]:
        raise DataError(f"two categories are called '{twice[0]}'", where=file, fix=AGAIN)
    return names, notes


def _objects_by_image(
    entries: Sequence[Any], images: Mapping[Any, Mapping[str, Any]], names: Mapping[Any, str], file: Path
) -> dict[Any, list[AnnotatedObject]]:
    """The objects of each image, by its id; [] for one without."""
    objects: dict[Any, list[AnnotatedObject]] = {key: [] for key in images}
    for number, entry in enumerate(entries, start=1):
        where = f"{file}, annotation {entry.get('id', number) if isinstance(entry, dict) else number}"
        owner = entry.get("image_id") if isinstance(entry, dict) else None
        if isinstance(owner, (list, dict)) or owner not in objects:
            raise DataError(f"there is no image with the id {reprlib.repr(owner)}", where=where, fix=AGAIN)
        objects[owner].append(_object(entry, images[owner], names, where))
    return objects


def _object(
    entry: Mapping[str, Any], image: Mapping[str, Any], names: Mapping[Any, str], where: str
) -> AnnotatedObject:
    category = entry.get("category_id")
    if isinstance(category, (list, dict)) or category not in names:
        raise DataError(f"there is no category with the id {reprlib.repr(category)}", where=where, fix=AGAIN)
    box_px, size_hw = _corners(entry.get("bbox")), _size(image)
    fault = box_fault(box_px, size_hw, box_px)
    crowd = entry.get("iscrowd", 0) == 1
    return AnnotatedObject(
        name=names[category],
        box_px=box_px if fault or size_hw is None else cut_at_border(box_px, size_hw),
        difficult=crowd or entry.get("difficult", 0) == 1,
        crowd=crowd,
        fault=fault,
    )


def _corners(bbox: Any) -> Corners:
    """NaN where the box is missing or not four numbers."""
    try:
        x, y, width, height = (float(value) for value in bbox)
    except (TypeError, ValueError, OverflowError):
        return (math.nan,) * 4
    return from_xywh(x, y, width, height)


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    height, width = image.get("height"), image.get("width")
    if isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0:
        return height, width
    return None


def _file_name(entry: Mapping[str, Any], file: Path) -> str:
    name = entry.get("file_name")
    where = f"{file}, image {entry['id']}"
    if not isinstance(name, str) or not name:
        raise DataError("the image has no file_name", where=where, fix=AGAIN)
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DataError(f"the file name '{name}' leads out of the folder", where=where, fix=AGAIN)
    return name


def _image_roots(file: Path, split: str) -> list[Path]:
    """Where COCO, Roboflow and others store the images of an annotation file."""
    home, above = file.parent, file.parent.parent
    return [home, home / "images", home / split, above / split, above / "images" / split, above / "images", above]


def _image_path(roots: Sequence[Path], relative: str, *, required: bool) -> Path | None:
    for root in roots:
        if os.path.isfile(root / relative):  # noqa: PTH113  # no error for any text
            return root / relative
    return None if required else roots[0] / relative

"""The rows of COCO's JSON files, as they are written: categories, annotations and results."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ssd300.data.formats.annotations import Corners

UNUSED_IDS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)  # in COCO's instances_train2017.json


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


def category_ids(classes: Sequence[str]) -> list[int]:
    """The `category_id` of each class in COCO results: COCO's own, with gaps, for its classes, else from 1."""
    ids = list(range(1, len(classes) + 1))
    if len(classes) == 80 and (classes[0], classes[-1]) == ("person", "toothbrush"):
        ids = [number for number in range(1, 80 + len(UNUSED_IDS) + 1) if number not in UNUSED_IDS]
    return ids


def result_row(image_id: int | str, category_id: int, box_px: Sequence[float], score: float) -> dict[str, Any]:
    """An entry of COCO results, a detection; `box_px` is xyxy."""
    return {"image_id": image_id, "category_id": category_id, "bbox": to_xywh(box_px), "score": score}


def image_ids(names: Sequence[str]) -> list[int | str]:
    """The `image_id` of each image by its unique name without an ending: the number, if it is one, as in COCO's own
    images, else the name. Names that are the same number, such as 7 and 007, stay names.
    """
    numbers = [int(name) if name.isascii() and name.isdecimal() else name for name in names]
    counts = Counter(numbers)
    return [number if counts[number] == 1 else name for number, name in zip(numbers, names, strict=True)]


def to_xywh(box_px: Sequence[float]) -> list[float]:
    """From xyxy to COCO's `bbox`: left, top, width, height."""
    xmin, ymin, xmax, ymax = box_px
    return [xmin, ymin, xmax - xmin, ymax - ymin]


def from_xywh(x: float, y: float, width: float, height: float) -> Corners:
    """The inverse of `to_xywh`."""
    return (x, y, x + width, y + height)

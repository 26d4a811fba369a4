"""COCO's average precision and its eleven other numbers, by faster-coco-eval (the extra `coco`).

Does not know files and models. COCO has no difficult objects, so they count like others. Crowd regions are ignored, as
COCO ignores them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from ssd300.errors import UsageError, install_hint
from ssd300.metrics.voc import ClassResult
from ssd300.types import Annotation, DetectionTable

NAME = "coco_ap@0.50:0.95"
NUMBERS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
           "AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large")  # fmt: skip
_NO_CURVE = np.zeros(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class CocoResult:
    """`numbers` are COCO's twelve (0..1) by name, None where no object has that size; `per_class` has the APs."""

    numbers: dict[str, float | None]
    per_class: list[ClassResult] = field(repr=False)


def coco_average_precision(
    annotations: Sequence[Annotation], detections: DetectionTable, num_classes: int
) -> CocoResult:
    """COCO's metric of boxes: IoU 0.50 to 0.95, 101 recalls, the MOST_OF_A_CLASS best detections per image and class.

    The order of `annotations` stands for that of COCO's image ids, by which pycocotools sorts: of equal scores in two
    images the one in the first image comes first.

    Boxes are half-open, so a width is the difference of the corners, as in COCO.

    Raises:
        UsageError: the extra `coco` is not installed.
        ValueError: a score is NaN or a box is not finite.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError as error:
        raise UsageError("COCO's metric needs faster-coco-eval", fix=install_hint("coco")) from error
    check_finite(detections)
    objects = _objects(annotations)
    truth = COCO(_content(len(annotations), num_classes, objects), print_function=_silent)
    judged = COCOeval_faster(truth, truth.loadRes(_results(detections)), iouType="bbox", print_function=_silent)
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    precision = judged.eval["precision"][:, :, :, 0, -1]  # thresholds, recalls, classes; all sizes, most detections
    numbers = {name: None if value < 0 else float(value) for name, value in zip(NUMBERS, judged.stats, strict=False)}
    return CocoResult(numbers=numbers, per_class=_per_class(precision, objects, detections))


def check_finite(detections: DetectionTable) -> None:
    """Raises ValueError for a score or box that is not finite."""
    rows = np.column_stack([detections.scores, detections.boxes_px])
    if not np.isfinite(rows).all():
        row = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise ValueError(f"detection row {row}: score and box are {rows[row]}, expected finite numbers")


def _objects(annotations: Sequence[Annotation]) -> list[dict[str, Any]]:
    """The list "annotations" of a COCO file."""
    objects = [
        _entry(image, label, box) | {"id": 0, "iscrowd": int(crowd)}
        for image, annotation in enumerate(annotations)
        for label, box, crowd in zip(
            *map(_plain, (annotation.labels, annotation.boxes_px, annotation.crowd)), strict=True
        )
    ]
    for number, entry in enumerate(objects, start=1):
        entry["id"] = number
    return objects


def _content(num_images: int, num_classes: int, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """A COCO file."""
    return {
        "info": {},
        "images": [{"id": image} for image in range(num_images)],
        "categories": [{"id": label, "name": str(label)} for label in range(num_classes)],
        "annotations": objects,
    }


def _results(detections: DetectionTable) -> list[dict[str, Any]]:
    """COCO's results file."""
    columns = (detections.image_index, detections.labels, detections.scores, detections.boxes_px)
    return [
        _entry(image, label, box) | {"score": score}
        for image, label, score, box in zip(*map(_plain, columns), strict=True)
    ]


def _per_class(
    precision: Float[np.ndarray, "thresholds recalls classes"],
    objects: list[dict[str, Any]],
    detections: DetectionTable,
) -> list[ClassResult]:
    num_classes = precision.shape[2]
    objects_of = np.bincount([e["category_id"] for e in objects if not e["iscrowd"]], minlength=num_classes)
    detections_of = np.bincount(detections.labels, minlength=num_classes)
    return [
        ClassResult(
            ap=float(precision[:, :, label].mean()) if objects_of[label] else None,
            objects=int(objects_of[label]),
            difficult=0,
            detections=int(detections_of[label]),
            recall=_NO_CURVE,
            precision=_NO_CURVE,
            scores=_NO_CURVE,
        )
        for label in range(num_classes)
    ]


def _plain(column: np.ndarray) -> list[Any]:
    values: list[Any] = column.tolist()
    return values


def _entry(image: int, label: int, box: list[float]) -> dict[str, Any]:
    xmin, ymin, xmax, ymax = box
    width, height = xmax - xmin, ymax - ymin
    return {
        "image_id": image,
        "category_id": label,
        "bbox": [xmin, ymin, width, height],
        "area": width * height,
    }


def _silent(*_: object) -> None:
    pass

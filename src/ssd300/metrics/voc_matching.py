"""Which detections are true, false or ignored: the matching of VOCevaldet.m, without its loop over detections.

Knows neither files nor models. This is the only place that counts pixels as VOC does: 1-based with both ends included,
so a width is one more than the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.types import Annotation, DetectionTable


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """One class: its detections that count, best score first, and its objects.

    `images` and `true` have a row a detection that did not meet a difficult object; `objects` counts those that count,
    a number an image. `difficult` are the other objects, `detections` all of the class.
    """

    images: Int[np.ndarray, " n"]
    true: Bool[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    objects: Int[np.ndarray, " images"]
    difficult: int
    detections: int


def judge(
    annotations: Sequence[Annotation], detections: DetectionTable, num_classes: int, rules: VocRules = DEVKIT
) -> list[Judged]:
    """Judge the detections of each class.

    A detection belongs to the object of its class and image that it overlaps most, difficult ones included and the
    first of equals. If it overlaps it enough it is ignored where that object is difficult, true if it is the first by
    score to reach it, and false otherwise, even where another object is free. Equal scores keep the table's order.
    So it is by the development kit's `rules`.

    Raises:
        ValueError: a row whose score is NaN, whose box is not finite, or whose image or label does not exist.
    """
    _check_rows(detections, len(annotations), num_classes)
    per_image = np.array([len(annotation) for annotation in annotations], dtype=np.int64)
    images = np.repeat(np.arange(len(annotations)), per_image)
    boxes = np.concatenate([np.zeros((0, 4)), *(annotation.boxes_px for annotation in annotations)])
    labels = np.concatenate([np.zeros(0, np.int64), *(annotation.labels for annotation in annotations)])
    difficult = np.concatenate([np.zeros(0, bool), *(annotation.difficult for annotation in annotations)])
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(f"annotation labels lie in {labels.min()}..{labels.max()}, expected 0..{num_classes - 1}")
    if rules.difficult == "dropped":
        images, boxes, labels = images[~difficult], boxes[~difficult], labels[~difficult]
    if rules.difficult != "ignored":
        difficult = np.zeros(len(labels), bool)

    objects_of, detections_of = _rows_by_label(labels, num_classes), _rows_by_label(detections.labels, num_classes)
    judged = []
    for label in range(num_classes):
        objects, rows = objects_of[label], detections_of[label]
        rows = rows[np.argsort(-detections.scores[rows], kind="stable")]
        first_object = np.searchsorted(images[objects], np.arange(len(annotations) + 1))  # of each image
        best = _best_objects(detections, rows, boxes[objects], first_object, rules)
        true, counted = _judge(best, difficult[objects])
        countable = objects[~difficult[objects]]
        judged.append(
            Judged(
                images=detections.image_index[rows[counted]],
                true=true[counted],
                scores=detections.scores[rows[counted]],
                objects=np.bincount(images[countable], minlength=len(annotations)),
                difficult=len(objects) - len(countable),
                detections=len(rows),
            )
        )
    return judged


def _check_rows(detections: DetectionTable, num_images: int, num_classes: int) -> None:
    images, labels = detections.image_index, detections.labels
    for column, good, expected in (
        ("scores", ~np.isnan(detections.scores), "a number"),
        ("boxes_px", np.isfinite(detections.boxes_px).all(axis=1), "finite coordinates"),
        ("image_index", (images >= 0) & (images < num_images), f"0..{num_images - 1}"),
        ("labels", (labels >= 0) & (labels < num_classes), f"0..{num_classes - 1}"),
    ):
        if not good.all():
            row = int(np.argmin(good))
            raise ValueError(
                f"detection row {row}: {column} is {getattr(detections, column)[row]}, expected {expected}"
            )


def _rows_by_label(labels: Int[np.ndarray, " n"], num_classes: int) -> list[Int[np.ndarray, " _"]]:
    """Row numbers of each class, in their own order."""
    rows = np.argsort(labels.astype(np.min_scalar_type(num_classes)), kind="stable")  # radix sort of small integers
    return np.split(rows, np.cumsum(np.bincount(labels, minlength=num_classes)))


def _best_objects(
    detections: DetectionTable,
    rows: Int[np.ndarray, " n"],
    object_boxes: Float[np.ndarray, "m 4"],
    first_object: Int[np.ndarray, " _"],
    rules: VocRules,
) -> Int[np.ndarray, " n"]:
    """The object that each of `rows` overlaps most, the first of equals; -1 where none is enough.

    `object_boxes` are one class's in image order; image i has those from `first_object[i]` to `first_object[i + 1]`.
    Every detection meets the first object of its image, then those that have one the second, and so on: no matrix of
    all pairs is ever built.
    """
    images = detections.image_index[rows]
    candidate, end = first_object[:-1][images], first_object[1:][images]
    best, best_iou = np.full(len(rows), -1), np.zeros(len(rows))
    active = np.flatnonzero(candidate < end)
    while len(active):
        iou = _iou(detections.boxes_px[rows[active]], object_boxes[candidate[active]], int(rules.pixels == "inclusive"))
        better = iou > best_iou[active]
        improved = active[better]
        best[improved], best_iou[improved] = candidate[improved], iou[better]
        candidate[active] += 1
        active = active[candidate[active] < end[active]]
    enough = best_iou >= rules.iou_threshold if rules.overlap == "at-least" else best_iou > rules.iou_threshold
    best[~enough] = -1
    return best


def _iou(a: Float[np.ndarray, "n 4"], b: Float[np.ndarray, "n 4"], one: int) -> Float[np.ndarray, " n"]:
    """IoU of pairs; with `one` 1 as VOCevaldet.m computes it: widths count both ends. Inverted or apart gives 0."""
    ax1, ay1, ax2, ay2 = _to_inclusive(a)
    bx1, by1, bx2, by2 = _to_inclusive(b)
    width = np.minimum(ax2, bx2) - np.maximum(ax1, bx1) + one
    height = np.minimum(ay2, by2) - np.maximum(ay1, by1) + one
    intersection = np.clip(width, 0, None) * np.clip(height, 0, None)
    union = (ax2 - ax1 + one) * (ay2 - ay1 + one) + (bx2 - bx1 + one) * (by2 - by1 + one) - intersection
    iou = np.zeros(len(a))
    np.divide(intersection, union, out=iou, where=intersection > 0)
    return iou


def _to_inclusive(boxes: Float[np.ndarray, "n 4"]) -> tuple[Float[np.ndarray, " n"], ...]:
    """0-based half-open to VOC's 1-based pixels with both ends included: the start moves by one, the end does not."""
    xmin, ymin, xmax, ymax = boxes.astype(np.float64).T
    return xmin + 1, ymin + 1, xmax, ymax


def _judge(
    best: Int[np.ndarray, " n"], difficult: Bool[np.ndarray, " m"]
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Which detections, best score first, are true positives, and which count at all."""
    counted = ~np.append(difficult, False)[best]  # the entry at -1 is that of no object
    reached, first = np.unique(best, return_index=True)
    true = np.zeros(len(best), bool)
    true[first[reached >= 0]] = True
    return true & counted, counted

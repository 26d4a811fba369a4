"""Which detections are true, false or ignored: the matching of VOCevaldet.m, without its loop over detections.

Does not know files and models. VOC counts pixels from 1 and includes both ends, so a width is one more than the
difference of the corners. `boxes.to_voc_pixels` gives the corners; the widths are counted so only here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from ssd300.boxes import area_px, to_voc_pixels
from ssd300.metrics.voc_rules import DEVKIT, VocRules
from ssd300.types import Annotation, DetectionTable

AreaRange = tuple[float, float]
ANY_AREA: AreaRange = (0.0, float("inf"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Objects:
    """The objects of many images: one row per object, the images in ascending order."""

    images: Int[np.ndarray, " m"] = field(repr=False)
    boxes_px: Float[np.ndarray, "m 4"] = field(repr=False)
    labels: Int[np.ndarray, " m"] = field(repr=False)
    difficult: Bool[np.ndarray, " m"] = field(repr=False)
    num_images: int

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: Int[np.ndarray, " n"] | Bool[np.ndarray, " m"]) -> "Objects":
        """The rows, by number (ascending) or by mask."""
        return Objects(
            images=self.images[rows],
            boxes_px=self.boxes_px[rows],
            labels=self.labels[rows],
            difficult=self.difficult[rows],
            num_images=self.num_images,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """One class: its detections that count, best score first, and its objects.

    `rows`, `matched_object`, `images`, `true` and `scores` have one entry per detection that counts, that is all but
    those of difficult objects: `rows` are rows of the table, `matched_object` is the object (a row of `objects_of`)
    with which its IoU is enough, or -1. `objects` is, per image, the number of objects that count; `difficult` is the
    number of the others; `detections` is the number of all detections of the class.
    """

    rows: Int[np.ndarray, " n"] = field(repr=False)
    matched_object: Int[np.ndarray, " n"] = field(repr=False)
    images: Int[np.ndarray, " n"] = field(repr=False)
    true: Bool[np.ndarray, " n"] = field(repr=False)
    scores: Float[np.ndarray, " n"] = field(repr=False)
    objects: Int[np.ndarray, " images"] = field(repr=False)
    difficult: int
    detections: int


def objects_of(annotations: Sequence[Annotation], rules: VocRules = DEVKIT) -> Objects:
    """All objects of the annotations; difficult ones are counted, dropped or marked, as `rules` have it."""
    per_image = np.array([len(annotation) for annotation in annotations], dtype=np.int64)
    difficult = np.concatenate([np.zeros(0, bool), *(annotation.difficult for annotation in annotations)])
    objects = Objects(
        images=np.repeat(np.arange(len(annotations)), per_image),
        boxes_px=np.concatenate([np.zeros((0, 4)), *(annotation.boxes_px for annotation in annotations)]),
        labels=np.concatenate([np.zeros(0, np.int64), *(annotation.labels for annotation in annotations)]),
        difficult=difficult & (rules.difficult != "counted"),
        num_images=len(annotations),
    )
    return objects.select(~difficult) if rules.difficult == "dropped" else objects


def judge(
    annotations: Sequence[Annotation],
    detections: DetectionTable,
    num_classes: int,
    rules: VocRules = DEVKIT,
    *,
    within_area_px: AreaRange = ANY_AREA,
) -> list[Judged]:
    """Decide, for each class, which detections are true, false or ignored.

    A detection belongs to the object of its class and image with which its IoU is greatest, difficult ones included,
    the first of equals. If the IoU is below the threshold, the detection is false. If it is enough, the detection is
    ignored where the object is difficult, true if no detection with a higher score belongs to the object, and false
    otherwise, even where another object is free. Equal scores keep the table's order. `rules` change the threshold,
    the IoU and the treatment of difficult objects. As in COCO's metric, objects with an area outside `within_area_px`
    (both ends included) count as difficult, and detections outside it that are not true are ignored.

    Raises:
        ValueError: a row whose score is NaN, whose box is not finite, or whose image or label does not exist; or an
            annotation's label that does not exist.
    """
    _check_rows(detections, len(annotations), num_classes)
    every = objects_of(annotations, rules)
    if len(every) and not 0 <= every.labels.min() <= every.labels.max() < num_classes:
        low, high = every.labels.min(), every.labels.max()
        raise ValueError(f"annotation labels lie in {low}..{high}, expected 0..{num_classes - 1}")
    if within_area_px != ANY_AREA:
        every = replace(every, difficult=every.difficult | ~within_area(every.boxes_px, within_area_px))

    objects_by_label, rows_by_label = (
        _rows_by_label(every.labels, num_classes), _rows_by_label(detections.labels, num_classes)
    )  # fmt: skip
    judged = []
    for mine, rows in zip(objects_by_label, rows_by_label, strict=True):
        objects = every.select(mine)
        rows = rows[np.argsort(-detections.scores[rows], kind="stable")]
        best, iou = nearest_objects(detections, rows, objects, rules)
        best[~rules.enough(iou)] = -1
        true, counted = _judge(best, objects.difficult)
        if within_area_px != ANY_AREA:
            counted &= true | within_area(detections.boxes_px[rows], within_area_px)
        rows, best = rows[counted], best[counted]
        judged.append(
            Judged(
                rows=rows,
                matched_object=np.append(mine, -1)[best],
                images=detections.image_index[rows],
                true=true[counted],
                scores=detections.scores[rows],
                objects=np.bincount(objects.images[~objects.difficult], minlength=len(annotations)),
                difficult=int(objects.difficult.sum()),
                detections=len(counted),
            )
        )
    return judged


def within_area(boxes_px: Float[np.ndarray, "n 4"], area_range_px: AreaRange) -> Bool[np.ndarray, " n"]:
    """Which boxes have an area in the range, both ends included."""
    area = area_px(boxes_px)
    within: np.ndarray = (area >= area_range_px[0]) & (area <= area_range_px[1])
    return within


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
    """The row numbers of each class, ascending."""
    rows = np.argsort(labels.astype(np.min_scalar_type(num_classes)), kind="stable")  # radix sort of small integers
    return np.split(rows, np.cumsum(np.bincount(labels, minlength=num_classes))[:-1])


def nearest_objects(
    detections: DetectionTable, rows: Int[np.ndarray, " n"], objects: Objects, rules: VocRules = DEVKIT
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """For each of `rows` of the table: the object of its image with the greatest IoU, and the IoU; -1 and 0 if none.

    Of equals the first. Each detection is compared with the first object of its image, then, where there is one, with
    the second, and so on, so that no matrix of all pairs is needed.
    """
    images = detections.image_index[rows]
    first_object = np.searchsorted(objects.images, np.arange(objects.num_images + 1))  # of each image
    candidate, end = first_object[:-1][images], first_object[1:][images]
    best, best_iou = np.full(len(rows), -1), np.zeros(len(rows))
    active = np.flatnonzero(candidate < end)
    while len(active):
        iou = iou_of_pairs(detections.boxes_px[rows[active]], objects.boxes_px[candidate[active]], rules)
        better = iou > best_iou[active]
        improved = active[better]
        best[improved], best_iou[improved] = candidate[improved], iou[better]
        candidate[active] += 1
        active = active[candidate[active] < end[active]]
    return best, best_iou


def iou_of_pairs(
    a: Float[np.ndarray, "n 4"], b: Float[np.ndarray, "n 4"], rules: VocRules = DEVKIT
) -> Float[np.ndarray, " n"]:
    """IoU of pairs of half-open boxes by the rules; boxes that do not intersect have 0."""
    one = int(rules.pixels == "inclusive")  # as in VOCevaldet.m, where widths include both ends
    ax1, ay1, ax2, ay2 = to_voc_pixels(*a.astype(np.float64).T)
    bx1, by1, bx2, by2 = to_voc_pixels(*b.astype(np.float64).T)
    width = np.minimum(ax2, bx2) - np.maximum(ax1, bx1) + one
    height = np.minimum(ay2, by2) - np.maximum(ay1, by1) + one
    intersection = np.clip(width, 0, None) * np.clip(height, 0, None)
    union = (ax2 - ax1 + one) * (ay2 - ay1 + one) + (bx2 - bx1 + one) * (by2 - by1 + one) - intersection
    iou = np.zeros(len(a))
    np.divide(intersection, union, out=iou, where=intersection > 0)
    return iou


def _judge(
    best: Int[np.ndarray, " n"], difficult: Bool[np.ndarray, " m"]
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Which detections, best score first, are true positives, and which count. `best` is the object of each, or -1."""
    counted = ~np.append(difficult, False)[best]  # the last entry, at -1, is for no object
    reached, first = np.unique(best, return_index=True)
    true = np.zeros(len(best), bool)
    true[first[reached >= 0]] = True
    return true & counted, counted

"""PASCAL VOC average precision, exact: the development kit's VOCevaldet.m, without its loop over detections.

Knows neither files nor models: annotations and a table of detections in, numbers out. This is the only place that
counts pixels as VOC does: 1-based with both ends included, so a width is one more than the difference. The choices by
which other evaluators differ are `VocRules`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args, get_type_hints

import numpy as np
from jaxtyping import Bool, Float, Int

from ssd300.types import Annotation, DetectionTable

Protocol: TypeAlias = Literal["voc07", "voc12"]

NAMES = {"voc07": "voc07_11pt", "voc12": "voc12_area"}
IOU_THRESHOLD = 0.5  # VOCinit.m, VOCopts.minoverlap
RECALL_STEPS = 10  # VOCevaldet.m 2007: precision at the recalls 0, 1/10, .., 1


@dataclass(frozen=True, kw_only=True)
class VocRules:
    """The choices by which evaluators differ; the defaults are the development kit's.

    Parameters
    ----------
    iou_threshold
        The overlap that makes a detection an object's.
    overlap
        Whether it must reach the threshold ('at-least'), or lie above it, as in py-faster-rcnn and detectron2.
    pixels
        'inclusive' counts both ends of a box, as VOC does; 'differences' leaves the one out, so that a box from column
        3 to column 5 is 2 wide.
    difficult
        Difficult objects are 'ignored' with their detections; or 'counted' as others; or 'dropped' beforehand, so that
        detections of them are false.
    voc07_thresholds
        'exact' compares 10 * true positives with k * objects in integers; 'float64' compares recall with
        np.arange(0., 1.1, .1), whose values lie just above .3, .6 and .7, as most published numbers do. The area under
        the curve has no such thresholds.
    """

    iou_threshold: float = IOU_THRESHOLD
    overlap: Literal["at-least", "above"] = "at-least"
    pixels: Literal["inclusive", "differences"] = "inclusive"
    difficult: Literal["ignored", "counted", "dropped"] = "ignored"
    voc07_thresholds: Literal["exact", "float64"] = "exact"

    def __post_init__(self) -> None:
        if not 0 < self.iou_threshold <= 1:
            raise ValueError(f"iou_threshold is {self.iou_threshold}; it must be above 0, and 1 at most")
        for name, hint in get_type_hints(type(self)).items():
            if (choices := get_args(hint)) and getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(choices)}")

    def departures(self, protocol: Protocol) -> list[str]:
        """What of this is not the development kit's, in words; the threshold itself stands in the metric's name."""
        words = {
            "float64 recall thresholds": protocol == "voc07" and self.voc07_thresholds == "float64",
            "overlap above the threshold": self.overlap == "above",
            "widths without the last pixel": self.pixels == "differences",
            f"difficult objects {self.difficult}": self.difficult != "ignored",
        }
        return [word for word, departs in words.items() if departs]


DEVKIT = VocRules()


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassResult:
    """One class over a whole data set.

    `ap` is None when no object counts, that is when all are difficult or there are none. `objects` are those that
    count, `detections` are all of the class. `recall`, `precision` and `scores` are the curve, one entry a detection
    that counted (did not meet a difficult object), best score first; they are empty where `ap` is None.
    """

    ap: float | None
    objects: int
    difficult: int
    detections: int
    recall: Float[np.ndarray, " n"]
    precision: Float[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]


def voc_average_precision(
    annotations: Sequence[Annotation],
    detections: DetectionTable,
    num_classes: int,
    *,
    protocol: Protocol = "voc07",
    rules: VocRules = DEVKIT,
) -> list[ClassResult]:
    """Average precision of each class, 0..1: at 11 recalls (voc07) or as the area under the curve (voc12, from 2010).

    A detection belongs to the object of its class and image that it overlaps most, difficult ones included and the
    first of equals. If it overlaps it enough it is ignored where that object is difficult, true if it is the first by
    score to reach it, and false otherwise, even where another object is free. Equal scores keep the table's order.
    A class with objects and no detection that counts has AP 0. So it is by the development kit's `rules`.

    Raises:
        ValueError: an unknown protocol; or a row whose score is NaN, whose box is not finite, or whose image or label
            does not exist.
    """
    if protocol not in NAMES:
        raise ValueError(f"protocol={protocol!r}: expected one of {', '.join(NAMES)}")
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
    results = []
    for label in range(num_classes):
        objects, rows = objects_of[label], detections_of[label]
        rows = rows[np.argsort(-detections.scores[rows], kind="stable")]
        first_object = np.searchsorted(images[objects], np.arange(len(annotations) + 1))  # of each image
        best = _best_objects(detections, rows, boxes[objects], first_object, rules)
        true, counted = _judge(best, difficult[objects])
        countable = int(np.count_nonzero(~difficult[objects]))
        counted &= countable > 0  # without an object there is no curve
        true_positives = np.cumsum(true[counted])
        precision = true_positives / np.arange(1, len(true_positives) + 1)
        results.append(
            ClassResult(
                ap=_average(true_positives, precision, countable, protocol, rules) if countable else None,
                objects=countable,
                difficult=len(objects) - countable,
                detections=len(rows),
                recall=true_positives / max(countable, 1),
                precision=precision,
                scores=detections.scores[rows[counted]],
            )
        )
    return results


def mean_ap(results: Sequence[ClassResult]) -> float | None:
    """Mean over the classes that have an AP; None where none has."""
    known = [result.ap for result in results if result.ap is not None]
    return sum(known) / len(known) if known else None


def metric_name(protocol: Protocol, rules: VocRules = DEVKIT) -> str:
    """The full name under which a number is reported: `voc07_11pt@0.5`, and what departs from the development kit."""
    departures = ", ".join(rules.departures(protocol))
    return f"{NAMES[protocol]}@{rules.iou_threshold:g}" + (f" ({departures})" if departures else "")


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


def _average(
    true_positives: Int[np.ndarray, " n"],
    precision: Float[np.ndarray, " n"],
    objects: int,
    protocol: Protocol,
    rules: VocRules,
) -> float:
    """AP of a curve: mean over recalls of the best precision at that recall or a higher one."""
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # 0 at recalls that are never reached
    if protocol == "voc12":
        steps = np.diff(true_positives, prepend=0)  # recall rises by 1 / objects at each true positive
        return float((steps * envelope[:-1]).sum() / objects)
    if rules.voc07_thresholds == "exact":
        reached = np.searchsorted(RECALL_STEPS * true_positives, np.arange(RECALL_STEPS + 1) * objects)
    else:
        reached = np.searchsorted(true_positives / objects, np.arange(0.0, 1.1, 0.1))
    return float(envelope[reached].mean())

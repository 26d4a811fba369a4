"""PASCAL VOC average precision, as the development kit's VOCevaldet.m computes it.

Annotations and a table of detections in, numbers out; does not know files and models. `voc_matching` decides which
detection is true.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from ssd300.metrics.voc_matching import ANY_AREA, AreaRange, judge
from ssd300.metrics.voc_rules import DEVKIT, NAMES, Protocol, VocRules
from ssd300.types import Annotation, DetectionTable

RECALL_STEPS = 10  # VOCevaldet.m 2007: precision at the recalls 0, 1/10, .., 1


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassResult:
    """One class over a whole dataset.

    `ap` (0..1) is None when no object counts, that is when all are difficult or there are none. `objects` are those
    that count, `detections` all of the class. `recall`, `precision` and `scores` are the curve: one entry per detection
    that counts (not of a difficult object), best score first. They are empty where `ap` is None, and for COCO's metric.
    """

    ap: float | None
    objects: int
    difficult: int
    detections: int
    recall: Float[np.ndarray, " n"] = field(repr=False)
    precision: Float[np.ndarray, " n"] = field(repr=False)
    scores: Float[np.ndarray, " n"] = field(repr=False)


def voc_average_precision(
    annotations: Sequence[Annotation],
    detections: DetectionTable,
    num_classes: int,
    *,
    protocol: Protocol = "voc07",
    rules: VocRules = DEVKIT,
    within_area_px: AreaRange = ANY_AREA,
) -> list[ClassResult]:
    """Average precision of each class: the mean at 11 recalls (voc07) or the area under the curve (voc12, since 2010).

    `judge` decides which detections are true; see there for `rules` and `within_area_px`. A class with objects and no
    detection that counts has AP 0.

    Raises:
        ValueError: an unknown protocol, or as `judge`.
    """
    if protocol not in NAMES:
        raise ValueError(f"protocol={protocol!r}: expected one of {', '.join(NAMES)}")
    results = []
    for judged in judge(annotations, detections, num_classes, rules, within_area_px=within_area_px):
        objects = int(judged.objects.sum())
        true = judged.true if objects else judged.true[:0]  # without an object there is no curve
        true_positives, precision = _curve(true)
        results.append(
            ClassResult(
                ap=average_precision(true, objects, protocol=protocol, rules=rules),
                objects=objects,
                difficult=judged.difficult,
                detections=judged.detections,
                recall=true_positives / max(objects, 1),
                precision=precision,
                scores=judged.scores[: len(true)],
            )
        )
    return results


def mean_ap(results: Sequence[ClassResult]) -> float | None:
    """The mean AP of the classes that have one; None where none has."""
    known = [result.ap for result in results if result.ap is not None]
    return sum(known) / len(known) if known else None


def average_precision(
    true: Bool[np.ndarray, " n"], objects: int, *, protocol: Protocol = "voc07", rules: VocRules = DEVKIT
) -> float | None:
    """AP (0..1) of one class from the truth of its detections, best score first. None without objects."""
    precision = _curve(true)[1][true] if objects else np.zeros(0)
    return average_precision_at_true(precision, objects, protocol=protocol, rules=rules)


def average_precision_at_true(
    precision: Float[np.ndarray, " n"], objects: int, *, protocol: Protocol = "voc07", rules: VocRules = DEVKIT
) -> float | None:
    """AP from the precision at the first, second, .. true detection, at which alone recall rises and precision peaks.

    The mean, over recalls, of the best precision at that recall or a higher one. None without objects.
    """
    if not objects:
        return None
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # 0 at recalls that are never reached
    if protocol == "voc12":
        return float(envelope.sum() / objects)  # recall rises by 1 / objects at each true positive
    true_positives = np.arange(1, len(precision) + 1)
    if rules.voc07_thresholds == "exact":
        reached = np.searchsorted(RECALL_STEPS * true_positives, np.arange(RECALL_STEPS + 1) * objects)
    else:
        reached = np.searchsorted(true_positives / objects, np.arange(0.0, 1.1, 0.1))
    return float(envelope[reached].mean())


def _curve(true: Bool[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The number of true detections among the first 1, 2, .., and the precision there."""
    true_positives = np.cumsum(true)
    return true_positives, true_positives / np.arange(1, len(true) + 1)

"""PASCAL VOC average precision, exact: the development kit's VOCevaldet.m.

Knows neither files nor models: annotations and a table of detections in, numbers out. Which detection is true is
`voc_matching`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ssd300.metrics.voc_matching import ANY_AREA, AreaRange, judge
from ssd300.metrics.voc_rules import DEVKIT, NAMES, Protocol, VocRules
from ssd300.types import Annotation, DetectionTable

RECALL_STEPS = 10  # VOCevaldet.m 2007: precision at the recalls 0, 1/10, .., 1


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
    within_area_px: AreaRange = ANY_AREA,
) -> list[ClassResult]:
    """Average precision of each class, 0..1: at 11 recalls (voc07) or as the area under the curve (voc12, from 2010).

    Detections are judged as `judge` says. A class with objects and no detection that counts has AP 0.

    Raises:
        ValueError: an unknown protocol, and what `judge` raises.
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
    """Mean over the classes that have an AP; None where none has."""
    known = [result.ap for result in results if result.ap is not None]
    return sum(known) / len(known) if known else None


def average_precision(
    true: Bool[np.ndarray, " n"], objects: int, *, protocol: Protocol = "voc07", rules: VocRules = DEVKIT
) -> float | None:
    """AP of one class whose detections, best score first, are true or false. None without objects.

    Mean over recalls of the best precision at that recall or a higher one.
    """
    if not objects:
        return None
    true_positives, precision = _curve(true)
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # 0 at recalls that are never reached
    if protocol == "voc12":
        steps = np.diff(true_positives, prepend=0)  # recall rises by 1 / objects at each true positive
        return float((steps * envelope[:-1]).sum() / objects)
    if rules.voc07_thresholds == "exact":
        reached = np.searchsorted(RECALL_STEPS * true_positives, np.arange(RECALL_STEPS + 1) * objects)
    else:
        reached = np.searchsorted(true_positives / objects, np.arange(0.0, 1.1, 0.1))
    return float(envelope[reached].mean())


def _curve(true: Bool[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """True ones among the first 1, 2, .., and their share."""
    true_positives = np.cumsum(true)
    return true_positives, true_positives / np.arange(1, len(true) + 1)

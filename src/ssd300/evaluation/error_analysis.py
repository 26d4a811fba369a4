"""Where a detector fails: kinds of error, object sizes, confusion, reliability of scores, and the worst images."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from ssd300.data.dataset import Dataset
from ssd300.evaluation.scoring import Metric
from ssd300.evaluation.shown import select_shown, shown_from
from ssd300.metrics.confusion import confusion_matrix
from ssd300.metrics.error_kinds import KINDS, NO_ERROR, Errors, count_errors, find_errors, gains
from ssd300.metrics.reliability import Bin, expected_calibration_error, reliability
from ssd300.metrics.voc import mean_ap, voc_average_precision
from ssd300.metrics.voc_matching import AreaRange, within_area
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules, metric_name
from ssd300.types import DetectionTable

MOST_SHOWN = 6
MEDIUM_PX, LARGE_PX = 32.0**2, 96.0**2  # areas, as in COCO's metric
# Ranges include both ends, and COCO's metric counts an object on a border twice; here a size ends just below the next.
SIZES_PX: dict[str, AreaRange] = {
    "small": (0.0, math.nextafter(MEDIUM_PX, 0)),
    "medium": (MEDIUM_PX, math.nextafter(LARGE_PX, 0)),
    "large": (LARGE_PX, math.inf),
}


class ErrorsOfKind(NamedTuple):
    """Errors of one kind: their number among the shown detections, and the mAP gained if all of them were corrected.

    The gain counts errors at any score. It is None where there is no mAP.
    """

    shown: int
    gain: float | None


class ShownOfClass(NamedTuple):
    """Detections of one class that are shown: from which confidence, the objects they find, and how many are false.

    The objects are those that count: difficult ones are not among them, unless the rules count these.
    """

    min_score: float
    objects: int
    found: int
    false: int


class ScoreOfSize(NamedTuple):
    """Objects whose area lies in one range: their mAP, their number, and how many of them a shown detection finds."""

    map: float | None
    objects: int
    found: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ErrorAnalysis:
    """The errors of an evaluation by the VOC metric `metric`.

    Shown detections are those from the confidence threshold of their class; `per_class`, `shown`, `confusion` and
    `shown_per_class` count only them. `per_class` maps a class to its errors by kind. `confusion` is laid out as
    `confusion_matrix` returns it. `worst` holds the indices of the images with the most errors, the worst first.
    """

    metric: str
    kinds: Mapping[str, ErrorsOfKind]
    per_class: Mapping[str, Mapping[str, int]] = field(repr=False)
    shown_per_class: Mapping[str, ShownOfClass] = field(repr=False)
    sizes: Mapping[str, ScoreOfSize] = field(repr=False)
    reliability: Sequence[Bin] = field(repr=False)
    confusion: Int[np.ndarray, "k k"] = field(repr=False)
    shown: Errors = field(repr=False)
    worst: Sequence[int]

    @property
    def min_scores(self) -> dict[str, float]:
        """The confidence from which detections of each class are shown."""
        return {name: shown.min_score for name, shown in self.shown_per_class.items()}

    def to_dict(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "shown": {name: shown._asdict() for name, shown in self.shown_per_class.items()},
            "kinds": {name: kind._asdict() for name, kind in self.kinds.items()},
            "per_class": {name: dict(counts) for name, counts in self.per_class.items()},
            "sizes": {name: size._asdict() for name, size in self.sizes.items()},
            "reliability": [one._asdict() for one in self.reliability],
            "expected_calibration_error": expected_calibration_error(self.reliability),
            "confusion": self.confusion.tolist(),
        }


def analyze_errors(
    dataset: Dataset,
    table: DetectionTable,
    *,
    metrics: Sequence[Metric] = ("voc07",),
    rules: VocRules = DEVKIT,
    min_scores: Mapping[str, float] | None = None,
) -> ErrorAnalysis:
    """The errors among the detections on `dataset`, by the first VOC metric of `metrics`, or voc07 if there is none.

    `min_scores` are confidence thresholds by class name; a class without one has SHOWN_SCORE.

    Raises as `judge` does.
    """
    metric: Protocol = next((name for name in metrics if name != "coco"), "voc07")
    annotations, num_classes = dataset.annotations, len(dataset.classes)
    thresholds = shown_from(dataset.classes, min_scores or {})
    confident = select_shown(table, thresholds)
    errors = find_errors(annotations, table, num_classes, rules)
    shown = find_errors(annotations, confident, num_classes, rules)
    counts, gain = count_errors(shown), gains(errors, protocol=metric, rules=rules)
    return ErrorAnalysis(
        metric=metric_name(metric, rules),
        kinds={name: ErrorsOfKind(int(counts[:, k].sum()), gain[name]) for k, name in enumerate(KINDS)},
        per_class={
            name: dict(zip(KINDS, counts[label].tolist(), strict=True)) for label, name in enumerate(dataset.classes)
        },
        shown_per_class={
            name: _shown_of_class(shown, label, thresholds[name]) for label, name in enumerate(dataset.classes)
        },
        sizes={name: _score_size(dataset, table, shown, area, metric, rules) for name, area in SIZES_PX.items()},
        reliability=reliability(errors.judged),
        confusion=confusion_matrix(shown, rules),
        shown=shown,
        worst=_worst(shown),
    )


def _shown_of_class(shown: Errors, label: int, min_score: float) -> ShownOfClass:
    objects = (shown.objects.labels == label) & ~shown.objects.difficult
    false = (shown.detections.labels == label) & (shown.kinds != NO_ERROR)
    found = objects & shown.found
    return ShownOfClass(min_score, int(objects.sum()), int(found.sum()), int(false.sum()))


def _score_size(
    dataset: Dataset, table: DetectionTable, shown: Errors, area_px: AreaRange, metric: Protocol, rules: VocRules
) -> ScoreOfSize:
    results = voc_average_precision(
        dataset.annotations, table, len(dataset.classes), protocol=metric, rules=rules, within_area_px=area_px
    )
    found = int(within_area(shown.objects.boxes_px[shown.found], area_px).sum())
    return ScoreOfSize(mean_ap(results), sum(result.objects for result in results), found)


def _worst(errors: Errors) -> list[int]:
    """Indices of the images with the most errors, the worst first; images without an error are not among them."""
    false = errors.detections.image_index[errors.kinds != NO_ERROR]
    missed = errors.objects.images[errors.missed]
    counts = np.bincount(np.concatenate([false, missed]), minlength=errors.objects.num_images)
    order = np.argsort(-counts, kind="stable")[:MOST_SHOWN]
    return [int(index) for index in order if counts[index]]

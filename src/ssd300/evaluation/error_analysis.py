"""Where a detector fails: kinds of error and their price, sizes, confusion, reliability, and the worst images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from ssd300.data.dataset import Dataset
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.metrics.confusion import confusion_matrix
from ssd300.metrics.error_kinds import KINDS, NO_ERROR, Errors, count_errors, find_errors, gains
from ssd300.metrics.reliability import Bin, expected_calibration_error, reliability
from ssd300.metrics.voc import mean_ap, voc_average_precision
from ssd300.metrics.voc_matching import AreaRange, within_area
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules, metric_name
from ssd300.types import DetectionTable

MOST_SHOWN = 6
SIZES_PX: dict[str, AreaRange] = {  # areas, as in COCO's metric
    "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10),
}  # fmt: skip


class ErrorsOfKind(NamedTuple):
    """How many among detections from SHOWN_SCORE on; by how much mAP rises if all of them, at any score, are mended."""

    shown: int
    gain: float | None


class ScoreOfSize(NamedTuple):
    """mAP over the objects whose area lies in a range; `found` are those that a shown detection is true for."""

    map: float | None
    objects: int
    found: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Failures:
    """`shown` are the errors of the detections from SHOWN_SCORE on, and `worst` the indices of the images with most of
    them, the first with most.

    `confusion` is as `confusion_matrix` gives it, also from SHOWN_SCORE on.
    """

    metric: str
    kinds: Mapping[str, ErrorsOfKind]
    per_class: Mapping[str, Mapping[str, int]]
    sizes: Mapping[str, ScoreOfSize]
    reliability: Sequence[Bin]
    confusion: Int[np.ndarray, "k k"]
    shown: Errors
    worst: Sequence[int]

    def to_dict(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "shown_score": SHOWN_SCORE,
            "kinds": {name: kind._asdict() for name, kind in self.kinds.items()},
            "per_class": {name: dict(counts) for name, counts in self.per_class.items()},
            "sizes": {name: size._asdict() for name, size in self.sizes.items()},
            "reliability": [one._asdict() for one in self.reliability],
            "expected_calibration_error": expected_calibration_error(self.reliability),
            "confusion": self.confusion.tolist(),
        }


def find_failures(
    dataset: Dataset, table: DetectionTable, *, metric: Protocol = "voc07", rules: VocRules = DEVKIT
) -> Failures:
    """What went wrong with the detections of `dataset`, by the rules of a VOC metric. Raises as `judge` does."""
    annotations, num_classes = dataset.annotations, len(dataset.classes)
    errors = find_errors(annotations, table, num_classes, rules)
    shown = find_errors(annotations, table.select(table.scores >= SHOWN_SCORE), num_classes, rules)
    counts, gain = count_errors(shown), gains(errors, protocol=metric, rules=rules)
    sizes = {}
    for name, area_range in SIZES_PX.items():
        results = voc_average_precision(
            annotations, table, num_classes, protocol=metric, rules=rules, within_area_px=area_range
        )
        found = int(within_area(shown.objects.boxes_px[shown.found], area_range).sum())
        sizes[name] = ScoreOfSize(mean_ap(results), sum(result.objects for result in results), found)
    return Failures(
        metric=metric_name(metric, rules),
        kinds={name: ErrorsOfKind(int(counts[:, k].sum()), gain[name]) for k, name in enumerate(KINDS)},
        per_class={
            name: dict(zip(KINDS, counts[label].tolist(), strict=True)) for label, name in enumerate(dataset.classes)
        },
        sizes=sizes,
        reliability=reliability(errors.judged),
        confusion=confusion_matrix(annotations, table, num_classes, min_score=SHOWN_SCORE),
        shown=shown,
        worst=_worst(shown),
    )


def _worst(errors: Errors) -> list[int]:
    false = errors.detections.image_index[errors.kinds != NO_ERROR]
    missed = errors.objects.images[errors.missed]
    counts = np.bincount(np.concatenate([false, missed]), minlength=errors.objects.num_images)
    order = np.argsort(-counts, kind="stable")[:MOST_SHOWN]
    return [int(index) for index in order if counts[index]]

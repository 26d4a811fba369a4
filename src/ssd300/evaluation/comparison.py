"""Is B better than A? Both detect on the same images; a paired bootstrap shows how sure the difference is.

Each resample takes the same images for both. So images that are hard for both do not widen the interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ssd300.data.dataset import Dataset
from ssd300.evaluation.resampling import CONFIDENCE, RESAMPLES, average_precisions, interval, mean_of_known, resampled
from ssd300.evaluation.shown import is_shown, shown_from
from ssd300.metrics.voc_matching import Judged, judge
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules, metric_name
from ssd300.system.progress import Progress, silent
from ssd300.types import DetectionTable

MOST_CHANGED = 6
Requirement = Literal["nothing", "not-worse", "better"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """AP of A and of B on all images, B - A with its interval, and the share of resamples in which B is ahead.

    All are None for a class without objects that count.
    """

    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    b_leads: float | None

    @property
    def verdict(self) -> str:
        """'better' or 'worse' if the whole interval lies on that side of 0, else 'undecided'."""
        if self.low is not None and self.low > 0:
            return "better"
        return "worse" if self.high is not None and self.high < 0 else "undecided"


class ChangedImage(NamedTuple):
    """An image, by its index and id, and how much better B is on it.

    `change` counts objects found minus false detections, B less A, of the detections that are shown.
    """

    image_index: int
    image_id: str
    change: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The difference of mAP and of each class's AP.

    `changed` holds the images that changed most, these first. `shown` are the confidence thresholds of A and of B from
    which detections are shown, by class name.
    """

    metric: str
    images: int
    resamples: int
    seed: int
    overall: Difference
    per_class: dict[str, Difference] = field(repr=False)
    changed: list[ChangedImage] = field(repr=False)
    shown: tuple[Mapping[str, float], Mapping[str, float]] = field(repr=False)

    def meets(self, requirement: Requirement) -> bool:
        """Whether the verdict on mAP is 'better', or at least not 'worse', where that is required."""
        if requirement == "better":
            return self.overall.verdict == "better"
        return requirement == "nothing" or self.overall.verdict != "worse"

    def to_dict(self) -> dict[str, Any]:
        def plain(one: Difference) -> dict[str, Any]:
            return {**vars(one), "verdict": one.verdict}

        return {
            "metric": self.metric,
            "images": self.images,
            "resamples": self.resamples,
            "seed": self.seed,
            "confidence": CONFIDENCE,
            **plain(self.overall),
            "per_class": {name: plain(one) for name, one in self.per_class.items()},
            "changed": [{"image": one.image_id, "change": one.change} for one in self.changed],
        }


def compare(
    dataset: Dataset,
    a: DetectionTable,
    b: DetectionTable,
    *,
    metric: Protocol = "voc07",
    rules: VocRules = DEVKIT,
    resamples: int = RESAMPLES,
    seed: int = 0,
    min_scores: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {}),  # read only
    progress: Progress = silent,
) -> Comparison:
    """Compare the detections of two detectors on `dataset`.

    `min_scores` are the confidence thresholds of A and of B by class name, for the choice of the images that changed.
    If one has none, those of the other do not count either: it would have an advantage.

    Raises:
        ValueError: `resamples` is under 1; no image; and what `judge` raises.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}; it must be 1 or more")
    if not len(dataset):
        raise ValueError("there are no images to compare on")
    judged = [judge(dataset.annotations, table, len(dataset.classes), rules) for table in (a, b)]
    with progress("resampling", resamples, unit="resamples") as task:
        drawn = resampled(judged, len(dataset), resamples, seed, metric, rules, task.advance)
    every_image_once = np.ones((1, len(dataset)), np.int32)
    actual = [average_precisions(classes, every_image_once, metric, rules) for classes in judged]
    means = [mean_of_known(aps) for aps in drawn]
    of_a, of_b = min_scores if all(min_scores) else ({}, {})
    shown = shown_from(dataset.classes, of_a), shown_from(dataset.classes, of_b)
    return Comparison(
        metric=metric_name(metric, rules),
        images=len(dataset),
        resamples=resamples,
        seed=seed,
        overall=_difference(mean_of_known(actual[0])[0], mean_of_known(actual[1])[0], means[1] - means[0]),
        per_class={
            name: _difference(actual[0][0, label], actual[1][0, label], drawn[1][:, label] - drawn[0][:, label])
            for label, name in enumerate(dataset.classes)
        },
        changed=_changed(judged, dataset, shown),
        shown=shown,
    )


def _difference(a: float, b: float, differences: Float[np.ndarray, " r"]) -> Difference:
    known = differences[np.isfinite(differences)]
    if not np.isfinite(a) or not len(known):
        return Difference(a=None, b=None, difference=None, low=None, high=None, b_leads=None)
    low, high = interval(known)
    return Difference(
        a=float(a),
        b=float(b),
        difference=float(b - a),
        low=low,
        high=high,
        b_leads=float(np.mean(known > 0)),
    )


def _changed(
    judged: Sequence[Sequence[Judged]], dataset: Dataset, shown: Sequence[Mapping[str, float]]
) -> list[ChangedImage]:
    a, b = (_found_less_false(one, len(dataset), least) for one, least in zip(judged, shown, strict=True))
    change = b - a
    order = np.argsort(-np.abs(change), kind="stable")[:MOST_CHANGED]
    return [
        ChangedImage(int(index), dataset.annotations[index].image_id, int(change[index]))
        for index in order
        if change[index]
    ]


def _found_less_false(
    classes: Sequence[Judged], num_images: int, thresholds: Mapping[str, float]
) -> Int[np.ndarray, " images"]:
    """Objects found minus false detections, per image."""
    counts = np.zeros(num_images, np.int64)
    for label, one in enumerate(classes):
        shown = is_shown(np.full(len(one.scores), label), one.scores, thresholds)
        counts += np.bincount(one.images[shown & one.true], minlength=num_images)
        counts -= np.bincount(one.images[shown & ~one.true], minlength=num_images)
    return counts

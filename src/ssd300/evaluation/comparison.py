"""Is B better than A? The same images, detections of both, and how far the difference moves with other images.

Paired: every resample draws the same images for both, so what is hard for both moves neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ssd300.data.dataset import Dataset
from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.metrics.bootstrap import draw_weights, weighted_average_precision
from ssd300.metrics.voc_matching import Judged, judge
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules, metric_name
from ssd300.types import DetectionTable

CONFIDENCE = 0.95
MOST_CHANGED = 6


@dataclass(frozen=True, kw_only=True)
class Difference:
    """AP of A and of B on the images as they are, B - A, its interval, and the share of resamples in which B leads.

    All None for a class without objects.
    """

    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    b_leads: float | None

    @property
    def verdict(self) -> str:
        """What the interval says: 'better', 'worse', or 'undecided' where it holds 0."""
        if self.low is not None and self.low > 0:
            return "better"
        return "worse" if self.high is not None and self.high < 0 else "undecided"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`changed` are the images in which most changed, as (index, change): objects found less false detections, of B
    less of A, among scores from `SHOWN_SCORE`.
    """

    metric: str
    images: int
    resamples: int
    seed: int
    overall: Difference
    per_class: dict[str, Difference]
    changed: list[tuple[int, int]]

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
        }


def compare(
    dataset: Dataset,
    a: DetectionTable,
    b: DetectionTable,
    *,
    metric: Protocol = "voc07",
    rules: VocRules = DEVKIT,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare the detections of two detectors on `dataset`.

    Raises:
        ValueError: `resamples` is under 1; no image; and what `judge` raises.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}; it must be 1 or more")
    if not len(dataset):
        raise ValueError("there are no images to compare on")
    judged = [judge(dataset.annotations, table, len(dataset.classes), rules) for table in (a, b)]
    options: dict[str, Any] = {"protocol": metric, "rules": rules}
    aps: list[list[np.ndarray]] = [[], []]
    for weights in draw_weights(len(dataset), resamples, seed=seed):
        for side, classes in zip(aps, judged, strict=True):
            side.append(np.stack([weighted_average_precision(one, weights, **options) for one in classes], axis=1))
    resampled = [np.concatenate(side) for side in aps]
    once = np.ones((1, len(dataset)), np.int32)
    here = [np.array([weighted_average_precision(one, once, **options)[0] for one in classes]) for classes in judged]
    means = [_mean(values) for values in resampled]
    return Comparison(
        metric=metric_name(metric, rules),
        images=len(dataset),
        resamples=resamples,
        seed=seed,
        overall=_difference(_mean(here[0][None])[0], _mean(here[1][None])[0], means[1] - means[0]),
        per_class={
            name: _difference(here[0][label], here[1][label], resampled[1][:, label] - resampled[0][:, label])
            for label, name in enumerate(dataset.classes)
        },
        changed=_changed(judged, len(dataset)),
    )


def _mean(values: Float[np.ndarray, "r k"]) -> Float[np.ndarray, " r"]:
    """Over the classes that have an AP in a resample; NaN where none has."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean: np.ndarray = np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)
    return mean


def _difference(a: float, b: float, differences: Float[np.ndarray, " r"]) -> Difference:
    known = differences[np.isfinite(differences)]
    if not np.isfinite(a) or not len(known):
        return Difference(a=None, b=None, difference=None, low=None, high=None, b_leads=None)
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Difference(
        a=float(a),
        b=float(b),
        difference=float(b - a),
        low=float(low),
        high=float(high),
        b_leads=float(np.mean(known > 0)),
    )


def _changed(judged: Sequence[Sequence[Judged]], num_images: int) -> list[tuple[int, int]]:
    change = _worth(judged[1], num_images) - _worth(judged[0], num_images)
    order = np.argsort(-np.abs(change), kind="stable")[:MOST_CHANGED]
    return [(int(index), int(change[index])) for index in order if change[index]]


def _worth(classes: Sequence[Judged], num_images: int) -> Int[np.ndarray, " images"]:
    """Objects found less false detections, an image."""
    worth = np.zeros(num_images, np.int64)
    for one in classes:
        shown = one.scores >= SHOWN_SCORE
        worth += np.bincount(one.images[shown & one.true], minlength=num_images)
        worth -= np.bincount(one.images[shown & ~one.true], minlength=num_images)
    return worth

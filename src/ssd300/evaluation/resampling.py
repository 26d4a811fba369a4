"""How much a mAP would vary with other images of the same kind: its interval, by a bootstrap over the images.

It says nothing of how much it varies from one training to another: that is the spread of several seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ssd300.data.dataset import Dataset
from ssd300.metrics.bootstrap import resample_weights, weighted_average_precision
from ssd300.metrics.voc_matching import Judged, judge
from ssd300.metrics.voc_rules import DEVKIT, Protocol, VocRules
from ssd300.system.progress import Progress, silent
from ssd300.types import DetectionTable

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """`low` to `high` holds the mAP of CONFIDENCE of the resamples."""

    low: float
    high: float
    resamples: int
    seed: int

    def describe(self) -> str:
        """Such as '95% of 2,000 resamples of the images: 0.7412 to 0.8105'."""
        return f"{CONFIDENCE:.0%} of {self.resamples:,} resamples of the images: {self.low:.4f} to {self.high:.4f}"

    def to_dict(self) -> dict[str, float]:
        return {"confidence": CONFIDENCE, **vars(self)}


def map_interval(
    dataset: Dataset,
    table: DetectionTable,
    *,
    metric: Protocol = "voc07",
    rules: VocRules = DEVKIT,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress = silent,
) -> Interval | None:
    """The interval of the mAP of detections; None if no class has an object that counts, or there are no images."""
    if not len(dataset):
        return None
    judged = judge(dataset.annotations, table, len(dataset.classes), rules)
    with progress("resampling", resamples, unit="resamples") as task:
        (aps,) = resampled([judged], len(dataset), resamples, seed, metric, rules, task.advance)
    means = mean_of_known(aps)
    known = means[np.isfinite(means)]
    if not len(known):
        return None
    low, high = interval(known)
    return Interval(low=low, high=high, resamples=resamples, seed=seed)


def interval(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """The ends of what holds CONFIDENCE of the values, as many below it as above."""
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def resampled(
    judged: Sequence[Sequence[Judged]],
    images: int,
    resamples: int,
    seed: int,
    metric: Protocol,
    rules: VocRules,
    advance: Callable[[int], None],
) -> list[Float[np.ndarray, "r k"]]:
    """For each detector, the AP of each class in each resample; all detectors have the same resamples."""
    parts: list[list[np.ndarray]] = [[] for _ in judged]
    for weights in resample_weights(images, resamples, seed=seed):
        for part, classes in zip(parts, judged, strict=True):
            part.append(average_precisions(classes, weights, metric, rules))
        advance(len(weights))
    return [np.concatenate(part) for part in parts]


def average_precisions(
    classes: Sequence[Judged], weights: Int[np.ndarray, "r images"], metric: Protocol, rules: VocRules
) -> Float[np.ndarray, "r k"]:
    """The AP of each class for each row of weights; NaN where the class has no object."""
    return np.stack([weighted_average_precision(one, weights, protocol=metric, rules=rules) for one in classes], axis=1)


def mean_of_known(aps: Float[np.ndarray, "r k"]) -> Float[np.ndarray, " r"]:
    """The mean of the APs that are not NaN; NaN where all are."""
    known = np.isfinite(aps)
    total = np.where(known, aps, 0.0).sum(axis=1)
    mean: np.ndarray = np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)
    return mean

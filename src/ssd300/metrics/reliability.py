"""Do scores mean what they say? Of detections with score 0.8, four in five should be true (Guo et al. 2017).

Knows neither files nor models; which detection is true is `voc_matching`'s.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ssd300.metrics.voc_matching import Judged

BINS = 10
LEAST_SCORE = 0.1  # nearly all detections of an evaluation lie below, are false and say so: they would hide the rest


class Bin(NamedTuple):
    """Detections with scores from `low` up to `high`: how many, their mean score, and the share that is true."""

    low: float
    high: float
    detections: int
    mean_score: float | None
    precision: float | None


def reliability(judged: Sequence[Judged]) -> list[Bin]:
    """Equal bins of the scores 0..1, over all classes; what met a difficult object is in none. Empty ones hold None."""
    scores = np.concatenate([np.zeros(0), *(one.scores for one in judged)])
    true = np.concatenate([np.zeros(0, bool), *(one.true for one in judged)])
    place = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    bins = []
    for number in range(BINS):
        mine = place == number
        count = int(mine.sum())
        mean, precision = (float(scores[mine].mean()), float(true[mine].mean())) if count else (None, None)
        bins.append(Bin(number / BINS, (number + 1) / BINS, count, mean, precision))
    return bins


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """The mean distance of score and precision over detections from LEAST_SCORE on; None if there are none."""
    known = [
        (one.detections, abs(one.mean_score - one.precision))
        for one in bins
        if one.low >= LEAST_SCORE and one.mean_score is not None and one.precision is not None
    ]
    total = sum(count for count, _ in known)
    return sum(count * distance for count, distance in known) / total if total else None

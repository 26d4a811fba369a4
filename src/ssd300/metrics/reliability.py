"""Calibration: are scores probabilities? Of detections with score 0.8, four in five should be true (Guo et al. 2017).

Does not know files and models. `voc_matching` decides which detection is true.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ssd300.metrics.voc_matching import Judged

BINS = 10
MIN_SCORE = 0.1  # most detections of an evaluation have lower scores and are false; they would hide the others


class Bin(NamedTuple):
    """Detections with scores in [low, high): how many, their mean score, and which part of them is true.

    The last bin includes a score of 1. An empty bin has None for mean score and precision.
    """

    low: float
    high: float
    detections: int
    mean_score: float | None
    precision: float | None


def reliability(judged: Sequence[Judged]) -> list[Bin]:
    """Bins of equal width of the scores 0..1, over all classes. Detections of difficult objects are excluded."""
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
    """The mean difference of score and precision over detections in bins from MIN_SCORE; None if there are none."""
    known = [
        (one.detections, abs(one.mean_score - one.precision))
        for one in bins
        if one.low >= MIN_SCORE and one.mean_score is not None and one.precision is not None
    ]
    total = sum(count for count, _ in known)
    return sum(count * distance for count, distance in known) / total if total else None

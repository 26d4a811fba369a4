"""Which detections people are shown and which are counted for them: those from a confidence threshold of their class.

mAP counts detections of almost any confidence, thousands of them. People use the ones from a threshold.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool

from ssd300.evaluation.scoring import SHOWN_SCORE
from ssd300.types import DetectionTable

MOST_NAMED = 6  # classes whose thresholds are named in a sentence


def shown_from(classes: Sequence[str], min_scores: Mapping[str, float]) -> dict[str, float]:
    """The confidence from which detections of each class are shown: that of `min_scores`, else SHOWN_SCORE."""
    return {name: float(min_scores.get(name, SHOWN_SCORE)) for name in classes}


def is_shown(labels: np.ndarray, scores: np.ndarray, thresholds: Mapping[str, float]) -> Bool[np.ndarray, " n"]:
    """For each detection whether it is shown; `thresholds` is what `shown_from` returns."""
    least = np.array([*thresholds.values(), 0.0])  # one more, so that no class is a normal case
    shown: np.ndarray = scores >= least[labels]
    return shown


def select_shown(table: DetectionTable, thresholds: Mapping[str, float]) -> DetectionTable:
    """The detections that are shown; `thresholds` is what `shown_from` returns."""
    return table.select(is_shown(table.labels, table.scores, thresholds))


def thresholds_in_words(thresholds: Mapping[str, float]) -> str:
    """'a confidence of 0.5 or more'; of few classes with different ones each, of many the lowest and the highest."""
    values = {f"{value:.2g}" for value in thresholds.values()}
    if len(values) <= 1:
        return f"a confidence of {next(iter(values), f'{SHOWN_SCORE:g}')} or more"
    if len(thresholds) <= MOST_NAMED:
        each = ", ".join(f"{name} {value:.2f}" for name, value in thresholds.items())
        return f"a confidence from the threshold of their class ({each})"
    low, high = min(thresholds.values()), max(thresholds.values())
    return f"a confidence from the threshold of their class ({low:.2f} to {high:.2f})"

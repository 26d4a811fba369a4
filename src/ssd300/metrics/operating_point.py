"""The confidence threshold of a class: a point on its precision-recall curve. Does not know files and models."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ssd300.metrics.voc import ClassResult

Goal = Literal["f1", "precision", "recall"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The wanted point: of best F1, or, where precision (recall) is at least `value`, of best recall (precision).

    Raises:
        ValueError: an unknown goal, a value that is missing or not needed, or one that is not in (0, 1].
    """

    goal: Goal = "f1"
    value: float | None = None

    def __post_init__(self) -> None:
        if self.goal not in get_args(Goal):
            raise ValueError(f"goal is {self.goal!r}; it must be one of {', '.join(get_args(Goal))}")
        if (self.goal == "f1") != (self.value is None):
            raise ValueError(f"value is {self.value}; {self.goal} wants {'none' if self.goal == 'f1' else 'one'}")
        if self.value is not None and not 0 < self.value <= 1:
            raise ValueError(f"{self.goal} is {self.value}; it must be above 0, and 1 at most")

    def __str__(self) -> str:
        return "the best F1" if self.value is None else f"{self.goal} from {self.value:g}"


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """The precision and recall of detections with scores above `min_score`.

    `reached` is false where no point has the wanted precision or recall, and the nearest is given.
    """

    min_score: float
    precision: float
    recall: float
    reached: bool

    @property
    def f1(self) -> float:
        return float(_f1(np.array([self.precision]), np.array([self.recall]))[0])


def operating_point(result: ClassResult, wanted: Wanted, *, curve_min_score: float) -> OperatingPoint | None:
    """The wanted point of a class's curve, or the nearest to it; None without objects or detections.

    Its `min_score` is halfway between the score of the last detection above it and the next lower score; after the
    last detection of all, halfway to `curve_min_score`, the threshold that the curve's detections were made with.
    """
    scores, precision, recall = result.scores, result.precision, result.recall
    # A threshold cannot separate equal scores: points are where the score falls.
    ends = np.flatnonzero(np.append(scores[:-1] > scores[1:], True)[: len(scores)])
    if result.ap is None or not len(ends):
        return None
    precision, recall, reached = precision[ends], recall[ends], True
    f1 = _f1(precision, recall)
    if wanted.value is None:
        best = int(np.argmax(f1))  # the first of equals, which has the higher scores
    else:
        goal, other = (precision, recall) if wanted.goal == "precision" else (recall, precision)
        enough = goal >= wanted.value
        reached = bool(enough.any())
        # Where no point reaches it, the greatest value is the nearest.
        candidates = np.flatnonzero(enough if reached else goal == goal.max())
        best = int(candidates[np.lexsort((-f1[candidates], -other[candidates]))[0]])
    following = scores[ends[best] + 1] if ends[best] + 1 < len(scores) else curve_min_score
    return OperatingPoint(
        min_score=float((scores[ends[best]] + following) / 2),
        precision=float(precision[best]),
        recall=float(recall[best]),
        reached=reached,
    )


def _f1(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    total = precision + recall
    f1: np.ndarray = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return f1

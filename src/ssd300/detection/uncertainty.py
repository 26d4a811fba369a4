"""How unsure a detector is of an image: named measures of its detections. Does not know files and networks.

A measure looks at the candidates of one image, which are the detections from CANDIDATE_MIN_SCORE on that non-maximum
suppression leaves. The margin between the two best classes of a box is none of them: a detection has one score.
"""

from collections.abc import Sequence
from typing import get_args

import numpy as np
from jaxtyping import Float

from ssd300.boxes import iou_px
from ssd300.detection.defaults import Measure
from ssd300.types import Detections, Selection

MEASURES: tuple[Measure, ...] = get_args(Measure)
# From 0.1 on a candidate has an entropy of 0.47 bits or more. SSD has hundreds of boxes with lower scores on any image,
# whose sum would drown the few that are worth a look.
CANDIDATE_MIN_SCORE = 0.1
CANDIDATES = Selection(min_score=CANDIDATE_MIN_SCORE)
NEAR = 0.1  # so far from its threshold, on either side, a score is near it


def summed_entropy(scores: Float[np.ndarray, " n"]) -> float:
    """The entropies of all candidates in bits, added up: 0 to n, so that images with many doubtful objects come first.

    A score p is the probability of an object, so its entropy is -p log2 p - (1 - p) log2 (1 - p): 1 at 0.5, 0 at 0 and
    1. Entropy as uncertainty is Settles' (2009, section 3.1); its sum over an image is Brust et al.'s (2019).
    """
    return float(_entropy_bits(scores).sum())


def mean_entropy(scores: Float[np.ndarray, " n"]) -> float:
    """As `summed_entropy`, but the mean of the candidates: 0 to 1, whatever their number. 0 without a candidate."""
    return float(_entropy_bits(scores).mean()) if len(scores) else 0.0


def near_threshold(scores: Float[np.ndarray, " n"], min_scores: Float[np.ndarray, " n"]) -> float:
    """How many candidates have a score within NEAR of their confidence threshold, of `min_scores`: 0 to n.

    These are the ones that a slightly different threshold would show or hide.
    """
    return float((np.abs(scores.astype(np.float64) - min_scores) <= NEAR).sum())


def flip_disagreement(found: Detections, turned_back: Detections) -> float:
    """How much the detections of an image differ from those of its mirror image, turned back: 0 (equal) to 1 (apart).

    Candidates of both, with scores a and b, are paired within their class, those with the greatest IoU * min(a, b)
    first. The value is 1 - S / (A + B - M): S is the sum of IoU * min(a, b) over the pairs, M that of min(a, b), A and
    B are the sums of all scores. So it is one minus a Jaccard index, weighted by scores. 0 where neither has a
    candidate. Consistency under a flip as a measure is that of Elezi et al. (2022); the formula is ours.
    """
    agreed, shared = 0.0, 0.0
    a, b = found.scores.astype(np.float64), turned_back.scores.astype(np.float64)
    total = a.sum() + b.sum()
    if total == 0:
        return 0.0
    lesser = np.minimum(a[:, None], b[None])
    iou = iou_px(found.boxes.astype(np.float64)[:, None], turned_back.boxes.astype(np.float64)[None])
    weights = np.where(found.labels[:, None] == turned_back.labels[None], iou * lesser, 0.0)
    free_a, free_b = np.ones(len(a), bool), np.ones(len(b), bool)
    rows, columns = np.nonzero(weights)
    for place in np.argsort(-weights[rows, columns], kind="stable"):
        row, column = rows[place], columns[place]
        if free_a[row] and free_b[column]:
            free_a[row] = free_b[column] = False
            agreed += weights[row, column]
            shared += lesser[row, column]
    return float(max(0.0, 1 - agreed / (total - shared)))


def mirrored(detections: Detections, width_px: int) -> Detections:
    """The detections (boxes in pixels) of an image of that width as they are on its mirror image, left for right."""
    boxes = detections.boxes.copy()
    boxes[:, [0, 2]] = width_px - boxes[:, [2, 0]]
    return Detections(boxes=boxes, scores=detections.scores, labels=detections.labels, classes=detections.classes)


def uncertainty(
    measure: Measure, found: Detections, min_scores: Sequence[float], turned_back: Detections | None = None
) -> float:
    """The measure of one image; a larger value is less sure.

    `found` are its detections in pixels, whatever their scores; `min_scores` the confidence threshold of each class;
    `turned_back` the detections of its mirror image, as `mirrored` turns them back, for "flip" alone.

    Raises:
        ValueError: an unknown measure, or "flip" without `turned_back`.
    """
    candidates = found.select(_are_candidates(found))
    if measure == "entropy":
        return summed_entropy(candidates.scores)
    if measure == "mean-entropy":
        return mean_entropy(candidates.scores)
    if measure == "near-threshold":
        return near_threshold(candidates.scores, np.array([*min_scores, 0.0])[candidates.labels])
    if measure == "flip" and turned_back is not None:
        return flip_disagreement(candidates, turned_back.select(_are_candidates(turned_back)))
    what = "needs the detections of the mirror image" if measure == "flip" else f"must be one of {', '.join(MEASURES)}"
    raise ValueError(f"measure is {measure!r}; it {what}")


def _entropy_bits(scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    p = scores.astype(np.float64)
    inside = np.where((p > 0) & (p < 1), p, 0.5)
    bits = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    entropy: np.ndarray = np.where((p > 0) & (p < 1), bits, 0.0)
    return entropy


def _are_candidates(detections: Detections) -> list[bool]:
    return [score >= CANDIDATE_MIN_SCORE for score in detections.scores.tolist()]

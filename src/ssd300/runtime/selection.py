"""From boxes and scores of every default box to detections, in numpy: what `model.postprocess` does in torch."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ssd300.types import Detections, Selection

TOGETHER = 256  # candidates that are looked at at once


def select_detections(
    boxes: Float[np.ndarray, "n 4"],
    scores: Float[np.ndarray, "n classes"],
    *,
    classes: Sequence[str],
    selection: Selection,
) -> Detections:
    """The detections of one image, best first, xyxy relative to it: threshold, suppression in each class, the best.

    Raises ValueError if `selection` has a lowest score for another number of classes.
    """
    lowest = lowest_scores(selection, len(classes))
    row, label = np.nonzero(scores > lowest)
    candidates = Detections(boxes=boxes[row], scores=scores[row, label], labels=label.astype(np.int64), classes=classes)
    return suppress(candidates, selection)


def suppress(candidates: Detections, selection: Selection) -> Detections:
    """Those that no better one of their class overlaps by more than `max_overlap`, the best `top_k`, best first."""
    boxes, label = candidates.boxes.astype(np.float64), candidates.labels
    order = np.argsort(-candidates.scores, kind="stable")
    kept = np.zeros(0, np.int64)
    seen = np.zeros(len(candidates.classes), np.int64)  # candidates of each class so far
    for first in range(0, len(order), TOGETHER):
        some = order[first : first + TOGETHER]
        if selection.per_class is not None:
            rank = _rank_within(label[some]) + seen[label[some]]
            seen += np.bincount(label[some], minlength=len(candidates.classes))
            some = some[rank < selection.per_class]
        both = np.concatenate([kept, some])
        over = _pairwise_iou(boxes[both], boxes[some])
        over = (over > selection.max_overlap) & (label[both][:, None] == label[some])
        gone = over[: len(kept)].any(axis=0)
        among = over[len(kept) :]
        for place in np.flatnonzero(~gone & among.any(axis=1)):  # those that may suppress another
            if not gone[place]:
                gone[place + 1 :] |= among[place, place + 1 :]
        kept = np.concatenate([kept, some[~gone]])
        if len(kept) >= selection.top_k:
            break
    kept = kept[: selection.top_k]
    return Detections(
        boxes=candidates.boxes[kept],
        scores=candidates.scores[kept],
        labels=label[kept],
        classes=candidates.classes,
    )


def lowest_scores(selection: Selection, num_classes: int) -> Float[np.ndarray, " classes"]:
    """One a class, in float64, so that a threshold between two scores stays there."""
    lowest = np.asarray(selection.min_score, dtype=np.float64)
    if lowest.ndim and len(lowest) != num_classes:
        raise ValueError(f"min_score has {len(lowest)} values for {num_classes} classes")
    return np.broadcast_to(lowest, (num_classes,))


def _pairwise_iou(a: Float[np.ndarray, "n 4"], b: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "n m"]:
    left, top, right, bottom = (a[:, side, None] for side in range(4))
    width = np.minimum(right, b[:, 2]) - np.maximum(left, b[:, 0])
    height = np.minimum(bottom, b[:, 3]) - np.maximum(top, b[:, 1])
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    union = (right - left) * (bottom - top) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) - intersection
    iou: np.ndarray = intersection / np.maximum(union, np.finfo(np.float64).tiny)
    return iou


def _rank_within(labels: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """How many equal labels stand before each."""
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    rank = np.empty_like(order)
    rank[order] = np.arange(len(labels)) - np.searchsorted(ordered, ordered)
    return rank

"""From the boxes and scores of all default boxes to detections, in numpy: what `model.postprocess` does in torch."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from ssd300.types import Detections, Selection

TOGETHER = 256  # candidates per step of non-maximum suppression


def select_detections(
    boxes: Float[np.ndarray, "n 4"],
    scores: Float[np.ndarray, "n classes"],
    *,
    classes: Sequence[str],
    selection: Selection,
) -> Detections:
    """The detections of one image, best score first, boxes xyxy and relative to it.

    They are above the confidence threshold, pass non-maximum suppression in each class, and are the best `top_k`.

    Raises ValueError if `selection` has thresholds for another number of classes.
    """
    row, label = np.nonzero(scores > class_min_scores(selection, len(classes)))
    candidates = Detections(boxes=boxes[row], scores=scores[row, label], labels=label.astype(np.int64), classes=classes)
    return suppress(candidates, selection)


def suppress(candidates: Detections, selection: Selection) -> Detections:
    """Non-maximum suppression in each class: at most `top_k` of the candidates, best score first.

    A candidate is dropped if its IoU with a better detection of its class is more than `max_overlap`, or if `per_class`
    candidates of its class are better.
    """
    boxes, label = candidates.boxes.astype(np.float64), candidates.labels
    order = np.argsort(-candidates.scores, kind="stable")
    chosen = np.zeros(0, np.int64)
    seen = np.zeros(len(candidates.classes), np.int64)  # candidates of each class so far
    for first in range(0, len(order), TOGETHER):
        some = order[first : first + TOGETHER]
        if selection.per_class is not None:
            rank = _rank_within(label[some]) + seen[label[some]]
            seen += np.bincount(label[some], minlength=len(candidates.classes))
            some = some[rank < selection.per_class]
        both = np.concatenate([chosen, some])
        over = _pairwise_iou(boxes[both], boxes[some])
        over = (over > selection.max_overlap) & (label[both][:, None] == label[some])
        dropped = over[: len(chosen)].any(axis=0)
        among = over[len(chosen) :]
        for place in np.flatnonzero(~dropped & among.any(axis=1)):  # those that may suppress another
            if not dropped[place]:
                dropped[place + 1 :] |= among[place, place + 1 :]
        chosen = np.concatenate([chosen, some[~dropped]])
        if len(chosen) >= selection.top_k:
            break
    chosen = chosen[: selection.top_k]
    return Detections(
        boxes=candidates.boxes[chosen],
        scores=candidates.scores[chosen],
        labels=label[chosen],
        classes=candidates.classes,
    )


def class_min_scores(selection: Selection, num_classes: int) -> Float[np.ndarray, " classes"]:
    """The confidence threshold of each class, in float64, so that one between two float32 scores stays there.

    Raises ValueError if `selection` has thresholds for another number of classes.
    """
    min_scores = np.asarray(selection.min_score, dtype=np.float64)
    if min_scores.ndim and len(min_scores) != num_classes:
        raise ValueError(f"min_score has {len(min_scores)} values for {num_classes} classes")
    return np.broadcast_to(min_scores, (num_classes,))


def _pairwise_iou(a: Float[np.ndarray, "n 4"], b: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "n m"]:
    left, top, right, bottom = (a[:, side, None] for side in range(4))
    width = np.minimum(right, b[:, 2]) - np.maximum(left, b[:, 0])
    height = np.minimum(bottom, b[:, 3]) - np.maximum(top, b[:, 1])
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    union = (right - left) * (bottom - top) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) - intersection
    iou: np.ndarray = intersection / np.maximum(union, np.finfo(np.float64).tiny)
    return iou


def _rank_within(labels: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """For each label, how many equal labels come before it."""
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    rank = np.empty_like(order)
    rank[order] = np.arange(len(labels)) - np.searchsorted(ordered, ordered)
    return rank

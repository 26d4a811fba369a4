"""From the network's predictions to detections: softmax, threshold, non-maximum suppression in each class, the best.

Paper section 3.1; the numbers of Caffe's test are ssd_pascal.py:396,405.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ssd300.model.boxes import decode
from ssd300.model.predictions import Predictions
from ssd300.types import Detections, Selection

FIRST_CANDIDATES = 512  # two and a half times what is kept; twice as many are tried when too few survive


@torch.no_grad()
def postprocess(
    predictions: Predictions,
    default_boxes: Float[Tensor, "boxes 4"],
    variances: tuple[float, float],
    *,
    classes: Sequence[str],
    selection: Selection,
    clip: bool = False,
) -> list[Detections]:
    """The detections of each image, best first, xyxy relative to it. None found gives empty ones.

    `clip` cuts boxes at the image's border before they suppress each other, as torchvision does; Caffe does not.

    Raises:
        ValueError: `selection` has a lowest score for another number of classes.
    """
    if isinstance(selection.min_score, tuple) and len(selection.min_score) != len(classes):
        raise ValueError(f"min_score has {len(selection.min_score)} values for {len(classes)} classes")
    scores = predictions.logits.float().softmax(dim=2)[..., 1:]
    results = []
    for image_scores, image_offsets in zip(scores, predictions.offsets.float(), strict=True):

        def decoded(box: Int[Tensor, " n"], offsets: Tensor = image_offsets) -> Tensor:
            boxes = decode(offsets[box], default_boxes[box], variances)
            return boxes.clamp(0, 1) if clip else boxes

        boxes, label, score = _select(image_scores, decoded, selection)
        results.append(
            Detections(
                boxes=boxes.cpu().numpy(),
                scores=score.cpu().numpy(),
                labels=label.cpu().numpy().astype(np.int64),
                classes=classes,
            )
        )
    return results


def _select(
    scores: Float[Tensor, "boxes classes"], decoded: Callable[[Tensor], Tensor], selection: Selection
) -> tuple[Float[Tensor, "n 4"], Int[Tensor, " n"], Float[Tensor, " n"]]:
    """Box, class and score of each detection. `decoded` gives the boxes of a list of default boxes.

    A candidate is suppressed only by better ones, so suppression among the best m says of those all that it would
    say among all: m is doubled until enough survive or the candidates end.
    """
    flat = scores.flatten()
    if isinstance(selection.min_score, tuple):
        # in float64, so that a threshold between two scores stays there
        above = scores > torch.tensor(selection.min_score, dtype=torch.float64, device=scores.device)
    else:
        above = scores > selection.min_score
    candidates = above.flatten().nonzero()[:, 0]
    candidate_scores = flat[candidates]
    tried = FIRST_CANDIDATES
    while True:
        best_scores, best = candidate_scores.topk(min(tried, len(candidates)))
        chosen = candidates[best]
        box, label = chosen // scores.shape[1], chosen % scores.shape[1]
        if selection.per_class is not None:
            seen = _rank_within(label) < selection.per_class
            box, label, best_scores = box[seen], label[seen], best_scores[seen]
        boxes = decoded(box)
        kept = nms_by_class(boxes, best_scores, label, selection.max_overlap)[: selection.top_k]
        if len(kept) == selection.top_k or tried >= len(candidates):
            return boxes[kept], label[kept], best_scores[kept]
        tried *= 2


def nms_by_class(
    boxes: Float[Tensor, "n 4"], scores: Float[Tensor, " n"], labels: Int[Tensor, " n"], max_overlap: float
) -> Int[Tensor, " kept"]:
    """Rows that no better one of the same class overlaps by more than `max_overlap`, best first."""
    from torchvision.ops import nms  # here, as it doubles the time to start

    if len(boxes) == 0:
        return labels.new_empty(0)
    # Each class is moved to a place of its own. In float64 the move costs no digit of a float32 coordinate that counts.
    wide = boxes.double()
    spread = wide.max() - wide.min() + 1
    kept: Tensor = nms(wide + (labels * spread)[:, None], scores.double(), max_overlap)
    return kept


def _rank_within(labels: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """How many equal labels stand before each."""
    order = labels.argsort(stable=True)
    ordered = labels[order]
    first = torch.searchsorted(ordered, ordered)
    rank = torch.empty_like(labels)
    rank[order] = torch.arange(len(labels), device=labels.device) - first
    return rank

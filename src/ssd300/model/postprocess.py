"""From the network's predictions to detections: softmax, threshold, non-maximum suppression (NMS) per class, the best.

Paper section 3.1; the numbers of Caffe's test are in `types.Selection`.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ssd300.model.boxes import decode
from ssd300.model.predictions import Predictions
from ssd300.types import Detections, Selection

FIRST_CANDIDATES = 512  # for the first NMS, two and a half times the usual top_k; doubled while too few survive


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
    """The detections of each image, best first, boxes xyxy relative to it. An image may have none.

    `default_boxes` (cxcywh) and `variances` are the model's. `clip` limits boxes to the image before NMS, as
    torchvision does; Caffe does not.

    Raises:
        ValueError: `selection` has minimum scores for another number of classes than `classes`.
    """
    if isinstance(selection.min_score, tuple) and len(selection.min_score) != len(classes):
        raise ValueError(f"min_score has {len(selection.min_score)} values for {len(classes)} classes")
    scores = predictions.logits.float().softmax(dim=2)[..., 1:]
    results = []
    for image_scores, image_offsets in zip(scores, predictions.offsets.float(), strict=True):
        boxes_of = partial(_decoded_boxes, image_offsets, default_boxes, variances, clip)
        boxes, label, score = _select(image_scores, boxes_of, selection)
        results.append(
            Detections(
                boxes=boxes.cpu().numpy(),
                scores=score.cpu().numpy(),
                labels=label.cpu().numpy().astype(np.int64),
                classes=classes,
            )
        )
    return results


def _decoded_boxes(
    offsets: Float[Tensor, "boxes 4"],
    default_boxes: Float[Tensor, "boxes 4"],
    variances: tuple[float, float],
    clip: bool,
    rows: Int[Tensor, " n"],
) -> Float[Tensor, "n 4"]:
    boxes = decode(offsets[rows], default_boxes[rows], variances)
    return boxes.clamp(0, 1) if clip else boxes


def _select(
    scores: Float[Tensor, "boxes classes"], boxes_of: Callable[[Tensor], Tensor], selection: Selection
) -> tuple[Float[Tensor, "n 4"], Int[Tensor, " n"], Float[Tensor, " n"]]:
    """Box, class and score of each detection. `boxes_of` decodes the boxes of some rows.

    A candidate is suppressed by better ones only, so NMS among the best m candidates gives, for these, the result of
    NMS among all. m is doubled until enough survive or there are no more candidates.
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
            within = _rank_within(label) < selection.per_class
            box, label, best_scores = box[within], label[within], best_scores[within]
        boxes = boxes_of(box)
        kept = nms_by_class(boxes, best_scores, label, selection.max_overlap)[: selection.top_k]
        if len(kept) == selection.top_k or tried >= len(candidates):
            return boxes[kept], label[kept], best_scores[kept]
        tried *= 2


def nms_by_class(
    boxes: Float[Tensor, "n 4"], scores: Float[Tensor, " n"], labels: Int[Tensor, " n"], max_overlap: float
) -> Int[Tensor, " kept"]:
    """The rows that survive NMS within their class, best first.

    A row is suppressed if its IoU with a surviving better one of its class is above `max_overlap`.
    """
    from torchvision.ops import nms  # here, as it doubles the time of the import

    if len(boxes) == 0:
        return labels.new_empty(0)
    # Each class is moved to its own place, far from the others. Float64 keeps the digits of the float32 coordinates.
    wide = boxes.double()
    spread = wide.max() - wide.min() + 1
    kept: Tensor = nms(wide + (labels * spread)[:, None], scores.double(), max_overlap)
    return kept


def _rank_within(labels: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """How many equal labels precede each."""
    order = labels.argsort(stable=True)
    ordered = labels[order]
    first = torch.searchsorted(ordered, ordered)
    rank = torch.empty_like(labels)
    rank[order] = torch.arange(len(labels), device=labels.device) - first
    return rank

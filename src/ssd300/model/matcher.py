"""Which default box answers for which object. Paper section 2.2, "Matching strategy"; Caffe's bbox_util.cpp:586-712.

First a bipartite matching: again and again the free object and the free default box that overlap most become a pair,
so every object keeps a default box of its own. Then each default box that is left takes the object that it overlaps
most, if by at least a threshold. Works on a whole batch at once.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd300.batches import Targets
from ssd300.model.boxes import cxcywh_to_xyxy, pairwise_iou

MIN_OVERLAP = 0.5  # the paper's jaccard overlap for the second step
LEAST_PAIR_OVERLAP = 1e-6  # bbox_util.cpp:640: a pair must touch


@torch.no_grad()
def match(
    targets: Targets, default_boxes: Float[Tensor, "boxes 4"], *, min_overlap: float = MIN_OVERLAP
) -> Int[Tensor, "batch boxes"]:
    """The object (its row in `targets`) of each default box (cxcywh, relative); -1 is background.

    An object that no free default box touches stays without one; so does padding.
    """
    iou = _object_overlaps(targets, default_boxes)
    batch, objects, boxes = iou.shape
    if objects == 0:
        return torch.full((batch, boxes), -1, dtype=torch.int64, device=iou.device)
    best_iou, best_object = iou.max(dim=1)
    matched = torch.where(best_iou >= min_overlap, best_object, -1)
    pair = _bipartite(iou, free=targets.labels > 0)
    image, object_ = torch.nonzero(pair >= 0, as_tuple=True)
    matched[image, pair[image, object_]] = object_
    return matched


def _bipartite(
    iou: Float[Tensor, "batch objects boxes"], free: Bool[Tensor, "batch objects"]
) -> Int[Tensor, "batch objects"]:
    """The default box that each object is paired with, -1 for none.

    All pairs that are each other's best are made at once: they are what taking the greatest overlap again and again
    comes to, in two or three rounds. Of equal overlaps the first box wins, then the first object.
    """
    pair = torch.full(iou.shape[:2], -1, dtype=torch.int64, device=iou.device)
    best_iou, best_box = iou.max(dim=2)
    free = free & (best_iou > LEAST_PAIR_OVERLAP)
    taken: Bool[Tensor, "batch boxes"] | None = None
    while free.any():
        # (batch, objects, proposals): how much each free object overlaps the box that another one proposes.
        rivals = iou.gather(2, best_box[:, None, :].expand(-1, iou.shape[1], -1))
        rivals = rivals.masked_fill(~free[:, :, None], -1)
        winner = rivals.argmax(dim=1) == torch.arange(iou.shape[1], device=iou.device)
        won = winner & free
        pair = torch.where(won, best_box, pair)
        free = free & ~won
        images = torch.nonzero(free.any(dim=1)).flatten()
        if len(images) == 0:
            break
        taken = torch.zeros((len(iou), iou.shape[2]), dtype=torch.bool, device=iou.device) if taken is None else taken
        image, object_ = torch.nonzero(won, as_tuple=True)
        taken[image, pair[image, object_]] = True
        best_iou[images], best_box[images] = iou[images].masked_fill(taken[images, None, :], -1).max(dim=2)
        free = free & (best_iou > LEAST_PAIR_OVERLAP)
    return pair


@torch.no_grad()
def match_as_seed(
    targets: Targets, default_boxes: Float[Tensor, "boxes 4"], *, min_overlap: float = MIN_OVERLAP
) -> Int[Tensor, "batch boxes"]:
    """pytorch-SSD300's rule: each object claims its best default box; of two that claim one the later object wins."""
    iou = _object_overlaps(targets, default_boxes)
    batch, objects, boxes = iou.shape
    if objects == 0:
        return torch.full((batch, boxes), -1, dtype=torch.int64, device=iou.device)
    best_iou, best_object = iou.max(dim=1)
    matched = torch.where(best_iou >= min_overlap, best_object, -1)
    object_index = torch.arange(objects, device=iou.device)
    claims = torch.where(targets.labels > 0, object_index, -1)
    claimed = torch.full_like(matched, -1).scatter_reduce(1, iou.argmax(dim=2), claims, "amax")
    return torch.where(claimed >= 0, claimed, matched)


def _object_overlaps(targets: Targets, default_boxes: Tensor) -> Float[Tensor, "batch objects boxes"]:
    iou = pairwise_iou(targets.boxes, cxcywh_to_xyxy(default_boxes))
    # Padding boxes are empty, so they overlap nothing; a row of -1 keeps them from winning a tie at 0.
    return iou.masked_fill_((targets.labels == 0)[..., None], -1)

"""Which default box is matched to which object. Paper section 2.2, "Matching strategy"; Caffe's bbox_util.cpp:586-712.

First a bipartite matching: of all free objects and free default boxes, the two with the greatest IoU become a pair,
and so on, so that an object gets a default box even where its IoU is low. Then each default box that is left takes the
object with which its IoU is greatest, if it reaches a threshold. Works on a whole batch at once.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd300.batches import Targets
from ssd300.model.boxes import cxcywh_to_xyxy, pairwise_iou

MIN_IOU = 0.5  # the paper's jaccard overlap for the second step
MIN_PAIR_IOU = 1e-6  # of the first step: the IoU must be above it, so that a pair overlaps (bbox_util.cpp:640)


@torch.no_grad()
def match(
    targets: Targets, default_boxes: Float[Tensor, "boxes 4"], *, min_iou: float = MIN_IOU
) -> Int[Tensor, "batch boxes"]:
    """The object (its row in `targets`) of each default box (cxcywh, relative); -1 is background.

    An object that overlaps no free default box is not matched. Padding is not matched.
    """
    iou = iou_with_objects(targets, default_boxes)
    return keep_pairs(_best_objects(iou, min_iou), iou, targets)


@torch.no_grad()
def match_as_pytorch_ssd300(
    targets: Targets, default_boxes: Float[Tensor, "boxes 4"], *, min_iou: float = MIN_IOU
) -> Int[Tensor, "batch boxes"]:
    """As `match`, by pytorch-SSD300's rule for the first step.

    Each object claims the default box with which its IoU is greatest; of two that claim one the later object wins.
    """
    iou = iou_with_objects(targets, default_boxes)
    matched = _best_objects(iou, min_iou)
    object_index = torch.arange(iou.shape[1], device=iou.device)
    claims = torch.where(targets.labels > 0, object_index, -1)
    claimed = torch.full_like(matched, -1).scatter_reduce(1, iou.argmax(dim=2), claims, "amax")
    return torch.where(claimed >= 0, claimed, matched)


def iou_with_objects(targets: Targets, default_boxes: Float[Tensor, "boxes 4"]) -> Float[Tensor, "batch objects boxes"]:
    """The IoU of each object with each default box (cxcywh, relative); -1 for padding."""
    iou = pairwise_iou(targets.boxes, cxcywh_to_xyxy(default_boxes))
    # Padding boxes are empty, so their IoU is 0; a row of -1 keeps them from winning a tie at 0.
    return iou.masked_fill_((targets.labels == 0)[..., None], -1)


def keep_pairs(
    matched: Int[Tensor, "batch boxes"], iou: Float[Tensor, "batch objects boxes"], targets: Targets
) -> Int[Tensor, "batch boxes"]:
    """The first step on top of the second: `matched`, with the box of each bipartite pair given to its object."""
    pair = _bipartite(iou, free=targets.labels > 0)
    image, object_ = torch.nonzero(pair >= 0, as_tuple=True)
    matched = matched.clone()
    matched[image, pair[image, object_]] = object_
    return matched


def _best_objects(iou: Float[Tensor, "batch objects boxes"], min_iou: float) -> Int[Tensor, "batch boxes"]:
    """The object of greatest IoU for each default box, -1 where that is below `min_iou`. Of equals the first."""
    if iou.shape[1] == 0:
        return torch.full((iou.shape[0], iou.shape[2]), -1, dtype=torch.int64, device=iou.device)
    best_iou, best_object = iou.max(dim=1)
    return torch.where(best_iou >= min_iou, best_object, -1)


def _bipartite(
    iou: Float[Tensor, "batch objects boxes"], free: Bool[Tensor, "batch objects"]
) -> Int[Tensor, "batch objects"]:
    """The default box that each object is paired with, -1 for none.

    In each round, all pairs that are each other's best are made at once. The result is that of one pair at a time,
    greatest IoU first, in two or three rounds as a rule. Of equal IoUs the first box wins, then the first object.
    """
    pair = torch.full(iou.shape[:2], -1, dtype=torch.int64, device=iou.device)
    best_iou, best_box = iou.max(dim=2)
    free = free & (best_iou > MIN_PAIR_IOU)
    taken: Bool[Tensor, "batch boxes"] | None = None
    while free.any():
        # (batch, objects, proposals): the IoU of each free object with the box that another one proposes.
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
        free = free & (best_iou > MIN_PAIR_IOU)
    return pair

"""Matching with a threshold of its own for each object: ATSS, Zhang et al. 2020, arXiv 1912.02424, algorithm 1.

One threshold for all leaves an object that is smaller than the default boxes, or of another shape, with its best box
alone. ATSS takes as candidates the cells nearest to the object on each map, and as threshold what is high among their
IoUs. There are more matches, most of all for small objects. Here it replaces the second step of `matcher.match` alone:
every object still keeps the default box of the bipartite matching.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd300.batches import Targets
from ssd300.model.matcher import iou_with_objects, keep_pairs

CELLS_PER_MAP = 9  # k of the ATSS paper, whose results hardly change from 7 to 17


@torch.no_grad()
def match_atss(
    targets: Targets,
    default_boxes: Float[Tensor, "boxes 4"],
    *,
    maps: Sequence[tuple[int, int]],
    cells_per_map: int = CELLS_PER_MAP,
) -> Int[Tensor, "batch boxes"]:
    """The object (its row in `targets`) of each default box (cxcywh, relative), as `matcher.match` gives it.

    A default box is matched if it is a candidate of the object, its center is within the object, and their IoU reaches
    the mean plus one standard deviation of the candidates' IoUs. Of several objects it takes the one of greatest IoU.
    `maps` are (cells, default boxes per cell) of the feature maps, in the order of the default boxes.
    """
    iou = iou_with_objects(targets, default_boxes)
    if iou.shape[1] == 0:
        return torch.full((iou.shape[0], iou.shape[2]), -1, dtype=torch.int64, device=iou.device)
    candidates = _candidates(targets, default_boxes, maps, cells_per_map)
    candidate_iou = iou.gather(2, candidates)
    threshold = candidate_iou.mean(dim=2) + candidate_iou.std(dim=2)
    fits = (candidate_iou >= threshold[..., None]) & _centers_within(targets, default_boxes[candidates])
    fits &= (targets.labels > 0)[..., None]
    fitting_iou = torch.full_like(iou, -1).scatter_(2, candidates, candidate_iou.masked_fill(~fits, -1))
    best_iou, best_object = fitting_iou.max(dim=1)
    return keep_pairs(torch.where(best_iou >= 0, best_object, -1), iou, targets)


def _candidates(
    targets: Targets, default_boxes: Float[Tensor, "boxes 4"], maps: Sequence[tuple[int, int]], cells_per_map: int
) -> Int[Tensor, "batch objects candidates"]:
    """All default boxes of the cells whose centers are nearest to the object's, the same number on each map."""
    objects = (targets.boxes[..., :2] + targets.boxes[..., 2:]) / 2
    candidates, first = [], 0
    for cells, per_cell in maps:
        centers = default_boxes[first : first + cells * per_cell : per_cell, :2]
        distance = (objects[..., None, :] - centers).square().sum(dim=-1)
        nearest = distance.topk(min(cells_per_map, cells), largest=False).indices
        of_cell = torch.arange(per_cell, device=nearest.device)
        candidates.append((first + nearest[..., None] * per_cell + of_cell).flatten(2))
        first += cells * per_cell
    return torch.cat(candidates, dim=2)


def _centers_within(
    targets: Targets, candidates: Float[Tensor, "batch objects candidates 4"]
) -> Bool[Tensor, "batch objects candidates"]:
    """Whether the center of each candidate is inside its object."""
    centers = candidates[..., :2]
    low, high = targets.boxes[..., None, :2], targets.boxes[..., None, 2:]
    return ((centers > low) & (centers < high)).all(dim=-1)

"""Boxes as torch tensors: conversions, overlap, and the coding of a box as offsets from a default box.

Pure functions of any leading shape. Frames: xyxy is (xmin, ymin, xmax, ymax), cxcywh is (centre x, centre y, width,
height); both in any one unit, relative (0..1) everywhere in the model. Paper section 2.2, equation 2.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def cxcywh_to_xyxy(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def xyxy_to_cxcywh(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def pairwise_iou(a: Float[Tensor, "*batch n 4"], b: Float[Tensor, "m 4"]) -> Float[Tensor, "*batch n m"]:
    """Intersection over union of every box of `a` with every box of `b`, xyxy. An empty box overlaps nothing."""
    left, top, right, bottom = (a[..., i, None] for i in range(4))
    # One coordinate at a time: a stacked (…, n, m, 2) intermediate is twice as slow.
    width = torch.minimum(right, b[:, 2]).sub_(torch.maximum(left, b[:, 0])).clamp_(min=0)
    height = torch.minimum(bottom, b[:, 3]).sub_(torch.maximum(top, b[:, 1])).clamp_(min=0)
    intersection = width.mul_(height)
    union = (area(a)[..., None] + area(b)).sub_(intersection)
    return intersection.div_(union.clamp_(min=torch.finfo(union.dtype).tiny))


def area(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n"]:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def encode(
    boxes: Float[Tensor, "*n 4"], default_boxes: Float[Tensor, "*n 4"], variances: tuple[float, float]
) -> Float[Tensor, "*n 4"]:
    """Offsets that turn each default box (cxcywh) into the box (xyxy) beside it; widths and heights must be above 0.

    `variances` are Caffe's name for the divisors of the centre's and of the size's offsets.
    """
    target = xyxy_to_cxcywh(boxes)
    centre = (target[..., :2] - default_boxes[..., :2]) / default_boxes[..., 2:] / variances[0]
    size = torch.log(target[..., 2:] / default_boxes[..., 2:]) / variances[1]
    return torch.cat([centre, size], dim=-1)


def decode(
    offsets: Float[Tensor, "*n 4"], default_boxes: Float[Tensor, "*n 4"], variances: tuple[float, float]
) -> Float[Tensor, "*n 4"]:
    """The inverse of `encode`: boxes as xyxy, not clipped."""
    centre = default_boxes[..., :2] + offsets[..., :2] * variances[0] * default_boxes[..., 2:]
    size = default_boxes[..., 2:] * torch.exp(offsets[..., 2:] * variances[1])
    return cxcywh_to_xyxy(torch.cat([centre, size], dim=-1))

"""Boxes as torch tensors: conversions, IoU, and the encoding of a box as offsets from a default box.

Formats: xyxy is (xmin, ymin, xmax, ymax), cxcywh is (center x, center y, width, height). The functions work in any
unit; the model's boxes are relative (0..1). Where the annotation is `*n`, any leading shape is allowed. Arguments are
not changed. Paper section 2.2, equation 2.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def cxcywh_to_xyxy(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    center, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([center - size / 2, center + size / 2], dim=-1)


def xyxy_to_cxcywh(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def pairwise_iou(a: Float[Tensor, "*batch n 4"], b: Float[Tensor, "m 4"]) -> Float[Tensor, "*batch n m"]:
    """Intersection over union of each box of `a` with each box of `b`, xyxy. An empty box has an IoU of 0.

    `a` may have leading dimensions (the images of a batch); `b` is one list of boxes, the same for all of them.
    """
    left, top, right, bottom = (a[..., i, None] for i in range(4))
    # One coordinate at a time: a stacked (…, n, m, 2) intermediate is twice as slow.
    width = torch.minimum(right, b[:, 2]).sub_(torch.maximum(left, b[:, 0])).clamp_(min=0)
    height = torch.minimum(bottom, b[:, 3]).sub_(torch.maximum(top, b[:, 1])).clamp_(min=0)
    intersection = width.mul_(height)
    union = (area(a)[..., None] + area(b)).sub_(intersection)
    return intersection.div_(union.clamp_(min=torch.finfo(union.dtype).tiny))


def area(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n"]:
    """Width times height of boxes as xyxy."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def encode(
    boxes: Float[Tensor, "*n 4"], default_boxes: Float[Tensor, "*n 4"], variances: tuple[float, float]
) -> Float[Tensor, "*n 4"]:
    """The offsets that turn each default box (cxcywh) into the box (xyxy) of the same row.

    Offsets are (center x, center y, width, height): centers in units of the default box, sizes as logarithms of
    ratios. Both are divided by `variances`, one number for centers and one for sizes (Caffe's word). Widths and
    heights must be above 0.
    """
    target = xyxy_to_cxcywh(boxes)
    center = (target[..., :2] - default_boxes[..., :2]) / default_boxes[..., 2:] / variances[0]
    size = torch.log(target[..., 2:] / default_boxes[..., 2:]) / variances[1]
    return torch.cat([center, size], dim=-1)


def decode(
    offsets: Float[Tensor, "*n 4"], default_boxes: Float[Tensor, "*n 4"], variances: tuple[float, float]
) -> Float[Tensor, "*n 4"]:
    """The inverse of `encode`: boxes as xyxy, not clipped at the image's border."""
    center = default_boxes[..., :2] + offsets[..., :2] * variances[0] * default_boxes[..., 2:]
    size = default_boxes[..., 2:] * torch.exp(offsets[..., 2:] * variances[1])
    return cxcywh_to_xyxy(torch.cat([center, size], dim=-1))

"""Box losses by overlap, in place of the paper's smooth L1 on offsets: GIoU and CIoU.

Each takes decoded boxes and gives 1 - overlap, minus what tells boxes apart that do not touch. A pair of boxes has the
same loss at any scale, so small objects count as much as large ones. GIoU: Rezatofighi et al. 2019, arXiv 1902.09630.
CIoU: Zheng et al. 2020, arXiv 1911.08287.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ssd300.model.boxes import area

Boxes = Float[Tensor, "n 4"]


def giou_loss(boxes: Boxes, wanted: Boxes) -> Float[Tensor, " n"]:
    """1 - GIoU of each box with the one of the same row, xyxy in any unit; 0 if they are equal, under 2.

    GIoU is the IoU less the share of the enclosing box that neither of them covers. Boxes of `wanted` are not empty.
    """
    iou, union = _iou_and_union(boxes, wanted)
    width, height = _enclosing_size(boxes, wanted)
    enclosing = width * height
    return 1 - iou + (enclosing - union) / enclosing


def ciou_loss(boxes: Boxes, wanted: Boxes) -> Float[Tensor, " n"]:
    """1 - CIoU of each box with the one of the same row, xyxy in any unit; 0 if they are equal.

    CIoU is the IoU less the squared distance of the centers, in squared diagonals of the enclosing box, and less a term
    for the difference of the shapes. Boxes of `wanted` are not empty.
    """
    iou, _ = _iou_and_union(boxes, wanted)
    width, height = _enclosing_size(boxes, wanted)
    apart = boxes[:, :2] + boxes[:, 2:] - wanted[:, :2] - wanted[:, 2:]  # twice the way from center to center
    distance = apart.square().sum(dim=1) / 4 / (width.square() + height.square())
    shape = 4 / math.pi**2 * (_angle(boxes) - _angle(wanted)).square()
    with torch.no_grad():  # the weight of the shape is a constant in the gradient, as in torchvision
        weight = shape / (1 - iou + shape).clamp(min=torch.finfo(shape.dtype).eps)
    return 1 - iou + distance + weight * shape


def aligned_iou(boxes: Boxes, wanted: Boxes) -> Float[Tensor, " n"]:
    """The IoU of each box with the one of the same row, xyxy. Boxes of `wanted` are not empty."""
    return _iou_and_union(boxes, wanted)[0]


def _iou_and_union(boxes: Boxes, wanted: Boxes) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    low, high = torch.maximum(boxes[:, :2], wanted[:, :2]), torch.minimum(boxes[:, 2:], wanted[:, 2:])
    intersection = (high - low).clamp(min=0).prod(dim=1)
    union = area(boxes) + area(wanted) - intersection
    return intersection / union, union


def _enclosing_size(boxes: Boxes, wanted: Boxes) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Width and height of the smallest box around both."""
    low, high = torch.minimum(boxes[:, :2], wanted[:, :2]), torch.maximum(boxes[:, 2:], wanted[:, 2:])
    width, height = (high - low).unbind(dim=1)
    return width, height


def _angle(boxes: Boxes) -> Float[Tensor, " n"]:
    """The angle of the diagonal: it tells the shape of a box, whatever its size."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).unbind(dim=1)
    return torch.atan2(width, height)

"""Not a benchmark itself: pytorch-SSD300's loss, written from its description, for comparison.

Matching and mining go image by image; the box loss is plain L1, averaged over all offsets. See docs/differences.md.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ssd300.model.boxes import cxcywh_to_xyxy, encode


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    low = torch.max(a[:, None, :2], b[None, :, :2])
    high = torch.min(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    areas = ((a[:, 2:] - a[:, :2]).prod(1), (b[:, 2:] - b[:, :2]).prod(1))
    return shared / (areas[0][:, None] + areas[1] - shared)


def multibox_loss(
    logits: Tensor, offsets: Tensor, boxes: list[Tensor], labels: list[Tensor], default_boxes: Tensor
) -> Tensor:
    corners = cxcywh_to_xyxy(default_boxes)
    true_offsets, true_classes = torch.zeros_like(offsets), torch.zeros(logits.shape[:2], dtype=torch.int64)
    for image in range(len(boxes)):
        count = len(boxes[image])
        iou = pairwise_iou(boxes[image], corners)
        best, object_ = iou.max(dim=0)
        _, claimed = iou.max(dim=1)
        object_[claimed] = torch.arange(count)
        best[claimed] = 1.0
        wanted = labels[image][object_]
        wanted[best < 0.5] = 0
        true_classes[image] = wanted
        true_offsets[image] = encode(boxes[image][object_], default_boxes, (0.1, 0.2))
    positive = true_classes != 0
    localization = F.l1_loss(offsets[positive], true_offsets[positive])
    confidence = F.cross_entropy(logits.flatten(0, 1), true_classes.flatten(), reduction="none").view(positive.shape)
    negatives = confidence.clone()
    negatives[positive] = 0.0
    ordered, _ = negatives.sort(dim=1, descending=True)
    rank = torch.arange(ordered.shape[1])[None].expand_as(ordered)
    hard = rank < 3 * positive.sum(1, keepdim=True)
    return (ordered[hard].sum() + confidence[positive].sum()) / positive.sum() + localization

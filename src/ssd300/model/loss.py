"""The MultiBox loss with hard negative mining. Paper section 2.2, equations 1 to 3; multibox_loss_layer.cpp:243-251.

Does not know how objects were matched to default boxes. Computes in float32, also for predictions in half precision.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd300.batches import Targets
from ssd300.model.boxes import decode, encode
from ssd300.model.iou_loss import aligned_iou, ciou_loss, giou_loss
from ssd300.model.pisa import pisa_losses
from ssd300.model.predictions import Losses, Predictions

NEGATIVES_PER_POSITIVE = 3  # the paper's "at most 3:1"
BOX_WEIGHT = 1.0  # the paper's alpha, set to 1 by cross validation

Localization = Literal["smooth_l1", "l1_mean", "giou", "ciou"]
Weighting = Literal["equal", "pisa"]
IOU_LOSSES = {"giou": giou_loss, "ciou": ciou_loss}  # of decoded boxes; the others are of offsets


class MultiBoxLoss:
    """The box loss and the class loss of a batch.

    `default_boxes` are cxcywh, relative; `variances` as in `boxes.encode`. `localization` "smooth_l1" is the paper's:
    smooth L1, summed over the four offsets. "l1_mean" is pytorch-SSD300's: plain L1, averaged over the four offsets,
    which gives the box loss about a quarter of the weight. "giou" and "ciou" are those of `iou_loss`, on decoded boxes.

    `box_weight` multiplies the box loss: the paper's alpha. `weighting` "equal" counts all matched default boxes alike,
    "pisa" as `pisa` does.
    """

    def __init__(
        self,
        default_boxes: Float[Tensor, "boxes 4"],
        variances: tuple[float, float],
        *,
        negatives_per_positive: int = NEGATIVES_PER_POSITIVE,
        localization: Localization = "smooth_l1",
        box_weight: float = BOX_WEIGHT,
        weighting: Weighting = "equal",
    ) -> None:
        self.default_boxes = default_boxes
        self.variances = variances
        self.negatives_per_positive = negatives_per_positive
        self.localization = localization
        self.box_weight = box_weight
        self.weighting = weighting

    def __call__(
        self,
        predictions: Predictions,
        targets: Targets,
        matched: Int[Tensor, "batch boxes"],
        *,
        normalizer: Float[Tensor, ""] | None = None,
    ) -> Losses:
        """The losses, divided by the number of matched default boxes of the batch; 0 if none is matched.

        `matched` is the object (its row in `targets`) of each default box, -1 for background, as from `matcher.match`.
        `normalizer` replaces the number of matched default boxes where the batch is a part of a larger one
        (accumulation, several processes).
        """
        positive = matched >= 0
        if normalizer is None:
            normalizer = positive.sum().clamp(min=1).float()
        image, box = torch.nonzero(positive, as_tuple=True)
        object_ = matched[image, box]
        offsets, default_boxes = predictions.offsets[image, box].float(), self.default_boxes[box]
        boxes = targets.boxes[image, object_]
        box_losses = self._box_losses(offsets, boxes, default_boxes)
        localization = box_losses.sum()

        labels = torch.zeros_like(matched)
        labels[image, box] = targets.labels[image, object_]
        chosen = positive | hard_negatives(predictions.logits, positive, self.negatives_per_positive)
        classification = F.cross_entropy(predictions.logits[chosen].float(), labels[chosen], reduction="sum")

        if self.weighting == "pisa":
            more = pisa_losses(
                F.cross_entropy(predictions.logits[image, box].float(), labels[image, box], reduction="none"),
                box_losses.sum(dim=1),
                aligned_iou(decode(offsets.detach(), default_boxes, self.variances), boxes),
                labels=labels[image, box],
                objects=image * targets.labels.shape[1] + object_,
            )
            localization, classification = localization + more.localization, classification + more.classification
        localization = localization * self.box_weight
        return Losses(localization=localization / normalizer, classification=classification / normalizer)

    def _box_losses(
        self, offsets: Float[Tensor, "n 4"], boxes: Float[Tensor, "n 4"], default_boxes: Float[Tensor, "n 4"]
    ) -> Float[Tensor, "n parts"]:
        """The box loss of each matched default box, in one part or in one for each offset. `boxes` are its objects'."""
        if self.localization in IOU_LOSSES:
            decoded = decode(offsets, default_boxes, self.variances)
            return IOU_LOSSES[self.localization](decoded, boxes)[:, None]
        wanted = encode(boxes, default_boxes, self.variances)
        if self.localization == "smooth_l1":
            return F.smooth_l1_loss(offsets, wanted, reduction="none")
        return F.l1_loss(offsets, wanted, reduction="none") / 4


@torch.no_grad()
def hard_negatives(
    logits: Float[Tensor, "batch boxes classes"], positive: Bool[Tensor, "batch boxes"], per_positive: int
) -> Bool[Tensor, "batch boxes"]:
    """The unmatched default boxes with the greatest class loss: `per_positive` per matched one, in each image.

    There may be fewer of them, then all are returned. An image without matched boxes has no negatives
    (bbox_util.cpp:838-1030).
    """
    wanted = (positive.sum(dim=1) * per_positive).clamp(max=positive.shape[1])
    background_loss = logits.float().logsumexp(dim=2) - logits[..., 0].float()
    background_loss.masked_fill_(positive, -torch.inf)
    most = int(wanted.max()) if len(wanted) else 0
    hardest = background_loss.topk(most, dim=1, sorted=True).indices
    within = torch.arange(most, device=logits.device) < wanted[:, None]
    return torch.zeros_like(positive).scatter_(1, hardest, within) & ~positive

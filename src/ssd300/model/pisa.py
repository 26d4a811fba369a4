"""Prime samples: matched default boxes whose decoded box fits best count more. PISA, Cao et al. 2020, arXiv 1904.04821.

Average precision asks for one good box per object with a high score. Two parts of the paper for the positives:
- ISR weighs the class loss of a matched default box by the rank of its IoU with the object;
- CARL adds a box loss weighed by the score of the object's class, so that the score of a badly placed box falls.
Its third part, for negatives, is not here: SSD has hard negative mining. All ranks and means are over the images that
the network processes together.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ssd300.model.predictions import Losses

POWER = 2.0  # of ISR, for SSD: k in mmdetection's configs/pisa
CARL_FLOOR = 0.2  # the weight of a score of 0 in CARL, before scaling: b of the paper


def pisa_losses(
    class_losses: Float[Tensor, " n"],
    box_losses: Float[Tensor, " n"],
    iou: Float[Tensor, " n"],
    *,
    labels: Int[Tensor, " n"],
    objects: Int[Tensor, " n"],
) -> Losses:
    """What PISA adds to the sums of both losses of n matched default boxes.

    `iou` is that of each decoded box with its object, `labels` are the objects' classes, and `objects` has a number for
    each object of the batch. To the class loss it adds 0, but another gradient.
    """
    weights = isr_weights(iou, labels, objects, class_losses.detach())
    scores = torch.exp(-class_losses)  # of the objects' classes, as the class loss is -log(score)
    return Losses(
        localization=(box_losses * carl_weights(scores)).sum(), classification=(class_losses * (weights - 1)).sum()
    )


@torch.no_grad()
def isr_weights(
    iou: Float[Tensor, " n"], labels: Int[Tensor, " n"], objects: Int[Tensor, " n"], losses: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """The weights of the class losses of n matched default boxes; the weighted sum equals the sum of `losses`.

    The rank is hierarchical (the paper's IoU-HLR): of a class, first the best boxes of all objects by IoU, then all
    second best ones. The weight falls in a line with the rank, then is raised to a power.
    """
    if len(iou) == 0:
        return torch.ones_like(iou)
    of_object = ranks(iou, objects)
    most = int(torch.unique(labels, return_counts=True)[1].max())
    of_class = ranks(iou.double() - 2 * of_object, labels)  # an IoU is at most 1, so the rank in the object decides
    weights: Tensor = ((most - of_class) / most) ** POWER
    return weights * losses.sum() / (weights * losses).sum().clamp(min=torch.finfo(losses.dtype).tiny)


def carl_weights(scores: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The weights of the box losses of n matched default boxes, with a gradient to `scores`; their mean is 1.

    `scores` are those of the objects' classes, 0..1.
    """
    weights = CARL_FLOOR + (1 - CARL_FLOOR) * scores
    return weights * (len(scores) / weights.sum())


def ranks(values: Float[Tensor, " n"], groups: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """The rank of each value within its group: 0 for the greatest. Of equal values the first is before the others."""
    by_value = values.argsort(descending=True, stable=True)
    order = by_value[groups[by_value].argsort(stable=True)]
    counts = torch.unique(groups, return_counts=True)[1]
    starts = (counts.cumsum(0) - counts).repeat_interleave(counts)
    result = torch.empty_like(order)
    result[order] = torch.arange(len(order), device=order.device) - starts
    return result

"""A running average of the weights, evaluated and saved beside the raw ones (Polyak and Juditsky 1992)."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def average_of(model: nn.Module, *, decay: float) -> AveragedModel:
    """A copy of the model that `update_parameters` moves towards it: by 1 - `decay` of the way, further at first.

    The means and variances of batch normalisation are averaged too, counts are copied.
    """

    def towards(averages: Tensors, values: Tensors, updates: Tensor | int) -> None:
        share = 1 - averaging_decay(int(updates), decay)
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value.to(average), share)
            else:
                average.copy_(value)

    average = AveragedModel(model, multi_avg_fn=torch.no_grad()(towards), use_buffers=True)
    average.requires_grad_(False)
    return average


def averaging_decay(updates: int, decay: float) -> float:
    """What an average of so many updates keeps at the next; small at first, as the start says little of the end."""
    return min(decay, (1 + updates) / (10 + updates))

"""A running average of the weights, evaluated and saved beside the raw ones (Polyak and Juditsky 1992)."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def average_of(model: nn.Module, *, decay: float) -> AveragedModel:
    """A copy of the model; each `update_parameters` moves it towards the model, by 1 - `averaging_decay` of the way.

    The first update copies. Means and variances of batch normalization are averaged too; integers are copied.
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
    """The share of itself that an average of `updates` updates retains at the next: small at first, `decay` at most."""
    return min(decay, (1 + updates) / (10 + updates))

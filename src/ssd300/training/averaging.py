"""A running average of the weights, evaluated and saved beside the raw ones (Polyak and Juditsky 1992)."""

import math

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def average_of(model: nn.Module, *, decay: float, ramp_steps: int = 0) -> AveragedModel:
    """A copy of the model; each `update_parameters` moves it towards the model, by 1 - `averaging_decay` of the way.

    The first update copies. Means and variances of batch normalization are averaged too; integers are copied.
    """

    def towards(averages: Tensors, values: Tensors, updates: Tensor | int) -> None:
        share = 1 - averaging_decay(int(updates), decay, ramp_steps)
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value.to(average), share)
            else:
                average.copy_(value)

    average = AveragedModel(model, multi_avg_fn=torch.no_grad()(towards), use_buffers=True)
    average.requires_grad_(False)
    return average


def averaging_decay(updates: int, decay: float, ramp_steps: int = 0) -> float:
    """The share of itself that an average of `updates` updates retains at the next: small at first, `decay` at most.

    Without `ramp_steps` it is that of TensorFlow's averages, (1 + n) / (10 + n): the average is over about the last
    ninth of the run, until `decay` is reached. With it, it rises as an exponential, d (1 - e^(-n / ramp_steps)), as in
    YOLOv5 with 2,000: a shorter average in a run of a few thousand steps, which forgets the early weights sooner.
    """
    if ramp_steps:
        return decay * (1 - math.exp(-updates / ramp_steps))
    return min(decay, (1 + updates) / (10 + updates))

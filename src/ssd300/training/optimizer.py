"""What makes an update of a gradient: Caffe's SGD, or AdamW.

With Caffe's SGD biases have twice the rate and no weight decay (ssd_pascal.py: lr_mult and decay_mult).
"""

from typing import Any, Literal

import torch
from torch import nn

BIAS_RATE = 2.0

Kind = Literal["sgd", "adamw"]


def make_optimizer(
    model: nn.Module,
    *,
    kind: Kind = "sgd",
    momentum: float,
    weight_decay: float,
    decay_biases: bool = False,
    backbone: nn.Module | None = None,
    backbone_rate: float = 1.0,
) -> torch.optim.Optimizer:
    """An optimizer with groups for weights and biases, and for the scales of batch normalization if the model has any.

    Those scales, which the paper's network does not have, get the rate of weights and no decay; the scale of L2Norm is
    a weight. `decay_biases` is pytorch-SSD300's rule. Rates are set by `set_learning_rate`. Parameters without a
    gradient, which are frozen, are left out.

    'adamw' is that of Loshchilov and Hutter, arXiv 1711.05101, with torch's own constants. The weight decay is then of
    the weights themselves and not of the gradient, all parameters have one rate, and `momentum` has no effect.

    `backbone_rate` multiplies the rates of the parameters of `backbone`, which then have groups of their own.
    """
    weights, scales, biases = [], [], []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad:
                continue
            if name == "bias":
                biases.append(parameter)
            elif isinstance(module, nn.modules.batchnorm._BatchNorm):
                scales.append(parameter)
            else:
                weights.append(parameter)
    bias_rate = BIAS_RATE if kind == "sgd" else 1.0
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": weight_decay, "rate": 1.0},
        {"params": scales, "weight_decay": 0.0, "rate": 1.0},
        {"params": biases, "weight_decay": weight_decay if decay_biases else 0.0, "rate": bias_rate},
    ]
    if backbone is not None and backbone_rate != 1:
        groups = [part for group in groups for part in _split(group, backbone, backbone_rate)]
    groups = [group for group in groups if group["params"]]
    if kind == "adamw":
        return torch.optim.AdamW(groups, lr=1.0)
    return torch.optim.SGD(groups, lr=1.0, momentum=momentum)


def _split(group: dict[str, Any], backbone: nn.Module, backbone_rate: float) -> list[dict[str, Any]]:
    """The parameters of the backbone with their own rate, then the others."""
    inside = set(backbone.parameters())
    parts = [[one for one in group["params"] if (one in inside) == of_backbone] for of_backbone in (True, False)]
    return [group | {"params": parts[0], "rate": group["rate"] * backbone_rate}, group | {"params": parts[1]}]


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """`rate` times that of each group: 1 for weights, `BIAS_RATE` for biases of SGD, less or more in a backbone."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate"]

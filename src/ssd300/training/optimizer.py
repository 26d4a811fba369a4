"""Caffe's SGD: biases have twice the rate and no weight decay (ssd_pascal.py: lr_mult and decay_mult)."""

import torch
from torch import nn

BIAS_RATE = 2.0


def make_optimizer(
    model: nn.Module, *, momentum: float, weight_decay: float, decay_biases: bool = False
) -> torch.optim.SGD:
    """SGD with groups for weights and biases, and one for the scales of batch normalization if the model has any.

    Those scales, which the paper's network does not have, get the rate of weights and no decay; the scale of L2Norm is
    a weight. `decay_biases` is pytorch-SSD300's rule. Rates are set by `set_learning_rate`. Parameters without a
    gradient, which are frozen, are left out.
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
    groups = [
        {"params": weights, "weight_decay": weight_decay, "rate": 1.0},
        {"params": scales, "weight_decay": 0.0, "rate": 1.0},
        {"params": biases, "weight_decay": weight_decay if decay_biases else 0.0, "rate": BIAS_RATE},
    ]
    return torch.optim.SGD([group for group in groups if group["params"]], lr=1.0, momentum=momentum)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """`rate` for weights, `BIAS_RATE` times as much for biases."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate"]

"""Caffe's SGD: biases at twice the rate and without weight decay (ssd_pascal.py: lr_mult and decay_mult)."""

import torch
from torch import nn

BIAS_RATE = 2.0


def make_optimizer(
    model: nn.Module, *, momentum: float, weight_decay: float, decay_biases: bool = False
) -> torch.optim.SGD:
    """Two groups, weights and biases; `set_learning_rate` gives them their rates.

    The learned scale of the L2 norm is a weight; scales of batch normalisation, which the paper's network has not, go
    without decay and at the plain rate. `decay_biases` is pytorch-SSD300's rule.
    """
    weights, scales, biases = [], [], []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
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
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate"]

"""Depthwise-separable convolutions: one filter for each channel, then a mix of the channels at each place.

Each is followed by batch normalization and ReLU6, as in MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381). All of it
is fast in training on a CPU.
"""

from torch import nn

from ssd300.model.depthwise import DepthwiseConv2d
from ssd300.model.layers import BatchNorm
from ssd300.model.relu6 import ReLU6


def depthwise(channels: int, kernel: int = 3, *, stride: int = 1, padding: int | None = None) -> nn.Sequential:
    """One filter for each channel. Padding that is left out gives as many cells as before, divided by the stride and
    rounded up.
    """
    around = kernel // 2 if padding is None else padding
    convolution = nn.Conv2d(channels, channels, kernel, stride, around, groups=channels, bias=False)
    return nn.Sequential(DepthwiseConv2d(convolution), BatchNorm(channels), ReLU6())


def pointwise(in_channels: int, width: int, *, activated: bool = True) -> nn.Sequential:
    """A mix of the channels at each place, without ReLU6 if not `activated`."""
    layers = [nn.Conv2d(in_channels, width, 1, bias=False), BatchNorm(width)]
    return nn.Sequential(*layers, ReLU6()) if activated else nn.Sequential(*layers)


def separable(in_channels: int, width: int, kernel: int = 3, *, stride: int = 1) -> nn.Sequential:
    """Filters, then a mix."""
    return nn.Sequential(depthwise(in_channels, kernel, stride=stride), pointwise(in_channels, width))

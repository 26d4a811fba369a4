"""Exchange a network's layers for those that are faster in training on a CPU, with the same weights and results."""

from torch import nn

from ssd300.model.depthwise import DepthwiseConv2d, is_replaceable
from ssd300.model.relu6 import ReLU6


def use_fast_layers(network: nn.Module) -> None:
    """Put a DepthwiseConv2d in the place of every depthwise convolution that it can replace, and our ReLU6 in that of
    torch's, in place.
    """
    for name, layer in list(network.named_modules()):
        parent, _, own = name.rpartition(".")
        same = type(layer).__name__ == "Conv2dSame"  # timm's; other classes may do more than convolve
        if (same or type(layer) is nn.Conv2d) and is_replaceable(layer):
            setattr(network.get_submodule(parent), own, DepthwiseConv2d(layer, same=same))
        elif type(layer) is nn.ReLU6 and layer.inplace:
            setattr(network.get_submodule(parent), own, ReLU6())

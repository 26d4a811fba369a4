"""Small layers of SSD: L2 normalization, batch normalization, convolution to one cell; and Caffe's initialization."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ssd300.model.on_cpu import is_trained_on_cpu

L2_SCALE = 20.0  # ssd_pascal.py: normalizations of conv4_3
L2_EPSILON = 1e-10  # normalize_layer's eps; without it a location of zeros gives NaN


class L2Norm(nn.Module):
    """Divide each location by its L2 norm over the channels, then scale each channel by a learned weight."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), L2_SCALE))

    def forward(self, features: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch channels h w"]:
        # In float32: sums of squares in bfloat16 or float16 lose their small terms, and those of float16 overflow.
        wide = features.float()
        length = torch.sqrt(wide.square().sum(dim=1, keepdim=True) + L2_EPSILON)
        return (wide / length * self.weight[:, None, None]).to(features.dtype)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization that, in training, uses its running statistics where a channel has a single value.

    A single value has no variance, and torch raises an error. It occurs with one image and a map of one cell.
    """

    def forward(self, features: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch channels h w"]:
        if self.training and features[:, 0].numel() == 1:
            return F.batch_norm(features, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        normalized: Tensor = super().forward(features)
        return normalized


class Conv2d(nn.Conv2d):
    """A convolution whose weights have the right gradient on a CPU where it gives a single cell, too.

    There some taps may see nothing but padding. With a stride above 1, torch's CPU library (oneDNN) does not set their
    gradient in bfloat16: it is what was in memory before, at times NaN. So they are left out, and get a gradient of 0.
    """

    def forward(self, features: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch width h2 w2"]:
        top, left = map(int, self.padding)
        height, width = features.shape[2:]
        # What is left of the image beyond the first place of the kernel is smaller than a stride.
        is_single = height + 2 * top < self.kernel_size[0] + self.stride[0]
        is_single &= width + 2 * left < self.kernel_size[1] + self.stride[1]
        if not (is_single and is_trained_on_cpu(features)):
            convolved: Tensor = super().forward(features)
            return convolved
        seen = self.weight[:, :, top : top + height, left : left + width]
        return F.conv2d(features[:, :, : seen.shape[2], : seen.shape[3]], seen, self.bias)


def init_fan_in(module: nn.Module) -> None:
    """Caffe's "xavier" for a convolution: uniform within sqrt(3 / fan_in), biases 0 (filler.hpp:146-164).

    Other modules are not changed, so it can be given to `Module.apply`. torch's `xavier_uniform_` averages fan in and
    fan out, which is another distribution.
    """
    if isinstance(module, nn.Conv2d):
        fan_in = module.weight[0].numel()
        bound = math.sqrt(3 / fan_in)
        nn.init.uniform_(module.weight, -bound, bound)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

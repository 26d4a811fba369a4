"""A light feature pyramid: each map of the backbone learns what the coarser and the finer ones have seen.

The finest map, which finds the small objects, comes from the first layers and knows least of what an object is. So
features flow down from coarse to fine (FPN, Lin et al. 2017, arXiv 1612.03144), then up again by short ways (PANet, Liu
et al. 2018, arXiv 1803.01534). Layers are depthwise-separable, with kernels of 5 x 5 as in PicoDet (Yu et al. 2021,
arXiv 2111.00902). Not in the SSD paper.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ssd300.model.layers import init_fan_in
from ssd300.model.separable import pointwise, separable

WIDTH = 96  # channels of all maps
KERNEL = 5


class Pyramid(nn.Module):
    """As many maps of the same sizes as the backbone gives, all of `WIDTH` channels.

    `channels` come in as those of the backbone's maps, finest first; each map has half the cells of the one before,
    rounded up. Weights are random (Caffe's "xavier").
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = (WIDTH,) * len(channels)
        steps = range(len(channels) - 1)
        self.lateral = nn.ModuleList(pointwise(width, WIDTH, activated=False) for width in channels)
        self.smooth_down = nn.ModuleList(separable(WIDTH, WIDTH, KERNEL) for _ in steps)
        self.halve = nn.ModuleList(separable(WIDTH, WIDTH, KERNEL, stride=2) for _ in steps)
        self.smooth_up = nn.ModuleList(separable(WIDTH, WIDTH, KERNEL) for _ in steps)
        self.apply(init_fan_in)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The maps, finest first, in and out."""
        found = [lateral(features) for lateral, features in zip(self.lateral, maps, strict=True)]
        for fine in reversed(range(len(found) - 1)):
            found[fine] = self.smooth_down[fine](found[fine] + enlarged(found[fine + 1], found[fine]))
        for fine in range(len(found) - 1):
            found[fine + 1] = self.smooth_up[fine](found[fine + 1] + self.halve[fine](found[fine]))
        return found


def enlarged(
    coarse: Float[Tensor, "batch channels h w"], fine: Float[Tensor, "batch channels h2 w2"]
) -> Float[Tensor, "batch channels h2 w2"]:
    """Each cell of `coarse` becomes 2 x 2 of its value, as many as `fine` has: an odd map cuts the last ones in half.

    So a cell gets what the cell above it has, at every size; `interpolate` with a size would shift them.
    """
    height, width = fine.shape[2:]
    doubled = F.interpolate(coarse, scale_factor=2.0, mode="nearest")
    return doubled if doubled.shape[2:] == fine.shape[2:] else doubled[:, :, :height, :width]

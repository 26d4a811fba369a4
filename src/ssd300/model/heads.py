"""The layers behind the backbone: extra feature maps, and the convolutions that predict from each map.

Paper section 2.1, figure 2; ssd_pascal.py AddExtraLayers and model_libs.py CreateMultiBoxHead. SSDLite's are those of
MobileNetV2 (arXiv 1801.04381, section 6.2): regular convolutions become depthwise-separable ones.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ssd300.model.layers import BatchNorm, Conv2d, init_fan_in
from ssd300.model.predictions import Predictions
from ssd300.model.separable import depthwise, pointwise

PRIOR_STD = 0.01  # of the weights, as RetinaNet's

HeadKind = Literal["ssd", "ssdlite"]


class Extra(NamedTuple):
    """A further map: a 1x1 convolution to `squeeze` channels, then a larger one to `width` channels."""

    squeeze: int
    width: int
    stride: int
    padding: int
    kernel: int = 3

    def cells(self, before: int) -> int:
        """Cells along a side of the map, from those of the map before."""
        return (before + 2 * self.padding - self.kernel) // self.stride + 1


class ExtraLayers(nn.Module):
    """Each layer reduces channels with a 1x1 convolution, shrinks the map with a larger one, and gives a further map.

    `channels` are the widths of the maps. The paper's layers have no batch normalization; `batch_norm` is for backbones
    that are trained with it. `kind` "ssdlite" makes the larger convolution depthwise-separable, as torchvision's
    SSDLite does; these layers always have batch normalization.
    """

    def __init__(
        self, in_channels: int, layers: Sequence[Extra], *, batch_norm: bool = False, kind: HeadKind = "ssd"
    ) -> None:
        super().__init__()
        self.channels = tuple(layer.width for layer in layers)
        before = (in_channels, *self.channels)
        self.blocks = nn.ModuleList(
            _separable_extra(width, layer) if kind == "ssdlite" else _extra(width, layer, batch_norm)
            for width, layer in zip(before, layers, strict=False)
        )
        self.apply(init_fan_in)

    def forward(self, features: Float[Tensor, "batch channels h w"]) -> list[Tensor]:
        """The further maps, from the backbone's last one."""
        maps = []
        for block in self.blocks:
            features = block(features)
            maps.append(features)
        return maps


def _extra(in_channels: int, layer: Extra, batch_norm: bool) -> nn.Sequential:
    return nn.Sequential(
        *_convolution(in_channels, layer.squeeze, 1, 1, 0, batch_norm),
        *_convolution(layer.squeeze, layer.width, layer.kernel, layer.stride, layer.padding, batch_norm),
    )


def _separable_extra(in_channels: int, layer: Extra) -> nn.Sequential:
    return nn.Sequential(
        pointwise(in_channels, layer.squeeze),
        depthwise(layer.squeeze, layer.kernel, stride=layer.stride, padding=layer.padding),
        pointwise(layer.squeeze, layer.width),
    )


def _convolution(
    in_channels: int, width: int, kernel: int, stride: int, padding: int, batch_norm: bool
) -> list[nn.Module]:
    layers: list[nn.Module] = [Conv2d(in_channels, width, kernel, stride, padding, bias=not batch_norm)]
    if batch_norm:
        layers.append(BatchNorm(width))
    return [*layers, nn.ReLU(inplace=True)]


class Heads(nn.Module):
    """For each map one convolution for class logits (background first) and one for box offsets.

    They are 3x3. With `kind` "ssdlite" they are 1x1, each behind a depthwise 3x3 convolution of its own.
    `channels` and `boxes_per_cell` have one entry per map; `num_logits` includes background.
    """

    def __init__(
        self, channels: Sequence[int], boxes_per_cell: Sequence[int], num_logits: int, *, kind: HeadKind = "ssd"
    ) -> None:
        super().__init__()
        self.num_logits = num_logits
        pairs = list(zip(channels, boxes_per_cell, strict=True))
        kernel = 1 if kind == "ssdlite" else 3
        around = kernel // 2
        self.logits = nn.ModuleList(
            nn.Conv2d(width, boxes * num_logits, kernel, padding=around) for width, boxes in pairs
        )
        self.offsets = nn.ModuleList(nn.Conv2d(width, boxes * 4, kernel, padding=around) for width, boxes in pairs)
        before = depthwise if kind == "ssdlite" else nn.Identity
        self.before_logits = nn.ModuleList(before(width) for width in channels)
        self.before_offsets = nn.ModuleList(before(width) for width in channels)
        self.apply(init_fan_in)

    def forward(self, maps: Sequence[Tensor]) -> Predictions:
        return Predictions(
            logits=_joined(maps, self.before_logits, self.logits, self.num_logits),
            offsets=_joined(maps, self.before_offsets, self.offsets, 4),
        )


def expect_few_objects(heads: Heads, share: float) -> None:
    """Have new class outputs take a default box for an object with the probability `share`, above 0 and under 1.

    Randomly initialized ones see an object in nearly every box, and unlearn it in the first part of a run. The biases
    are those of RetinaNet (Lin et al. 2017, arXiv 1708.02002, section 4.1), for a softmax: all classes are as probable.
    """
    for head in heads.logits:
        assert isinstance(head, nn.Conv2d)
        nn.init.normal_(head.weight, std=PRIOR_STD)
        with torch.no_grad():
            biases = head.bias.view(-1, heads.num_logits)  # type: ignore[union-attr]  # heads have biases
            biases.zero_()
            biases[:, 0] = math.log((1 - share) / share * (heads.num_logits - 1))


def _joined(
    maps: Sequence[Tensor], before: nn.ModuleList, heads: nn.ModuleList, width: int
) -> Float[Tensor, "batch boxes width"]:
    """The rows of all maps, one after the other."""
    return torch.cat([_rows(head(one(m)), width) for m, one, head in zip(maps, before, heads, strict=True)], 1)


def _rows(output: Float[Tensor, "batch channels h w"], width: int) -> Float[Tensor, "batch boxes width"]:
    """One row per default box, in the order of `make_default_boxes`: cell by cell, then the boxes of a cell."""
    return output.permute(0, 2, 3, 1).reshape(output.shape[0], -1, width)  # len() would fix the batch in an export

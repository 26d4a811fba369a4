"""The paper's color changes, for a batch of images on its own device (im_transforms.cpp:551-730).

Each change saturates at 0 and 255 as Caffe's 8-bit images do; values in between are not rounded.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ssd300.batches import Photometric
from ssd300.images.to_tensor import WHITE


@torch.no_grad()
def apply_photometric(
    images: UInt8[Tensor, "batch 3 h w"], changes: Photometric, fill: Float[Tensor, "3 1 1"]
) -> Float[Tensor, "batch 3 h w"]:
    """RGB in 0..1 with the colors changed, and `fill` (RGB in 0..1) outside of the photograph.

    A CPU changes one image after the other: its cache holds one through all of the changes, but not a batch.
    """
    if images.device.type == "cpu":
        rows = [slice(row, row + 1) for row in range(len(images))]
        return torch.cat([_changed(images[row], changes.part(row), fill) for row in rows])
    return _changed(images, changes, fill)


def _changed(
    images: UInt8[Tensor, "batch 3 h w"], changes: Photometric, fill: Float[Tensor, "3 1 1"]
) -> Float[Tensor, "batch 3 h w"]:
    pixels = images.float()
    first = changes.contrast_first
    pixels = (pixels + _column(changes.brightness)).clamp_(0, WHITE)
    pixels = _contrast(pixels, torch.where(first, changes.contrast, 1.0))
    pixels = _saturation(pixels, changes.saturation)
    pixels = _hue(pixels, changes.hue_degrees)
    pixels = _contrast(pixels, torch.where(first, 1.0, changes.contrast)) / WHITE
    left, top, right, bottom = (edge[:, None] for edge in changes.content_px.unbind(1))
    x = torch.arange(images.shape[3], device=images.device)
    y = torch.arange(images.shape[2], device=images.device)
    inside_x, inside_y = (x >= left) & (x < right), (y >= top) & (y < bottom)
    inside = inside_y[:, None, :, None] & inside_x[:, None, None, :]
    return torch.where(inside, pixels, fill)


def _column(values: Float[Tensor, " batch"]) -> Float[Tensor, "batch 1 1 1"]:
    return values[:, None, None, None]


def _contrast(pixels: Tensor, factor: Float[Tensor, " batch"]) -> Tensor:
    return (pixels * _column(factor)).clamp_(0, WHITE)


def _saturation(pixels: Tensor, factor: Float[Tensor, " batch"]) -> Tensor:
    """HSV's saturation times `factor`, cut at 1: each channel moves linearly from or to the value."""
    value, low = pixels.amax(1, keepdim=True), pixels.amin(1, keepdim=True)
    most = value / (value - low).clamp(min=1e-6)
    return value - (value - pixels) * torch.minimum(_column(factor), most)


def _hue(pixels: Tensor, degrees: Float[Tensor, " batch"]) -> Tensor:
    """HSV's hue turned by `degrees`; images with 0 degrees are not computed."""
    turned = torch.nonzero(degrees).flatten()
    if len(turned) == 0:
        return pixels
    red, green, blue = pixels[turned].unbind(1)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    safe = chroma.clamp(min=1e-6)
    sixths = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    sixths = sixths + (degrees[turned] / 60)[:, None, None]
    channels = []
    for offset in (5, 3, 1):
        place = (offset + sixths) % 6
        channels.append(value - chroma * torch.minimum(place, 4 - place).clamp(0, 1))
    result = pixels.clone()
    result[turned] = torch.stack(channels, 1)
    return result

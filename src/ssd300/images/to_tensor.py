"""Pixels as torch networks take them: RGB tensors in 0..1 at the network's size."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from ssd300.images.resize import ANTIALIASED, Resize, resize

WHITE = 255.0


def to_float(images: UInt8[Tensor, "*batch 3 h w"]) -> Float[Tensor, "*batch 3 h w"]:
    """From 0..255 to 0..1, in float32."""
    return images / WHITE  # in one pass: torch divides integers as float32


def to_input(image: UInt8[np.ndarray, "h w 3"], size: int, how: Resize) -> Float[Tensor, "3 size size"]:
    """The image (RGB) for the network: in 0..1, at `size` squared, by the filter `how`."""
    if how == ANTIALIASED:
        return to_float(torch.from_numpy(resize(image, size).copy()).permute(2, 0, 1))
    pixels = to_float(torch.from_numpy(image.copy()).permute(2, 0, 1))
    return F.interpolate(pixels[None], (size, size), mode="bilinear", align_corners=False)[0]

"""From a decoded picture to the network's size: the one way of evaluation, detection and training without augmentation.

The filter belongs to the weights, whose file names it: with another one a detector sees other pictures than it was
trained on. No cropping, no borders; the sides are stretched (paper section 3).
"""

from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

Resize = Literal["pillow-bilinear-antialias", "bilinear"]
ANTIALIASED: Resize = "pillow-bilinear-antialias"  # ours, and the tutorial's: the filter widens when it shrinks
BILINEAR: Resize = "bilinear"  # torchvision's SSD and OpenCV: four neighbours, however much it shrinks
RESIZES: tuple[Resize, ...] = get_args(Resize)
WHITE = 255.0


def resize(image: UInt8[np.ndarray, "h w 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """The antialiased picture, in the 8 bits that it is stored and augmented in."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def to_float(images: UInt8[Tensor, "*batch 3 h w"]) -> Float[Tensor, "*batch 3 h w"]:
    """RGB in 0..1, as the network takes it."""
    return images / WHITE  # one pass: integers are divided as float32


def to_input(image: UInt8[np.ndarray, "h w 3"], size: int, how: Resize) -> Float[Tensor, "3 size size"]:
    """The picture as the network takes it: RGB in 0..1, `size` squared."""
    if how == ANTIALIASED:
        return to_float(torch.from_numpy(resize(image, size).copy()).permute(2, 0, 1))
    pixels = to_float(torch.from_numpy(image.copy()).permute(2, 0, 1))
    return F.interpolate(pixels[None], (size, size), mode="bilinear", align_corners=False)[0]

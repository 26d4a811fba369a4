"""From a decoded image to the network's size: the one way of evaluation, detection and training without augmentation.

The filter belongs to the weights, whose file names it: with another one a detector sees other images than it was
trained on. No cropping, no borders; the sides are stretched (paper section 3).
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image

Resize = Literal["pillow-bilinear-antialias", "bilinear"]
ANTIALIASED: Resize = "pillow-bilinear-antialias"  # ours, and the tutorial's: the filter widens when it shrinks
BILINEAR: Resize = "bilinear"  # torchvision's SSD and OpenCV: four neighbours, however much it shrinks
RESIZES: tuple[Resize, ...] = get_args(Resize)


def resize(image: UInt8[np.ndarray, "h w 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """The antialiased image, in the 8 bits that it is stored and augmented in."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def to_size(image: UInt8[np.ndarray, "h w 3"], size: int, how: Resize) -> np.ndarray:
    """The image as an exported network takes it, (size, size, 3): 8 bits if antialiased, else float32 in 0..255."""
    return resize(image, size) if how == ANTIALIASED else _bilinear(image, size)


def _bilinear(image: UInt8[np.ndarray, "h w 3"], size: int) -> Float[np.ndarray, "size size 3"]:
    """Four neighbours of each point, half-pixel centres: torch's interpolation without align_corners."""
    top, bottom, down = _neighbours(image.shape[0], size)
    left, right, across = _neighbours(image.shape[1], size)
    down, across = down[:, None, None], across[:, None]
    upper = image[top][:, left] * (1 - across) + image[top][:, right] * across
    lower = image[bottom][:, left] * (1 - across) + image[bottom][:, right] * across
    mixed: np.ndarray = upper * (1 - down) + lower * down
    return mixed


def _neighbours(length: int, size: int) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Of each of `size` points: the pixel before it, the one after it, and the weight of the latter."""
    places = np.clip((np.arange(size, dtype=np.float32) + 0.5) * np.float32(length / size) - 0.5, 0, None)
    first = np.minimum(places.astype(np.int64), length - 1)
    return first, np.minimum(first + 1, length - 1), (places - first).astype(np.float32)

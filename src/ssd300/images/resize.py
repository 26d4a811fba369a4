"""From a decoded image to the network's size, without augmentation and without torch, which exported files do not need.

The filter belongs to the weights, whose file names it: with another one the network gets other images than it was
trained on. There is no cropping and no border; each side is stretched (paper section 3). The bilinear filter is here in
numpy, and in `to_tensor` by torch, so that torch networks get torchvision's numbers; a test compares the two.
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image

Resize = Literal["pillow-bilinear-antialias", "bilinear"]
ANTIALIASED: Resize = "pillow-bilinear-antialias"  # ours, and pytorch-SSD300's: the filter widens as the image shrinks
BILINEAR: Resize = "bilinear"  # torchvision's SSD and OpenCV: four neighbors, however much the image shrinks
RESIZES: tuple[Resize, ...] = get_args(Resize)


def resize(image: UInt8[np.ndarray, "h w 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """The image at `size` squared with antialiasing, in 8 bits."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def to_size(image: UInt8[np.ndarray, "h w 3"], size: int, how: Resize) -> np.ndarray:
    """The image for an exported network, shape (size, size, 3), RGB in 0..255: uint8 if antialiased, else float32."""
    return resize(image, size) if how == ANTIALIASED else _bilinear(image, size)


def _bilinear(image: UInt8[np.ndarray, "h w 3"], size: int) -> Float[np.ndarray, "size size 3"]:
    """Bilinear interpolation with pixel centers at one half: torch's without align_corners."""
    top, bottom, down = _neighbors(image.shape[0], size)
    left, right, across = _neighbors(image.shape[1], size)
    down, across = down[:, None, None], across[:, None]
    upper = image[top][:, left] * (1 - across) + image[top][:, right] * across
    lower = image[bottom][:, left] * (1 - across) + image[bottom][:, right] * across
    mixed: np.ndarray = upper * (1 - down) + lower * down
    return mixed


def _neighbors(length: int, size: int) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """For each of `size` points along a side: the pixel before, the pixel after, and the weight of the one after."""
    places = np.clip((np.arange(size, dtype=np.float32) + 0.5) * np.float32(length / size) - 0.5, 0, None)
    first = np.minimum(places.astype(np.int64), length - 1)
    return first, np.minimum(first + 1, length - 1), (places - first).astype(np.float32)

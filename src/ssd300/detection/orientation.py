"""How a video says that its images are shown: turned, mirrored, and with pixels that are not square."""

from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import UInt8

MATRIX = "DISPLAYMATRIX"  # FFmpeg's name of the side data
WIDEST_PIXEL = 10  # a pixel that is longer than this many times its width, or the other way round, is a fault


def as_shown(image: Any, aspect: Fraction | None) -> UInt8[np.ndarray, "h w 3"]:
    """The pixels (RGB) of a decoded image as a player shows them; `aspect` is the width of a pixel over its height."""
    height, width = shown_size(image.height, image.width, aspect)
    pixels = image.to_ndarray(format="rgb24", width=width, height=height)
    matrix = image.side_data.get(MATRIX)
    if matrix is not None:
        pixels = turned(pixels, np.frombuffer(bytes(matrix), np.int32))
    return np.ascontiguousarray(pixels)


def shown_size(height: int, width: int, aspect: Fraction | None) -> tuple[int, int]:
    """Height and width with square pixels: the height stays, as players keep it."""
    if not aspect or not Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL:
        return height, width
    return height, max(1, round(width * aspect))


def turned(pixels: UInt8[np.ndarray, "h w 3"], matrix: np.ndarray) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The image after the display matrix (nine numbers; ISO/IEC 14496-12, 8.3.2): one of the eight upright positions.

    x of the shown image is a * x + c * y, and its y is b * x + d * y. Another angle is taken as the nearest of these.
    """
    a, b, _, c, d = (int(value) for value in matrix[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]

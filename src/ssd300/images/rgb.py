"""What an image is: the one rule from a decoded image of any mode to the RGB pixels that a viewer shows.

Files, uploads, opened Pillow images and arrays all pass here. The EXIF orientation is applied, transparent parts show
the mean color, 16 bits are scaled to 8, palettes, gray, CMYK and the like become RGB.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageCms, ImageOps

from ssd300.images.pages import page_count, page_note

BEHIND_ALPHA = (123, 117, 104)  # the mean color of Caffe's recipe (ssd_pascal.py:178), in RGB
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")


class DecodedImage(NamedTuple):
    """The pixels of an image, and `notes`: what was done with it that its user may not expect."""

    pixels: UInt8[np.ndarray, "h w 3"]
    notes: tuple[str, ...] = ()


def upright_rgb(image: Image.Image) -> DecodedImage:
    """An opened image file as RGB, turned as its EXIF data says; of its pages the one that it stands at.

    What Pillow raises for a broken one is passed on.
    """
    count, page = page_count(image), image.tell() + 1
    image.load()
    pixels = np.asarray(to_rgb(turned(image)))
    return DecodedImage(pixels, (page_note(page, count),) if count > 1 else ())


def turned(image: Image.Image) -> Image.Image:
    """A loaded image turned as its EXIF data says; as it is, if that data is damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Pillow raises many kinds; viewers show such an image
        return image


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of any mode as RGB, turned already."""
    if image.mode in _SIXTEEN_BIT:
        return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        return Image.fromarray(eight_bits(np.asarray(image))).convert("RGB")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        turned = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert turned is not None  # as it is not done in place
        return turned
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        image = _with_alpha(image)
        return Image.alpha_composite(Image.new("RGBA", image.size, (*BEHIND_ALPHA, 255)), image).convert("RGB")
    return image.convert("RGB")


def eight_bits(values: Float[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """Levels as numbers with a fraction: 0..1 where none is above 1, else 0..255. What is no number is black."""
    values = np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)
    scale = 255.0 if values.max(initial=0) <= 1 else 1.0
    return np.asarray((values * scale).clip(0, 255).round().astype(np.uint8))


def _with_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "La":  # Pillow knows no way from it to RGBA
        image = image.convert("LA")
    try:
        return image.convert("RGBA")
    except (TypeError, ValueError):  # a transparency that was left by an edit and is not of this mode
        image = image.copy()
        image.info.pop("transparency", None)
        return image.convert("RGBA")

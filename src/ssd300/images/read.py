"""An image file, or its bytes, as RGB pixels as a viewer shows them. Videos are `detection/video`'s."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from ssd300.images.header import MAX_PIXELS, ORIENTATION, UPRIGHT, open_file, open_header, pillow_errors, read_header

try:
    import simplejpeg
except ImportError:  # the extra "fast"
    simplejpeg = None

DECODES_FAST = simplejpeg is not None
BEHIND_ALPHA = (123, 117, 104)  # the mean color of Caffe's recipe (ssd_pascal.py:178), in RGB
_REDUCIBLE = ("L", "RGB", "RGBA", "CMYK")  # modes in which a mean of pixels is a color
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def read_image(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Decode an image file, whatever its suffix; of an animation the first frame.

    The EXIF orientation is applied, transparent parts show the mean color, 16 bits are scaled to 8, and gray becomes
    RGB.

    Raises:
        DataError: not a whole image of a supported format, not a regular file, or more than `MAX_PIXELS` pixels.
    """
    return decode_image(_content(path), where=path)


def decode_image(data: bytes, *, where: str | Path, max_pixels: int = MAX_PIXELS) -> UInt8[np.ndarray, "h w 3"]:
    """As `read_image`, for a file's content. `where` it comes from is for messages.

    Raises:
        NoImageError: empty, or not an image of a supported format. Raised before anything is decoded.
        ImageTooLargeError: more than `max_pixels` pixels. Raised before anything is decoded.
        DataError: the image is broken.
    """
    with pillow_errors(where), open_header(io.BytesIO(data), where, max_pixels) as image:
        plain = _decode_plain_jpeg(image, data)
        if plain is not None:
            return plain
        image.load()
        return np.asarray(_to_rgb(ImageOps.exif_transpose(image)))


def read_reduced(path: Path, longest_px: int) -> tuple[UInt8[np.ndarray, "h w 3"], tuple[int, int]]:
    """As `read_image`, with no side longer than `longest_px`, and the (height, width) of what `read_image` returns.

    A JPEG is reduced while it is decoded: a large one costs little time and memory.

    Raises:
        DataError: as `read_image`.
    """
    whole_hw = read_header(path).size_hw
    with pillow_errors(path), open_file(path) as file, open_header(file, path) as image:
        if image.mode in _REDUCIBLE:
            image.thumbnail((longest_px, longest_px))
        reduced = _to_rgb(ImageOps.exif_transpose(image))
        reduced.thumbnail((longest_px, longest_px))
        return np.asarray(reduced), whole_hw


def decode_thumbnail(data: bytes, *, where: str | Path, side_px: int) -> UInt8[np.ndarray, "side side"]:
    """The image of a file's content in gray, stretched to a square; a JPEG is decoded at a fraction of its size.

    The EXIF orientation is not looked at: `near_copies` compares all of them.

    Raises:
        DataError: as `decode_image`.
    """
    with pillow_errors(where), open_header(io.BytesIO(data), where) as image:
        image.draft("L", (2 * side_px, 2 * side_px))
        image.load()
        plain = image if image.mode in ("L", "RGB") and "transparency" not in image.info else _to_rgb(image)
        return np.asarray(plain.resize((side_px, side_px), Image.Resampling.BOX).convert("L"))


def _content(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


def _decode_plain_jpeg(image: Image.Image, data: bytes) -> UInt8[np.ndarray, "h w 3"] | None:
    """The same pixels as Pillow's, faster, by simplejpeg if it is installed; None where Pillow must decode."""
    if simplejpeg is None or image.format != "JPEG" or image.mode not in ("RGB", "L"):
        return None
    if image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT:
        return None
    try:
        decoded: np.ndarray = simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False, strict=True)
    except ValueError:  # damaged, or not supported by simplejpeg: Pillow decides
        return None
    return decoded


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        values = np.asarray(image)
        scale = 255.0 if values.max(initial=0) <= 1 else 1.0
        return Image.fromarray((values * scale).clip(0, 255).astype(np.uint8)).convert("RGB")
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (*BEHIND_ALPHA, 255)), image).convert("RGB")
    return image.convert("RGB")

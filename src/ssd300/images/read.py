"""An image file, or its bytes, as RGB pixels as a viewer shows them. Videos are `detection/video`'s."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ssd300.images.header import MAX_PIXELS, ORIENTATION, UPRIGHT, open_file, open_header, pillow_errors, read_header
from ssd300.images.rgb import DecodedImage, to_rgb, turned, upright_rgb

try:
    import simplejpeg
except ImportError:  # the extra "fast"
    simplejpeg = None

DECODES_FAST = simplejpeg is not None
_REDUCIBLE = ("L", "RGB", "RGBA", "CMYK")  # modes in which a mean of pixels is a color


def read_image(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Decode an image file, whatever its suffix, as `images/rgb` settles it; of several pages or frames the first.

    Raises:
        DataError: not a whole image of a supported format, not a regular file, or more than `MAX_PIXELS` pixels.
    """
    return decode_file(path).pixels


def decode_file(path: Path) -> DecodedImage:
    """As `read_image`, with what is to be told of the image."""
    return decode(_content(path), where=path)


def decode_image(data: bytes, *, where: str | Path, max_pixels: int = MAX_PIXELS) -> UInt8[np.ndarray, "h w 3"]:
    """As `read_image`, for a file's content: the pixels of `decode`."""
    return decode(data, where=where, max_pixels=max_pixels).pixels


def decode(data: bytes, *, where: str | Path, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """As `read_image`, for a file's content, with what is to be told of it. `where` it comes from is for messages.

    Raises:
        NoImageError: empty, or not an image of a supported format. Raised before anything is decoded.
        ImageTooLargeError: more than `max_pixels` pixels. Raised before anything is decoded.
        DataError: the image is broken.
    """
    with pillow_errors(where), open_header(io.BytesIO(data), where, max_pixels) as image:
        plain = _decode_plain_jpeg(image, data)
        if plain is not None:
            return DecodedImage(plain)
        return upright_rgb(image)


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
        image.load()
        reduced = to_rgb(turned(image))
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
        plain = image if image.mode in ("L", "RGB") and "transparency" not in image.info else to_rgb(image)
        return np.asarray(plain.resize((side_px, side_px), Image.Resampling.BOX).convert("L"))


def _content(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


def _decode_plain_jpeg(image: Image.Image, data: bytes) -> UInt8[np.ndarray, "h w 3"] | None:
    """The same pixels as Pillow's, faster, by simplejpeg if it is installed; None where Pillow must decode."""
    if simplejpeg is None or image.format != "JPEG" or image.mode not in ("RGB", "L"):
        return None
    try:
        if image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT:
            return None
    except Exception:  # damaged EXIF data: Pillow decides
        return None
    try:
        decoded: np.ndarray = simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False, strict=True)
    except ValueError:  # damaged, or not supported by simplejpeg: Pillow decides
        return None
    return decoded

"""The one place where an image file becomes pixels: RGB as a viewer shows it."""

import io
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from ssd300.errors import DataError

try:
    import simplejpeg
except ImportError:  # the extra "fast"
    simplejpeg = None

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")  # by which folders are searched
ANIMATED_SUFFIXES = (".gif", ".webp")
# Pillow opens more, and starts a program to decode some of them (Ghostscript for EPS); no file may make it do so.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "TGA", "ICO")
MAX_PIXELS = 200_000_000
DECODES_FAST = simplejpeg is not None
ORIENTATION = 0x0112  # EXIF's tag
FIRST_TURNED, LAST_TURNED = 5, 8  # its values that swap height and width
BEHIND_ALPHA = (123, 117, 104)  # the mean colour of Caffe's recipe (ssd_pascal.py:178), in RGB
_WITHOUT_LIMIT = threading.Lock()
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


class NoImageError(DataError):
    """The content is none of the kinds of images that are known, or empty."""


class ImageTooLargeError(DataError):
    """It has more pixels than the limit; found out from its header."""


def read_image(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Decode an image by its content: orientation applied, alpha over the mean colour, 16 bits scaled to 8.

    Of an animation the first frame is taken.

    Raises:
        DataError: not a whole image, not a regular file, or more than `MAX_PIXELS` pixels.
    """
    return decode_image(_content(path), where=path)


def decode_image(data: bytes, *, where: str | Path, max_pixels: int = MAX_PIXELS) -> UInt8[np.ndarray, "h w 3"]:
    """As `read_image`, of a file's content; `where` it is from is for messages.

    Raises:
        NoImageError, ImageTooLargeError: known before anything is decoded.
        DataError: the image is broken.
    """
    try:
        image = _header(data, where, max_pixels)
        with image:
            plain = _decode_plain_jpeg(image, data)
            if plain is not None:
                return plain
            image.load()
            return np.asarray(_to_rgb(ImageOps.exif_transpose(image)))
    except DataError:
        raise
    except Exception as error:  # Pillow's readers raise OSError, ValueError, SyntaxError, struct.error and more
        raise DataError(
            f"the image cannot be read ({error or type(error).__name__})",
            where=where,
            fix="Replace the file, or take it out of the list.",
        ) from error


def image_size_hw(path: Path) -> tuple[int, int]:
    """(height, width) after orientation, from the header alone.

    Raises:
        DataError: as `read_image`, but for damage behind the header, which is not read.
    """
    with _described(path) as image:
        return (image.width, image.height) if _swaps_sides(image) else (image.height, image.width)


def is_turned(path: Path) -> bool:
    """Whether the EXIF orientation swaps height and width, from the header alone.

    Raises:
        DataError: as `image_size_hw`.
    """
    with _described(path) as image:
        return _swaps_sides(image)


def turned_by_exif(path: Path) -> bool:
    """Whether the orientation in the EXIF data swaps height and width; False for a file that cannot be read."""
    try:
        with _header(_content(path), path) as image:
            return bool(image.getexif().get(ORIENTATION, 1) >= FIRST_TURNED)
    except Exception:  # Pillow's readers raise many kinds, and `read_image` reports what is wrong
        return False


def frames(path: Path) -> int:
    """How many frames or pages an image file has; 1 for one that cannot be read, which `read_image` tells."""
    try:
        with _header(_content(path), path) as image:
            return int(getattr(image, "n_frames", 1))
    except Exception:  # Pillow's readers raise all sorts, and what is wrong is told where the image is read
        return 1


def animation_notes(paths: Iterable[Path]) -> list[str]:
    """What must be said aloud of animated images among `paths`, looked for where the ending allows it."""
    animated = [path for path in paths if path.suffix.lower() in ANIMATED_SUFFIXES and frames(path) > 1]
    if not animated:
        return []
    return [f"{len(animated)} animated image(s), of which the first frame alone is taken; first {animated[0]}"]


@contextmanager
def _described(path: Path) -> Iterator[Image.Image]:
    """The image in a file, of which the header alone has been read; what Pillow raises becomes a DataError."""
    try:
        with _header(_content(path), path) as image:
            yield image
    except DataError:
        raise
    except Exception as error:  # Pillow's readers raise OSError, ValueError, SyntaxError, struct.error and more
        raise DataError(f"the image cannot be read ({error})", where=path, fix="Replace the file.") from error


def _swaps_sides(image: Image.Image) -> bool:
    return bool(FIRST_TURNED <= image.getexif().get(ORIENTATION, 1) <= LAST_TURNED)


def _content(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise DataError("this is a folder or a device, not an image file", where=path, fix="Name an image file.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"the image file cannot be opened ({error.strerror})",
            where=path,
            fix="Check the path and its permissions.",
        ) from error


def _header(data: bytes, where: str | Path, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image, of which the header alone has been read."""
    try:
        image = _open_any_size(data)
    except UnidentifiedImageError as error:
        what = "the file is empty" if not data else "the file is not an image"
        raise NoImageError(what, where=where, fix="Replace the file, or take it out of the list.") from error
    if image.format not in FORMATS:
        raise NoImageError(f"{image.format} is no kind of image that is read", where=where, fix="Use JPEG or PNG.")
    if image.width * image.height > max_pixels:
        raise ImageTooLargeError(
            f"the image has {image.width} x {image.height} pixels; the limit is {max_pixels:,}",
            where=where,
            fix="Make it smaller first.",
        )
    return image


def _open_any_size(data: bytes) -> Image.Image:
    """Pillow's own limit, a global, warns far below ours; one thread at a time does without it."""
    with _WITHOUT_LIMIT:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(io.BytesIO(data))
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _decode_plain_jpeg(image: Image.Image, data: bytes) -> UInt8[np.ndarray, "h w 3"] | None:
    """The pixels that Pillow would give, faster, where simplejpeg is installed; None for what is not a plain JPEG."""
    if simplejpeg is None or image.format != "JPEG" or image.mode not in ("RGB", "L"):
        return None
    if image.getexif().get(ORIENTATION, 1) != 1:
        return None
    try:
        decoded: np.ndarray = simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False, strict=True)
    except ValueError:  # damaged, or of a kind that it does not know: Pillow's judgement counts
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

"""An image file, or its bytes, as RGB pixels as a viewer shows them; its size, orientation and frames from its header.

Videos are `detection/video`'s.
"""

import io
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError, features

from ssd300.errors import DataError

try:
    import simplejpeg
except ImportError:  # the extra "fast"
    simplejpeg = None

# All endings of the formats below, in lower case: what a folder is searched for by `is_image_name`.
SUFFIXES = (
    (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".jfif", ".jpe", ".mpo", ".apng", ".dib")
    + ((".avif", ".avifs") if features.check("avif") else ())
    + ((".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx") if features.check("jpg_2000") else ())
    + (".pgm", ".ppm", ".pbm", ".pnm", ".pfm", ".tga", ".icb", ".vda", ".vst", ".ico")
)
ANIMATED_SUFFIXES = (".gif", ".webp", ".apng", ".avif", ".avifs")
LITTER = "._"  # how names begin that macOS writes beside the files of other systems' disks and archives
# Pillow opens other formats too, and runs a program to decode some (Ghostscript for EPS). No file may cause that.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "TGA", "ICO")
MAX_PIXELS = 200_000_000
DECODES_FAST = simplejpeg is not None
ORIENTATION = 0x0112  # EXIF's tag
UPRIGHT = 1  # its value for an image that is stored as it is shown
FIRST_TURNED, LAST_TURNED = 5, 8  # its values that swap height and width
BEHIND_ALPHA = (123, 117, 104)  # the mean color of Caffe's recipe (ssd_pascal.py:178), in RGB
_STORED_WIDTH, _STORED_HEIGHT = 256, 257  # TIFF's tags
_PNG_DESCRIPTIONS = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")
_REDUCIBLE = ("L", "RGB", "RGBA", "CMYK")  # modes in which a mean of pixels is a color
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


class _WithoutPillowsLimit:
    """Within it, Pillow neither warns of many pixels nor refuses them; `MAX_PIXELS` is checked in its place.

    Pillow's limit is a global, checked where it opens, seeks and decodes: the first thread that enters removes it, the
    last that leaves puts it back.
    """

    def __init__(self) -> None:
        self.lock, self.within, self.limit = threading.Lock(), 0, Image.MAX_IMAGE_PIXELS

    def __enter__(self) -> None:
        with self.lock:
            if self.within == 0:
                self.limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self.within += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.within -= 1
            if self.within == 0:
                Image.MAX_IMAGE_PIXELS = self.limit


_WITHOUT_LIMIT = _WithoutPillowsLimit()


class NoImageError(DataError):
    """The content is empty, or not an image of a supported format."""


class ImageTooLargeError(DataError):
    """The image has more pixels than the limit, by its header."""


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
    with _pillow_errors(where), _header(io.BytesIO(data), where, max_pixels) as image:
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
    with _pillow_errors(path), _open_file(path) as file, _header(file, path) as image:
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
    with _pillow_errors(where), _header(io.BytesIO(data), where) as image:
        image.draft("L", (2 * side_px, 2 * side_px))
        image.load()
        plain = image if image.mode in ("L", "RGB") and "transparency" not in image.info else _to_rgb(image)
        return np.asarray(plain.resize((side_px, side_px), Image.Resampling.BOX).convert("L"))


@dataclass(frozen=True)
class ImageHeader:
    """What the head of an image file says of its pixels."""

    stored_hw: tuple[int, int]
    orientation: int  # EXIF's, 1 to 8; `UPRIGHT` where there is none, or one that is not defined

    @property
    def swaps_sides(self) -> bool:
        """Whether the orientation swaps height and width."""
        return FIRST_TURNED <= self.orientation <= LAST_TURNED

    @property
    def size_hw(self) -> tuple[int, int]:
        """(height, width) as shown: of the pixels that `read_image` returns."""
        return self.stored_hw[::-1] if self.swaps_sides else self.stored_hw


def is_image_name(path: Path | str) -> bool:
    """Whether a file of this name is taken for an image, by its ending in either case. The file is not opened."""
    name = PurePath(path)
    return name.suffix.lower() in SUFFIXES and not name.name.startswith(LITTER)


def read_header(path: Path) -> ImageHeader:
    """Size and orientation of an image file. Pixels are not decoded; of most formats only the head is read.

    Raises:
        DataError: as `read_image`, but for damage behind the header.
    """
    with _pillow_errors(path), _open_file(path) as file, _header(file, path) as image:
        return ImageHeader(_stored_hw(image), _orientation(image, file))


def image_size_hw(path: Path) -> tuple[int, int]:
    """`read_header`'s size as shown."""
    return read_header(path).size_hw


def turned_by_exif(path: Path) -> bool:
    """`read_header`'s answer to whether the orientation swaps height and width."""
    return read_header(path).swaps_sides


def frames(path: Path) -> int:
    """How many frames or pages an image file has; 1 for one that cannot be read, for which `read_image` raises."""
    try:
        with _open_file(path) as file, _WITHOUT_LIMIT, _header(file, path) as image:
            return int(getattr(image, "n_frames", 1))
    except Exception:  # Pillow's readers raise many kinds; the fault is reported where the image is read
        return 1


def animation_notes(paths: Iterable[Path]) -> list[str]:
    """A note that animated images are among `paths`, if so. Only files whose suffix allows it are opened."""
    animated = [path for path in paths if path.suffix.lower() in ANIMATED_SUFFIXES and frames(path) > 1]
    if not animated:
        return []
    return [f"{len(animated)} animated image(s): only the first frame is used; the first of them is {animated[0]}"]


@contextmanager
def _pillow_errors(where: str | Path) -> Iterator[None]:
    """What Pillow raises becomes a DataError: OSError, ValueError, SyntaxError, struct.error and more. Its own limit of
    pixels does not apply.
    """
    try:
        with _WITHOUT_LIMIT:
            yield
    except DataError:
        raise
    except Exception as error:  # Pillow's readers raise many kinds
        raise DataError(
            f"the image cannot be read ({error or type(error).__name__})",
            where=where,
            fix="Replace the file, or remove it from the list.",
        ) from error


def _stored_hw(image: Image.Image) -> tuple[int, int]:
    tags = getattr(image, "tag_v2", None)  # of TIFF, of which newer Pillow gives the size as shown
    if image.format == "TIFF" and tags is not None:
        return int(tags[_STORED_HEIGHT]), int(tags[_STORED_WIDTH])
    return image.height, image.width


def _orientation(image: Image.Image, file: io.BufferedReader | io.BytesIO) -> int:
    # For a PNG without orientation in its head, Pillow's own method decodes all pixels to see what follows them.
    whole = image.format != "PNG" or _describes_later(file)
    found = (image.getexif() if whole else Image.Image.getexif(image)).get(ORIENTATION, UPRIGHT)
    return int(found) if found in range(1, LAST_TURNED + 1) else UPRIGHT


def _describes_later(png: io.BufferedReader | io.BytesIO) -> bool:
    """Whether a chunk behind the pixels may hold an orientation. Reads the heads of the chunks alone."""
    place = png.tell()
    png.seek(8)  # behind the signature
    pixels = False
    try:
        while len(head := png.read(8)) == 8:
            pixels = pixels or head[4:] == b"IDAT"
            if pixels and head[4:] in _PNG_DESCRIPTIONS:
                return True
            png.seek(int.from_bytes(head[:4], "big") + 4, io.SEEK_CUR)  # the data and its checksum
        return False
    finally:
        png.seek(place)


def _open_file(path: Path) -> io.BufferedReader:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise DataError("this is a folder or a device, not an image file", where=path, fix="Name an image file.")
        return path.open("rb")
    except OSError as error:
        raise DataError(
            f"the image file cannot be opened ({error.strerror})",
            where=path,
            fix="Check the path and its permissions.",
        ) from error


def _content(path: Path) -> bytes:
    with _open_file(path) as file:
        return file.read()


def _header(file: io.BufferedReader | io.BytesIO, where: str | Path, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image, of which only the header has been read. To be called without Pillow's limit."""
    try:
        image = Image.open(file)
    except UnidentifiedImageError as error:
        what = "the file is not an image" if file.seek(0, io.SEEK_END) else "the file is empty"
        raise NoImageError(what, where=where, fix="Replace the file, or remove it from the list.") from error
    if image.format not in FORMATS:
        raise NoImageError(f"{image.format} images are not supported", where=where, fix="Use JPEG or PNG.")
    if image.width * image.height > max_pixels:
        raise ImageTooLargeError(
            f"the image has {image.width} x {image.height} pixels; the limit is {max_pixels:,}",
            where=where,
            fix="Reduce its size first.",
        )
    return image


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

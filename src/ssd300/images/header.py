"""Image files by their names and headers: which are images, their size, orientation and number of frames.

All files are opened here, so that the limits of pixels and formats hold everywhere. `read` decodes them.
"""

import io
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from PIL import Image, UnidentifiedImageError, features

from ssd300.errors import DataError
from ssd300.images.kinds import CAMERA_RAW, HEAD_BYTES, HEIC, foreign_kind, is_image_head
from ssd300.images.pages import page_count, page_note, pages_notes

# All endings of the formats below, in lower case: what a folder is searched for by `is_image_name`.
SUFFIXES = (
    (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".jfif", ".jpe", ".mpo", ".apng", ".dib")
    + ((".avif", ".avifs") if features.check("avif") else ())
    + ((".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx") if features.check("jpg_2000") else ())
    + (".pgm", ".ppm", ".pbm", ".pnm", ".pfm", ".tga", ".icb", ".vda", ".vst", ".ico")
)
PAGED_SUFFIXES = (".gif", ".webp", ".png", ".apng", ".avif", ".avifs", ".tif", ".tiff", ".mpo")
LITTER = "._"  # how names begin that macOS writes beside the files of other systems' disks and archives
# Pillow opens other formats too, and runs a program to decode some (Ghostscript for EPS). No file may cause that.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "TGA", "ICO", "HEIF")
MAX_PIXELS = 200_000_000
ORIENTATION = 0x0112  # EXIF's tag
UPRIGHT = 1  # its value for an image that is stored as it is shown
FIRST_TURNED, LAST_TURNED = 5, 8  # its values that swap height and width
_STORED_WIDTH, _STORED_HEIGHT = 256, 257  # TIFF's tags
_SUBFILE_TYPE, _SUB_IFDS, _DNG_VERSION, _REDUCED = 254, 330, 50706, 1
_PNG_DESCRIPTIONS = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


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
    with pillow_errors(path), open_file(path) as file, open_header(file, path) as image:
        return ImageHeader(_stored_hw(image), _orientation(image, file))


def image_size_hw(path: Path) -> tuple[int, int]:
    """`read_header`'s size as shown."""
    return read_header(path).size_hw


def frames(path: Path) -> int:
    """How many frames or pages an image file has; 1 for one that cannot be read, for which `read_image` raises."""
    try:
        with open_file(path) as file, _WITHOUT_LIMIT, open_header(file, path) as image:
            return page_count(image)
    except Exception:  # Pillow's readers raise many kinds; the fault is reported where the image is read
        return 1


def animation_notes(paths: Iterable[Path]) -> list[str]:
    """A note that images of several pages or frames are among `paths`, if so. Only files whose suffix allows it are
    opened.
    """
    counts = ((path, frames(path)) for path in paths if path.suffix.lower() in PAGED_SUFFIXES)
    return pages_notes([(str(path), page_note(1, count)) for path, count in counts if count > 1])


@contextmanager
def pillow_errors(where: str | Path) -> Iterator[None]:
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
            fix="Replace the file, or leave it out.",
        ) from error


def open_header(file: io.BufferedReader | io.BytesIO, where: str | Path, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image, of which only the header has been read. To be called without Pillow's limit."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    other = foreign_kind(head, str(where))
    if other is HEIC and (heif := _heif_library()) is not None:
        image = _opened_heic(heif, file, where)
    elif other is not None:
        raise NoImageError(f"this is {other.what}", where=where, fix=other.fix)
    else:
        image = _opened(file, head, where)
    if image.width * image.height > max_pixels:
        raise ImageTooLargeError(
            f"the image has {image.width} x {image.height} pixels; the limit is {max_pixels:,}",
            where=where,
            fix="Reduce its size first.",
        )
    return image


def _heif_library() -> Any:
    """The extra `heic`, or None. It is not registered in Pillow, which is the caller's too. It turns images itself."""
    try:
        import pillow_heif
    except ImportError:
        return None
    return pillow_heif


def _opened_heic(heif: Any, file: io.BufferedReader | io.BytesIO, where: str | Path) -> Image.Image:
    try:
        image: Image.Image = heif.HeifImageFile(file)
    except Exception as error:  # the library raises many kinds
        raise DataError(f"the HEIC photo is damaged ({error})", where=where, fix="Get it again.") from error
    return image


def _opened(file: io.BufferedReader | io.BytesIO, head: bytes, where: str | Path) -> Image.Image:
    try:
        image = Image.open(file)
    except UnidentifiedImageError as error:
        what, fix = "the file is not an image", "Replace the file, or leave it out."
        if not head:
            what = "the file is empty"
        elif is_image_head(head):
            what = "the image is damaged at its beginning, or this Pillow does not read its format"
            fix = "Save it as JPEG or PNG."
        raise NoImageError(what, where=where, fix=fix) from error
    if image.format not in FORMATS:
        raise NoImageError(f"{image.format} images are not supported", where=where, fix="Use JPEG or PNG.")
    if image.format == "TIFF" and _is_raw(image):
        raise NoImageError(f"this is {CAMERA_RAW.what}", where=where, fix=CAMERA_RAW.fix)
    return image


def _is_raw(image: Image.Image) -> bool:
    """Whether a TIFF file is a camera's: DNG says so, others hold a preview first and the photo in a sub-directory."""
    tags = getattr(image, "tag_v2", {})
    return _DNG_VERSION in tags or (_SUB_IFDS in tags and bool(int(tags.get(_SUBFILE_TYPE, 0)) & _REDUCED))


def open_file(path: Path) -> io.BufferedReader:
    """A regular file, open for reading. Raises DataError for another, or if it cannot be opened."""
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


def _stored_hw(image: Image.Image) -> tuple[int, int]:
    tags = getattr(image, "tag_v2", None)  # of TIFF, of which newer Pillow gives the size as shown
    if image.format == "TIFF" and tags is not None:
        return int(tags[_STORED_HEIGHT]), int(tags[_STORED_WIDTH])
    return image.height, image.width


def _orientation(image: Image.Image, file: io.BufferedReader | io.BytesIO) -> int:
    # For a PNG without orientation in its head, Pillow's own method decodes all pixels to see what follows them.
    whole = image.format != "PNG" or _describes_later(file)
    try:
        found = (image.getexif() if whole else Image.Image.getexif(image)).get(ORIENTATION, UPRIGHT)
    except Exception:  # damaged EXIF data, without which viewers show the image
        return UPRIGHT
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

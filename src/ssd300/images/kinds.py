"""What a file is by its first bytes: an image that is read here, or another kind, with how to go on.

Names do not count, but for two kinds that look like others inside: camera raw files are TIFF, and TGA has no mark.
"""

import re
from dataclasses import dataclass
from pathlib import PurePath

from ssd300.errors import install_hint

HEAD_BYTES = 512  # of a file, that tell its kind
_FTYP = slice(4, 8)
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # ISO/IEC 23008-12
_GENERAL_BRANDS = (b"mif1", b"msf1")  # of HEIC, unless AVIF is among the others
AVIF_BRANDS = (b"avif", b"avis")
HEIC_SUFFIXES = (".heic", ".heif", ".hif", ".heics", ".heifs")
RAW_SUFFIXES = (
    ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".dng", ".raf", ".orf", ".rw2", ".pef", ".srw",
    ".3fr", ".fff", ".iiq", ".kdc", ".dcr", ".mrw", ".x3f", ".erf", ".mef", ".mos", ".rwl", ".raw",
)  # fmt: skip
# In a folder these are photos that cannot be read here, so each is reported as an image would be.
PHOTO_SUFFIXES = (*HEIC_SUFFIXES, *RAW_SUFFIXES, ".jxl", ".avif", ".avifs", ".jp2", ".j2k", ".jpx")

_STARTS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",  # TIFF
    b"MM\0*",
    b"II+\0",  # BigTIFF
    b"MM\0+",
    b"\xff\x4f\xff\x51",  # JPEG 2000, without and with a container
    b"\0\0\0\x0cjP  ",
)
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # the sizes of a BMP's second header
_PORTABLE = re.compile(rb"P(?:[1-6]\s+(?:#|\d+\s+(?:#|\d))|[Ff]\s+\d)")
_SAVE_AS = "Save it as JPEG or PNG"


@dataclass(frozen=True)
class Foreign:
    """A kind that is not read: what it is, in words that follow 'this is', and what to do."""

    what: str
    fix: str


def is_image_head(head: bytes) -> bool:
    """Whether a file that begins so, with `HEAD_BYTES` if it has as many, is an image, or a photo of a foreign kind.

    TGA, which has no mark, is not recognized.
    """
    other = foreign_kind(head)
    if other is not None:
        return other in (HEIC, JPEG_XL, CAMERA_RAW)
    return (
        head.startswith(_STARTS)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or head[_FTYP] == b"ftyp"  # AVIF: the others are foreign
        or (head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS)
        or (head[:4] == b"\0\0\1\0" and head[4:5] != b"\0" and head[9:10] == b"\0")  # ICO
        or _PORTABLE.match(head) is not None
    )


def foreign_kind(head: bytes, name: str = "") -> Foreign | None:
    """What a file is that begins so and has this name, if it is of a kind that is not read; else None."""
    if head[_FTYP] == b"ftyp":
        return _of_brands(head)
    for starts, kind in _FOREIGN_STARTS:
        if head.startswith(starts):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return VIDEO
    if head[8:10] == b"CR" and head[:4] in (b"II*\0", b"MM\0*"):  # Canon's raw files, version 2
        return CAMERA_RAW
    if PurePath(name).suffix.lower() in RAW_SUFFIXES and head.startswith((b"II*\0", b"MM\0*")):
        return CAMERA_RAW
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text):
        return SVG
    if text.startswith((b"<!doctype html", b"<html")):
        return WEB_PAGE
    return None


def _of_brands(head: bytes) -> Foreign | None:
    """The kind of a file of ISO's base format (14496-12) by its brands: the major one, and those it is like."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, end, 4))]
    if brands[0] in AVIF_BRANDS or (brands[0] in _GENERAL_BRANDS and not {*AVIF_BRANDS}.isdisjoint(brands)):
        return None
    return HEIC if brands[0] in HEIC_BRANDS else CAMERA_RAW if brands[0] == b"crx " else VIDEO


HEIC = Foreign(
    "a HEIC photo, as iPhones take them",
    f"To read HEIC, install pillow-heif. {install_hint('heic')} Or save it as JPEG; an iPhone takes JPEG with "
    "Settings > Camera > Formats > Most Compatible.",
)
JPEG_XL = Foreign("a JPEG XL image, which is not supported", f"{_SAVE_AS}, such as with djxl a.jxl a.png.")
CAMERA_RAW = Foreign(
    "a camera's raw file, which is not developed here", "Export it as JPEG or TIFF with the camera's software."
)
SVG = Foreign("an SVG drawing, not an image of pixels", "Export it as PNG in the size that you need.")
PDF = Foreign(
    "a PDF document, not an image", "Save its pages as images first, such as with pdftoppm -png -r 150 a.pdf page."
)
PSD = Foreign("a Photoshop file", f"{_SAVE_AS} in the program that made it.")
POSTSCRIPT = Foreign(
    "a PostScript file (EPS), not an image of pixels", "Convert it to PNG first. Programs in images are not run."
)
VIDEO = Foreign("a video, not an image", "Name it with a video's ending, such as .mp4, and detect reads its frames.")
ARCHIVE = Foreign("an archive or a compressed file, not an image", "Unpack it, or name a zip or tar file of images.")
WEB_PAGE = Foreign("a web page, not an image", "Save the image itself.")
EXR = Foreign("an OpenEXR image, which is not supported", f"{_SAVE_AS}.")
FITS = Foreign("a FITS image, which is not supported", f"{_SAVE_AS}.")
DICOM = Foreign("a DICOM image, which is not supported", f"{_SAVE_AS}.")
ARRAY = Foreign("a NumPy array, not an image file", 'In Python: Detector.load(W)(numpy.load("a.npy")).')

_FOREIGN_STARTS: tuple[tuple[bytes | tuple[bytes, ...], Foreign], ...] = (
    ((b"\xff\x0a", b"\0\0\0\x0cJXL "), JPEG_XL),
    ((b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb", b"II\x1a\0\0\0HEAPCCDR"), CAMERA_RAW),
    (b"%PDF", PDF),
    (b"8BPS", PSD),
    ((b"%!PS", b"\xc5\xd0\xd3\xc6"), POSTSCRIPT),
    ((b"\x1a\x45\xdf\xa3", b"FLV\x01", b"\0\0\1\xba", b"\0\0\1\xb3", b"OggS"), VIDEO),
    ((b"PK\3\4", b"PK\5\6", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!"), ARCHIVE),
    (b"\x76\x2f\x31\x01", EXR),
    (b"SIMPLE  =", FITS),
    (b"\0" * 128 + b"DICM", DICOM),
    (b"\x93NUMPY", ARRAY),
)

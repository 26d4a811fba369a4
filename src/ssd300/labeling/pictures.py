"""The pixels that the page shows: small pictures for the list, a reduced one at first, and cut-outs where it zooms in.

All of them are upright, and in a format that browsers have. Boxes are in pixels of the whole image.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ssd300.errors import DataError
from ssd300.images.encode import encoded
from ssd300.images.header import UPRIGHT, open_file, read_header
from ssd300.images.read import read_image, read_reduced

SMALL_PX = 160
REDUCED_PX = 2048  # the longest side of what is shown at first
QUALITY, SMALL_QUALITY = 90, 75
AS_THEY_ARE = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
LARGEST_AS_IT_IS = 8_000_000  # bytes
KEPT = 2  # decoded images
JPEG = "image/jpeg"


class Picture(NamedTuple):
    """The content of an image file for the browser."""

    content: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of an image in its pixels, and the width that it is to be drawn at, in pixels of the screen."""

    left: int
    top: int
    right: int
    bottom: int
    width: int


def small(path: Path) -> Picture:
    """For the list of images. Raises DataError for what cannot be read, as all here do."""
    pixels, _ = read_reduced(path, SMALL_PX)
    return _jpeg(Image.fromarray(pixels), SMALL_QUALITY)


def reduced(path: Path) -> Picture:
    """The image with no side above `REDUCED_PX`; the file itself where it is such an image already."""
    header = read_header(path)
    media_type = AS_THEY_ARE.get(path.suffix.lower())
    if media_type and header.orientation == UPRIGHT and max(header.stored_hw) <= REDUCED_PX:
        with open_file(path) as file:
            content = file.read(LARGEST_AS_IT_IS + 1)
        if len(content) <= LARGEST_AS_IT_IS:
            return Picture(content, media_type)
    pixels, _ = read_reduced(path, REDUCED_PX)
    return _jpeg(Image.fromarray(pixels), QUALITY)


class Damage:
    """Why images cannot be shown whole, of those that were looked at. A truncated file has a good header."""

    def __init__(self) -> None:
        self._found: dict[Path, tuple[object, DataError | None]] = {}

    def check(self, path: Path) -> None:
        """Decode a file, unless that was done since it last changed. Raises DataError for what cannot be decoded."""
        try:
            now = path.stat()
            stamp: object = (now.st_mtime_ns, now.st_size)
        except OSError:
            stamp = None  # and reading says why
        found = self._found.get(path)
        if found is None or found[0] != stamp:
            try:
                small(path)
                found = (stamp, None)
            except DataError as error:
                found = (stamp, error)
            self._found[path] = found
        if found[1] is not None:
            raise DataError(found[1].what, where=path.name, fix=found[1].fix)

    def known(self, path: Path) -> str:
        """What is wrong with an image, by its last look; "" for nothing, or before the first."""
        found = self._found.get(path)
        return "" if found is None or found[1] is None else found[1].what


class Details:
    """Cut-outs of large images. The last images stay decoded, so that moving about is quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoded: OrderedDict[tuple[Path, int], UInt8[np.ndarray, "h w 3"]] = OrderedDict()

    def cut(self, path: Path, region: Region) -> Picture:
        """A part of the image at the scale of the screen, but not enlarged. Raises ValueError for an empty part."""
        pixels = self._pixels(path)
        height, width = pixels.shape[:2]
        left, top = max(region.left, 0), max(region.top, 0)
        right, bottom = min(region.right, width), min(region.bottom, height)
        if left >= right or top >= bottom:
            raise ValueError("the part lies outside of the image")
        part = Image.fromarray(pixels[top:bottom, left:right])
        scale = min(region.width / (right - left), 1.0)
        size = (max(round(part.width * scale), 1), max(round(part.height * scale), 1))
        return _jpeg(part.resize(size, Image.Resampling.BILINEAR) if size != part.size else part, QUALITY)

    def _pixels(self, path: Path) -> UInt8[np.ndarray, "h w 3"]:
        key = (path, path.stat().st_mtime_ns if path.exists() else 0)
        with self._lock:
            if key not in self._decoded:
                while len(self._decoded) >= KEPT:
                    self._decoded.popitem(last=False)
                self._decoded[key] = read_image(path)
            self._decoded.move_to_end(key)
            return self._decoded[key]


def _jpeg(image: Image.Image, quality: int) -> Picture:
    return Picture(encoded(image, "JPEG", quality=quality), JPEG)

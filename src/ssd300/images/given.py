"""Images as Python code gives them: opened by Pillow, as an array, as a file's content or an open file."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFile

from ssd300.errors import DataError
from ssd300.images.header import (
    FIRST_TURNED,
    LAST_TURNED,
    MAX_PIXELS,
    ORIENTATION,
    UPRIGHT,
    ImageTooLargeError,
    pillow_errors,
)
from ssd300.images.read import decode
from ssd300.images.rgb import DecodedImage, eight_bits, to_rgb, upright_rgb


@runtime_checkable
class OpenFile(Protocol):
    """A file that is open for reading bytes."""

    def read(self, size: int = -1, /) -> Any: ...


Given = Image.Image | np.ndarray | bytes | bytearray | memoryview | OpenFile

_EXIF_FOLDER, _EXIF_WIDTH, _EXIF_HEIGHT = 0x8769, 0xA002, 0xA003
_SIDES_SWAPPED = range(FIRST_TURNED, LAST_TURNED + 1)
_CHANNELS = (1, 3, 4)
_TURNED = "it was turned, as its EXIF data says; `ImageOps.exif_transpose` turns an image and removes that entry"
_NOT_TURNED = "it was not turned, though its EXIF data says so: its size is that of the turned image"


def image_of(given: Any) -> DecodedImage:
    """An opened Pillow image, an array, a file's content, or a file that is open for reading bytes, as RGB pixels.

    What is given is not changed; a file is read from its beginning, and left where it stands.

    Raises:
        ValueError: an array, or another object, is not an image.
        DataError: the image is broken, or is none.
    """
    if isinstance(given, Image.Image):
        return _of_pillow(given)
    if isinstance(given, np.ndarray):
        return DecodedImage(_of_array(given))
    if isinstance(given, (bytes, bytearray, memoryview)):
        return decode(bytes(given), where="the image")
    if isinstance(given, OpenFile):
        return decode(_content(given), where=str(getattr(given, "name", "") or "the image"))
    advice = (
        "; a tensor of channels first is an array by .permute(1, 2, 0).numpy()" if hasattr(given, "permute") else ""
    )
    raise ValueError(
        f"{type(given).__name__} is not an image: give a path, a Pillow image, an RGB array or a file{advice}"
    )


def _of_pillow(image: Image.Image) -> DecodedImage:
    """A Pillow image as its file would be read: one that was not edited is turned once, as its EXIF data says.

    An edited one keeps that data in Pillow, also if it was turned by hand; then only its size can tell.
    """
    where = str(getattr(image, "filename", "") or "the image")
    if image.width * image.height > MAX_PIXELS:
        what = f"the image has {image.width} x {image.height} pixels; the limit is {MAX_PIXELS:,}"
        raise ImageTooLargeError(what, where=where, fix="Reduce its size first.")
    if not image.width or not image.height:
        raise ValueError(f"the image has no pixels: its size is {image.size}")
    with pillow_errors(where):
        if getattr(image, "_im", image) is None and getattr(image, "fp", None) is None:
            raise DataError("the image was closed", where=where, fix="Detect on it before it is closed.")
        if isinstance(image, ImageFile.ImageFile):
            return upright_rgb(image)
        try:
            exif = image.getexif()
        except Exception:  # damaged EXIF data
            return DecodedImage(np.asarray(to_rgb(image)))
        orientation = exif.get(ORIENTATION, UPRIGHT)
        if orientation not in range(UPRIGHT + 1, LAST_TURNED + 1):
            return DecodedImage(np.asarray(to_rgb(image)))
        stated = exif.get_ifd(_EXIF_FOLDER)
        stored_wh = (stated.get(_EXIF_WIDTH), stated.get(_EXIF_HEIGHT))
        if orientation in _SIDES_SWAPPED and image.size == stored_wh[::-1] != stored_wh:
            return DecodedImage(np.asarray(to_rgb(image)), (_NOT_TURNED,))
        pixels, notes = upright_rgb(image)
        return DecodedImage(pixels, notes if image.size == stored_wh else (*notes, _TURNED))


def _of_array(array: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    """Gray (h, w) or (h, w, 1), RGB or RGBA; uint8, uint16 or bool as a PNG of it, or float, 0..1 or 0..255."""
    shape = array.shape
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in _CHANNELS):
        fix = "; move the channels: array.transpose(1, 2, 0)" if array.ndim == 3 and shape[0] in _CHANNELS else ""
        raise ValueError(f"the array has shape {shape}; images are (height, width, 3), also gray or RGBA{fix}")
    if 0 in shape:
        raise ValueError(f"the array has no pixels: its shape is {shape}")
    if shape[0] * shape[1] > MAX_PIXELS:
        what = f"the array has {shape[1]} x {shape[0]} pixels; the limit is {MAX_PIXELS:,}"
        raise ImageTooLargeError(what, fix="Reduce its size first.")
    array = array[..., 0] if array.ndim == 3 and shape[2] == 1 else array
    levels = _levels(array)
    if levels.ndim == 3 and levels.shape[2] == 3:
        return levels
    return np.asarray(to_rgb(Image.fromarray(levels)))


def _levels(array: np.ndarray) -> UInt8[np.ndarray, "..."]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:  # gray as `to_rgb` has it; of colors Pillow takes the upper byte, in a file too
        return np.asarray((array // 257 if array.ndim == 2 else array >> 8).astype(np.uint8))
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"the array has type {array.dtype}; images are uint8: array.astype(numpy.uint8)")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 255:
        raise ValueError(
            f"the array's values go from {array.min():.3g} to {array.max():.3g}; images have 0..1 or 0..255, "
            "before any normalization"
        )
    return eight_bits(array.astype(np.float64))


def _content(file: Any) -> bytes:
    place = file.tell() if _is_seekable(file) else None
    if place is not None:
        file.seek(0)
    content = file.read()
    if place is not None:
        file.seek(place)
    if not isinstance(content, bytes):
        raise ValueError("the file is open for text; open it with 'rb'")
    return content


def _is_seekable(file: Any) -> bool:
    return bool(getattr(file, "seekable", lambda: False)())

"""Copies of image files that every program shows the same way up."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image

from ssd300.images.encode import write_image
from ssd300.images.header import UPRIGHT, read_header
from ssd300.images.read import read_image

# How turned pixels are written: without loss where the format can, otherwise with a loss that no one sees.
_OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 95}}
)
_WRITTEN_AS = {"MPO": "JPEG"}  # a JPEG with more images behind the first


def copy_upright(source: Path, target: Path) -> bool:
    """Copy an image file; one that EXIF data turns is written anew, as `read_image` reads it, without that data.
    Returns whether it was. `target` has the ending of `source`.

    Programs differ in whether they turn an image, so that boxes for it lie elsewhere in some.

    Raises:
        DataError: the image cannot be read. Nothing is written.
    """
    if read_header(source).orientation == UPRIGHT:
        shutil.copyfile(source, target)
        return False
    form = Image.registered_extensions()[target.suffix.lower()]
    form = _WRITTEN_AS.get(form, form)
    write_image(target, Image.fromarray(read_image(source)), form, **_OPTIONS.get(form, {}))
    return True

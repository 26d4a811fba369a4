"""Images as the content of image files, made in memory.

Pillow writes a JPEG straight to the disk, and does not notice where that is full: the file is cut off without an error.
Bytes that Python writes are all there, or an OSError is raised.
"""

import io
from pathlib import Path
from typing import Any

from PIL import Image


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The content of a file of this format of Pillow, such as 'JPEG', with its options, such as `quality`."""
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def write_image(path: Path, image: Image.Image, form: str, **options: Any) -> None:
    """Write `encoded` to a file. Raises OSError where that is not possible."""
    path.write_bytes(encoded(image, form, **options))

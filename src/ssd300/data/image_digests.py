"""By what an image is recognized again, wherever it lies and however it is labeled: the content of its file."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ssd300.errors import DataError
from ssd300.types import Annotation

DIGITS = 16  # hexadecimal, so 8 bytes: two of a million images share them by chance in one of 40 million datasets


def image_digests(paths: Iterable[Path]) -> list[str | None]:
    """The first DIGITS of the SHA-256 of each file, None for one that cannot be read. Every file is read whole."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_digest, paths))


def annotated_digests(annotations: Iterable[Annotation]) -> list[str | None]:
    """As `image_digests`, of the images of annotations, also of those in shards."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_digest_of_image, annotations))


def _digest_of_image(annotation: Annotation) -> str | None:
    if annotation.content is None:
        return _digest(annotation.image_path)
    try:
        return hashlib.sha256(annotation.content()).hexdigest()[:DIGITS]
    except DataError:
        return None


def _digest(path: Path) -> str | None:
    if not path.is_file():  # a pipe would be waited for
        return None
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    except OSError:
        return None

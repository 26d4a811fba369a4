"""By what an image is recognized again, wherever it lies and however it is labeled: the content of its file."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DIGITS = 16  # hexadecimal, so 8 bytes: two of a million images share them by chance in one of 40 million datasets


def image_digests(paths: Iterable[Path]) -> list[str | None]:
    """The first DIGITS of the SHA-256 of each file, None for one that cannot be read. Every file is read whole."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_digest, paths))


def _digest(path: Path) -> str | None:
    if not path.is_file():  # a pipe would be waited for
        return None
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    except OSError:
        return None

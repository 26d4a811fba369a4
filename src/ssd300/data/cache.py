"""Decoded images stored for the whole run, in memory or on disk, shared by all workers.

One flat buffer has room for the pixels of every image, and a byte per image that is 1 once they are there. The worker
that decodes an image first stores it. Reading from it returns what `read_image` returns.
"""

import mmap
import os
import shutil
import tempfile
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ssd300.errors import DataError, UsageError
from ssd300.images.header import image_size_hw
from ssd300.images.read import read_image
from ssd300.system.memory import free_memory_bytes, gigabytes
from ssd300.types import Annotation

CHANNELS = 3
MAX_SHARE_OF_FREE = 0.8  # the rest is for the network, the workers and all else


class ImageCache:
    """Reads the images of a dataset; a second read of an image does not open its file.

    Workers get the buffer by fork, not by pickling. An image that cannot be read, or whose size is not that of its
    annotation, is not stored: it is an error, or is decoded, every time.
    """

    def __init__(self, annotations: Sequence[Annotation], *, folder: Path | None = None, copies: int = 1) -> None:
        """A cache in memory, or in a nameless file of `folder` that is gone when the process ends.

        `copies` is how many processes of a run have a cache each; together they must fit.

        Raises:
            UsageError: the decoded images do not fit into the free space; the message has both sizes.
        """
        self.sizes_hw = [_size_hw(annotation) for annotation in annotations]
        ends = np.cumsum([prod(size) * CHANNELS for size in self.sizes_hw], dtype=np.int64)
        self.starts = len(annotations) + np.concatenate([[0], ends])  # after one byte per image
        self.nbytes = int(self.starts[-1])
        where = "in memory" if folder is None else f"on the disk of {folder}"
        free = free_memory_bytes() if folder is None else shutil.disk_usage(_existing(folder)).free
        times = f" in each of {copies} processes" if copies > 1 else ""
        if self.nbytes * copies > MAX_SHARE_OF_FREE * free:
            raise UsageError(
                f"{len(annotations)} decoded images take {gigabytes(self.nbytes)}{times}, more than fits "
                f"{where}, where {gigabytes(free)} are free",
                fix="Remove --cache" + (", or use --cache disk." if folder is None else "."),
            )
        self.summary = f"{gigabytes(self.nbytes)}{times} of {gigabytes(free)} free {where}"
        self._buffer = np.frombuffer(_shared(self.nbytes, folder), np.uint8)

    def read(self, index: int, path: Path) -> UInt8[np.ndarray, "h w 3"]:
        """The pixels of image `index`, of the file `path`; not to be written to. Raises DataError as `read_image`."""
        height, width = self.sizes_hw[index]
        place = self._buffer[self.starts[index] : self.starts[index + 1]].reshape(height, width, CHANNELS)
        if self._buffer[index]:
            return place
        image = read_image(path)
        if image.shape == place.shape:
            place[:] = image
            self._buffer[index] = 1
        return image


def _size_hw(annotation: Annotation) -> tuple[int, int]:
    """(0, 0) for an image whose header cannot be read."""
    try:
        return annotation.size_hw or image_size_hw(annotation.image_path)
    except DataError:
        return 0, 0


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _shared(count: int, folder: Path | None) -> mmap.mmap:
    if folder is None:
        return mmap.mmap(-1, count)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, count)  # now, as a disk that fills up later would kill the process
        else:
            file.truncate(count)
        return mmap.mmap(file.fileno(), count)

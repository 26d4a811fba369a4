"""Decoded images kept for the whole run, in memory or on disk, shared by all workers.

One flat buffer holds the pixels of every image at a place that its size decides; a byte an image says whether they
are there. Whichever worker decodes an image first puts them in. What comes out is what `read_image` gives.
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
from ssd300.images.read import image_size_hw, read_image
from ssd300.system.memory import free_memory_bytes, gigabytes
from ssd300.types import Annotation

CHANNELS = 3
MOST_OF_WHAT_IS_FREE = 0.8  # the rest is for the network, the workers and all else


class ImageCache:
    """Reads images of a data set, each from its file once.

    The buffer reaches workers by fork, not by pickling. An image whose pixels are not of the size that its annotation
    says, or that cannot be read, is not kept: it is decoded, or is an error, every time.
    """

    def __init__(self, annotations: Sequence[Annotation], *, folder: Path | None = None, copies: int = 1) -> None:
        """A cache in memory, or in a file of `folder` that has no name and ends with the process.

        `copies` is how many processes of a run keep one each; all of them have to fit.

        Raises:
            UsageError: the decoded images do not fit into what is free; the message has both sizes.
        """
        self.sizes_hw = [_size_hw(annotation) for annotation in annotations]
        ends = np.cumsum([prod(size) * CHANNELS for size in self.sizes_hw], dtype=np.int64)
        self.starts = len(annotations) + np.concatenate([[0], ends])  # after a byte an image
        self.nbytes = int(self.starts[-1])
        where = "in memory" if folder is None else f"on the disk of {folder}"
        free = free_memory_bytes() if folder is None else shutil.disk_usage(_existing(folder)).free
        times = f" in each of {copies} processes" if copies > 1 else ""
        if self.nbytes * copies > MOST_OF_WHAT_IS_FREE * free:
            raise UsageError(
                f"{len(annotations)} decoded images take {gigabytes(self.nbytes)}{times}, more than fits "
                f"{where}, where {gigabytes(free)} are free",
                fix="Leave --cache out" + (", or use --cache disk." if folder is None else "."),
            )
        self.summary = f"{gigabytes(self.nbytes)}{times} of {gigabytes(free)} free {where}"
        self._buffer = np.frombuffer(_shared(self.nbytes, folder), np.uint8)

    def read(self, index: int, path: Path) -> UInt8[np.ndarray, "h w 3"]:
        """The pixels of the image with this number. Not to be written to. Raises DataError as `read_image`."""
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

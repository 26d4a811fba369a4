"""Which images an exported file is compared and calibrated on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.data.synthetic import write_synthetic_dataset
from ssd300.errors import DataError
from ssd300.images.header import is_image_name
from ssd300.system.stores import as_place

SYNTHETIC = 32
SYNTHETIC_NOTE = (
    f"no images were named: {SYNTHETIC} synthetic ones are used; name --images like those that the file will be used on"
)
Item = TypeVar("Item")


def choose_images(folder: Path | None, labeled: Dataset | None, scratch: Path) -> tuple[list[Path], list[str]]:
    """The images of `folder`, else of `labeled`, else synthetic ones, written below `scratch`; and notes for the user.

    Raises:
        DataError: there is no such folder, or it has no images. Folders in it are not searched.
    """
    if folder is not None:
        return _images_in(folder), []
    if labeled is not None:
        if any(annotation.content is not None for annotation in labeled.annotations):
            fix = "Name the data that the shards were written from, or a folder of images with --images."
            raise DataError("an export is not compared on images in shards", where=as_place(labeled.root), fix=fix)
        return [annotation.image_path for annotation in labeled.annotations], []
    write_synthetic_dataset(scratch, train=0, test=SYNTHETIC)
    return sorted((scratch / "JPEGImages").glob("*.jpg")), [SYNTHETIC_NOTE]


def _images_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError("there is no such folder", where=folder, fix="Name a folder of images.")
    found = sorted(path for path in folder.iterdir() if is_image_name(path))
    if not found:
        raise DataError("the folder has no images", where=folder, fix="Name another folder.")
    return found


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """`most` of the items, evenly spaced from the first to the last, or all of them if there are fewer."""
    return [items[place] for place in np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)]

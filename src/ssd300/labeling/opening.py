"""From a path to the images and label files that the page works on."""

import os
from collections.abc import Sequence
from pathlib import Path

from ssd300.data.choices import FormatName
from ssd300.data.formats.file_index import walk
from ssd300.data.formats.voc_folder import VocFolder, voc_roots
from ssd300.data.recognition import FORMATS, data_beside, recognize
from ssd300.errors import DataError, UsageError
from ssd300.images.header import is_image_name
from ssd300.labeling.coco_labels import CocoLabels
from ssd300.labeling.label_store import LabelFiles
from ssd300.labeling.voc_labels import VocLabels
from ssd300.labeling.yolo_labels import YoloLabels
from ssd300.system.files import check_output_folder, nearest_there, spelled_like


def open_labels(
    path: Path, *, out: Path | None = None, classes: Sequence[str] = (), format: FormatName = "auto"
) -> LabelFiles:
    """A folder of images, with or without labels, or a dataset in VOC, COCO or YOLO format.

    `out` is a folder for the files that are written, instead of those at `path`; `classes` are listed first.

    Raises:
        DataError: there are no images, or the data cannot be read.
        UsageError: the format cannot be edited, or not with these options; or labels could not be saved.
    """
    if not path.exists():
        raise DataError("there is no such folder", where=path, fix=spelled_like(path, "Name a folder of images."))
    name = _format_of(path, format)
    if name == "lists":
        raise UsageError(
            "these are lists of labels that are elsewhere", where=path, fix="Name the folder that they were made from."
        )
    if name in ("coco", "yolo") and (out is not None or classes):
        option = "--out" if out is not None else "--classes"
        raise UsageError(
            f"{option} is for images without labels and for VOC; this is {FORMATS[name].title}", where=path,
            fix=f"Omit {option}: its own files and classes are used. `ssd300 convert` makes a copy.",
        )  # fmt: skip
    if out is not None:
        check_output_folder(out)
    labels = _opened(path, name, out, classes)
    if not labels.images:
        raise DataError("there are no images in this folder", where=path, fix="Name a folder with JPEG or PNG files.")
    _check_writable(labels)
    return labels


def _check_writable(labels: LabelFiles) -> None:
    """Raises UsageError now if labels could not be saved later."""
    for folder in {labels.home, *(labels.place(image).parent for image in labels.images)}:
        there = nearest_there(folder)
        if there.is_dir() and not os.access(there, os.W_OK):
            other = "`ssd300 convert` makes a copy elsewhere" if labels.format != "voc" else "name another with --out"
            raise UsageError(
                "labels cannot be written into this folder", where=there, fix=f"Change its permissions, or {other}."
            )


def _opened(path: Path, name: str, out: Path | None, classes: Sequence[str]) -> LabelFiles:
    if name == "coco":
        return CocoLabels(path)
    if name == "yolo":
        return YoloLabels(path)
    folders = [VocFolder(root) for root in voc_roots(path)] if name == "voc" else [VocFolder(path)]
    return VocLabels(folders, out=out, classes=classes)


def _format_of(path: Path, format: FormatName) -> str:
    """The format of the data at `path`; "" for a folder of images without labels."""
    if _is_data(path) or format != "auto":
        return recognize(path, format)
    if not path.is_dir():
        of_list = f"Name the folder of its images, and the list with --list {path}."
        fix = of_list if path.suffix == ".txt" else "Name the folder that it is in."
        raise DataError("this is a file", where=path, fix=fix)
    if beside := data_beside(path):
        if _is_data(path):  # another page has just labeled its first image
            return recognize(path, format)
        raise DataError("this folder itself holds no dataset", where=path, fix=beside)
    if not any(is_image_name(file) for file in walk(path)):
        raise DataError("there are no images in this folder", where=path, fix="Name a folder with JPEG or PNG files.")
    return ""


def _is_data(path: Path) -> bool:
    return any(one.find(path) for one in FORMATS.values())

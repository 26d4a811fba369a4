"""Every format of annotated images that can be read, and how the format of a path is recognized.

A format is registered here in `FORMATS`, and by its name in `choices.FormatName`, which the command line reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from ssd300.data.choices import FormatName, Purpose
from ssd300.data.formats.annotations import AnnotatedImages, Faults
from ssd300.data.formats.coco import coco_splits, find_coco, read_coco
from ssd300.data.formats.lists import find_lists, list_splits, read_lists
from ssd300.data.formats.voc import read_voc
from ssd300.data.formats.voc_folder import find_voc, voc_splits
from ssd300.data.formats.yolo import find_yolo, read_yolo, yolo_splits
from ssd300.errors import DataError


@runtime_checkable  # for the type checks in tests
class ReadSplit(Protocol):
    """Reads a split as its files have it. For VOC `faults` decides if a missing or broken XML file is an error."""

    def __call__(
        self, paths: Sequence[Path], split: str | None, purpose: Purpose, *, require_images: bool, faults: Faults
    ) -> AnnotatedImages: ...


@runtime_checkable  # for the type checks in tests
class ReadSplitOfOne(Protocol):
    """The same of a format whose data is at one path."""

    def __call__(
        self, path: Path, /, split: str | None, purpose: Purpose, *, require_images: bool
    ) -> AnnotatedImages: ...


@dataclass(frozen=True, kw_only=True)
class Format:
    """How data of a format is found and read. `advice` is what to name on the command line.

    `find` returns the file or folder by which a path is recognized, None for a path of another format. `splits` returns
    the names of splits that share no image; [] where the data is not split.
    """

    title: str
    advice: str
    find: Callable[[Path], Path | None]
    splits: Callable[[Sequence[Path]], list[str]]
    read: ReadSplit
    joins: bool = False  # several paths are read as one dataset


def _of_one(read: ReadSplitOfOne) -> ReadSplit:
    def read_first(
        paths: Sequence[Path],
        split: str | None,
        purpose: Purpose,
        *,
        require_images: bool,
        faults: Faults,  # noqa: ARG001  # for VOC, whose images have files of annotations of their own
    ) -> AnnotatedImages:
        return read(paths[0], split, purpose, require_images=require_images)

    return read_first


FORMATS: Mapping[str, Format] = {
    "voc": Format(
        title="PASCAL VOC",
        advice="a PASCAL VOC folder (with Annotations and JPEGImages), the VOCdevkit above it",
        find=find_voc,
        splits=voc_splits,
        read=read_voc,
        joins=True,
    ),
    "coco": Format(
        title="COCO annotations",
        advice="a COCO JSON or the folder above it",
        find=find_coco,
        splits=lambda paths: coco_splits(paths[0]),
        read=_of_one(read_coco),
    ),
    "yolo": Format(
        title="YOLO",
        advice="a YOLO data.yaml or its folder",
        find=find_yolo,
        splits=lambda paths: yolo_splits(paths[0]),
        read=_of_one(read_yolo),
    ),
    "lists": Format(
        title="pytorch-SSD300's lists",
        advice="a folder of lists that `ssd300 prepare` wrote",
        find=find_lists,
        splits=lambda paths: list_splits(paths[0]),
        read=_of_one(read_lists),
    ),
}


def recognize_all(paths: Sequence[Path], wanted: FormatName) -> Format:
    """The one format of all `paths`. Raises DataError as `recognize` does, and for paths that cannot be joined."""
    if not paths:
        raise DataError("no data was named", fix=_advice())
    formats = [FORMATS[recognize(path, wanted)] for path in paths]
    if len(paths) > 1:
        for path, one in zip(paths, formats, strict=True):
            if not one.joins:
                raise DataError("only PASCAL VOC folders can be joined", where=path, fix="Name one dataset alone.")
    return formats[0]


def recognize(path: Path, wanted: FormatName) -> str:
    """The name of the format of the data at `path`, by its content.

    Raises:
        DataError: the path does not exist, no format fits, or several fit and none is `wanted`.
    """
    if not path.exists():
        raise DataError("there is no such folder or file", where=path, fix=_advice())
    found = {name: evidence for name, one in FORMATS.items() if (evidence := one.find(path))}
    if wanted != "auto" and wanted not in found:
        raise DataError(f"the data is not of the format '{wanted}'", where=path, fix=_advice())
    if not found:
        raise DataError("there is no data of a known format here", where=path, fix=_advice())
    if wanted == "auto" and len(found) > 1:
        raise DataError(
            "there is more than one dataset: "
            + ", ".join(f"{FORMATS[name].title} ({evidence})" for name, evidence in found.items()),
            where=path,
            fix=f"Choose one with {' or '.join(f'--format {name}' for name in found)}.",
        )
    return next(iter(found)) if wanted == "auto" else wanted


def _advice() -> str:
    *others, last = (one.advice for one in FORMATS.values())
    return f"Name {', '.join(others)}, or {last}."

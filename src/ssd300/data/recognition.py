"""Every format of annotated images that can be read, and how the format of a path is recognized.

A format is registered here in `FORMATS`, and by its name in `choices.FormatName`, which the command line reads.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ssd300.data.choices import FormatName
from ssd300.data.formats.annotations import Source
from ssd300.data.formats.coco import CocoSource
from ssd300.data.formats.coco_files import find_coco
from ssd300.data.formats.file_index import IMAGE_FOLDERS, LABEL_FOLDERS, folders_in
from ssd300.data.formats.lists import ListsSource, find_lists
from ssd300.data.formats.unread import ARCHIVES, what_is_seen
from ssd300.data.formats.voc import VocSource
from ssd300.data.formats.voc_folder import find_voc, voc_roots
from ssd300.data.formats.yolo import YoloSource
from ssd300.data.formats.yolo_description import find_yolo
from ssd300.data.shards.dataset import not_read_here, shards_at
from ssd300.data.sources import JoinedSources, join
from ssd300.data.splits import role_of
from ssd300.errors import DataError
from ssd300.images.header import is_image_name
from ssd300.system.files import absolute, spelled_like


@dataclass(frozen=True, kw_only=True)
class Format:
    """How data of a format is found and read. `advice` is what to name on the command line.

    `find` returns the file or folder by which a path is recognized, None for a path of another format. `open` returns
    the datasets at a path that was found.
    """

    title: str
    advice: str
    find: Callable[[Path], Path | None]
    open: Callable[[Path], Sequence[Source]]


LOOKED_AT = 100  # folders below a path that holds nothing by itself
PARTS_DEEP = 3  # folders of a dataset in one another, such as images/train/batch
PARTS = IMAGE_FOLDERS | LABEL_FOLDERS | {"imagesets", "main"}  # folders of a dataset, which are none by themselves

FORMATS: Mapping[str, Format] = {
    "voc": Format(
        title="PASCAL VOC",
        advice="a folder of PASCAL VOC annotations and images",
        find=find_voc,
        open=lambda path: [VocSource(root) for root in voc_roots(path)],
    ),
    "coco": Format(
        title="COCO annotations",
        advice="a COCO JSON or the folder above it",
        find=find_coco,
        open=lambda path: [CocoSource(path)],
    ),
    "yolo": Format(
        title="YOLO",
        advice="a YOLO data.yaml or its folder",
        find=find_yolo,
        open=lambda path: [YoloSource(path)],
    ),
    "lists": Format(
        title="pytorch-SSD300's lists",
        advice="a folder of lists that `ssd300 prepare` wrote",
        find=find_lists,
        open=lambda path: [ListsSource(path)],
    ),
}


def open_data(paths: Sequence[Path], wanted: FormatName) -> JoinedSources:
    """The datasets at the paths, all of one format. Raises DataError as `recognize` does, and for several formats."""
    if not paths:
        raise DataError(
            "no data was named",
            fix=f"{_advice()} DATA comes before options that take several values, such as --only.",
        )
    formats = [recognize(path, wanted) for path in paths]
    for path, name in zip(paths, formats, strict=True):
        if name != formats[0]:
            raise DataError(
                f"the data is {FORMATS[name].title}, and {paths[0]} is {FORMATS[formats[0]].title}",
                where=path,
                fix=f"Convert one of them first: `ssd300 convert {path} NEW --to {formats[0]}`.",
            )
    return join([source for path in paths for source in FORMATS[formats[0]].open(path)])


def recognize(path: Path, wanted: FormatName) -> str:
    """The name of the format of the data at `path`, by its content.

    Raises:
        DataError: the path does not exist, no format fits, or several fit and none is `wanted`.
    """
    if shards_at(path) is not None:
        raise not_read_here(path)
    if not path.exists():
        raise DataError("there is no such folder or file", where=path, fix=spelled_like(path, _advice()))
    found = {name: evidence for name, one in FORMATS.items() if (evidence := one.find(path))}
    if wanted != "auto" and wanted not in found:
        raise DataError(f"the data is not of the format '{wanted}'", where=path, fix=_advice())
    if not found and path.suffix == ".tar" and shards_at(path.parent) is not None:
        raise DataError("this is a single shard", where=path, fix=f"Name the folder of all of them: {path.parent}.")
    if not found:
        seen, fix = what_is_seen(path)
        fix = data_beside(path) or fix or _advice()
        raise DataError(f"there is no data of a known format here{seen}", where=path, fix=fix)
    if wanted == "auto" and len(found) > 1:
        raise DataError(
            "there is more than one dataset: "
            + ", ".join(f"{FORMATS[name].title} ({evidence})" for name, evidence in found.items()),
            where=path,
            fix=f"Choose one with {' or '.join(f'--format {name}' for name in found)}.",
        )
    return next(iter(found)) if wanted == "auto" else wanted


def data_beside(path: Path) -> str:
    """The data of a known format around the path, in the folder above it or in those below; "" if there is none."""
    if path.suffix.casefold() in ARCHIVES:
        return ""
    for place in _above(path):
        if names := [one.title for one in FORMATS.values() if _uses(one, place, path)]:
            return f"Name {place}, which holds {' and '.join(names)}."
    own = [file for file in path.iterdir() if is_image_name(file)] if path.is_dir() else []
    for place in islice(_folders_below(path), LOOKED_AT):
        if names := [one.title for one in FORMATS.values() if _is_about(one, place, own)]:
            return f"Name {place}, which holds {' and '.join(names)}."
    return ""


def _above(path: Path) -> Iterator[Path]:
    """The folder that a file is in, or those that a part of a dataset may belong to, the nearest first."""
    part = Path(absolute(path))  # `.` has a name then
    is_part, here = part.is_file(), Path.cwd()
    for _ in range(PARTS_DEEP):
        if not (is_part or part.name.casefold() in PARTS or role_of(part.name) is not None):
            return
        part, is_part = part.parent, False
        yield part if path.is_absolute() or part == here or here not in part.parents else part.relative_to(here)


def _uses(format_: Format, place: Path, path: Path) -> bool:
    """Whether data of the format at `place` uses the file, or one in the folder, at `path`, and has images."""
    whole = absolute(path)
    files = _files_of(format_, place)
    used = any(file == whole or file.startswith(whole + os.sep) for file in files)
    return used and any(map(is_image_name, map(Path, files)))


def _is_about(format_: Format, place: Path, images: Sequence[Path]) -> bool:
    """Whether there is data of the format at `place`, with more images than the `images` outside of it."""
    if not images:
        return format_.find(place) is not None
    return sum(map(is_image_name, map(Path, _files_of(format_, place)))) > len(images)


def _files_of(format_: Format, place: Path) -> set[str]:
    """All that the data at `place` uses; nothing if there is none, or if it cannot be read."""
    try:
        found = [source.files() for source in format_.open(place)] if format_.find(place) else []
    except DataError:
        return set()
    return {absolute(file) for one in found for file in (*one.used, *one.known)}


def _folders_below(path: Path) -> Iterator[Path]:
    """The nearest first."""
    level = [path]
    while level:
        level = [child for folder in level for child in folders_in(folder) if not child.is_symlink()]
        yield from level


def _advice() -> str:
    *others, last = (one.advice for one in FORMATS.values())
    return f"Name {', '.join(others)}, or {last}."

"""Every format of annotated images that can be read, and how the format of a path is recognized.

A format is registered here in `FORMATS`, and by its name in `choices.FormatName`, which the command line reads.
"""

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
from ssd300.data.sources import JoinedSources, join
from ssd300.data.splits import role_of
from ssd300.errors import DataError
from ssd300.system.files import spelled_like


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
    if not path.exists():
        raise DataError("there is no such folder or file", where=path, fix=spelled_like(path, _advice()))
    found = {name: evidence for name, one in FORMATS.items() if (evidence := one.find(path))}
    if wanted != "auto" and wanted not in found:
        raise DataError(f"the data is not of the format '{wanted}'", where=path, fix=_advice())
    if not found:
        seen, fix = what_is_seen(path)
        fix = _beside(path) or fix or _advice()
        raise DataError(f"there is no data of a known format here{seen}", where=path, fix=fix)
    if wanted == "auto" and len(found) > 1:
        raise DataError(
            "there is more than one dataset: "
            + ", ".join(f"{FORMATS[name].title} ({evidence})" for name, evidence in found.items()),
            where=path,
            fix=f"Choose one with {' or '.join(f'--format {name}' for name in found)}.",
        )
    return next(iter(found)) if wanted == "auto" else wanted


def _beside(path: Path) -> str:
    """The data of a known format around the path, in the folder above it or in those below; "" if there is none."""
    if path.suffix.casefold() in ARCHIVES:
        return ""
    known = path.is_file() or path.name.casefold() in PARTS or role_of(path.name) is not None
    places = [*([path.parent] if known else []), *islice(_folders_below(path), LOOKED_AT)]
    for place in places:
        if names := [one.title for one in FORMATS.values() if one.find(place)]:
            return f"Name {place}, which holds {' and '.join(names)}."
    return ""


def _folders_below(path: Path) -> Iterator[Path]:
    """The nearest first."""
    level = [path]
    while level:
        level = [child for folder in level for child in folders_in(folder) if not child.is_symlink()]
        yield from level


def _advice() -> str:
    *others, last = (one.advice for one in FORMATS.values())
    return f"Name {', '.join(others)}, or {last}."

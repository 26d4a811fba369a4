"""pytorch-SSD300's data lists: five JSON files that name images and their objects.

In these files all four corners are one less than VOC's, so xmax and ymax are the last pixel; pytorch-SSD300's own rule.
"""

import json
import math
import reprlib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssd300.data.formats.annotations import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Corners,
    DataFiles,
    Source,
)
from ssd300.data.formats.file_index import is_there
from ssd300.data.formats.text import read_text
from ssd300.data.problems import Fault
from ssd300.data.splits import UnusableSplitError, role_of
from ssd300.errors import DataError
from ssd300.system.files import absolute
from ssd300.types import Annotation

LABEL_MAP, BACKGROUND = "label_map.json", "background"
COLUMNS = ("boxes", "labels", "difficulties")
PARTS = ("TRAIN", "TEST")  # the splits, as their files are called
AGAIN = "Write the lists again as they were made, with `ssd300 prepare` or `ssd300 split`."
LIST_FILES = ("TRAIN_images.json", "TRAIN_objects.json", "TEST_images.json", "TEST_objects.json", LABEL_MAP)


def to_entry(annotation: Annotation) -> dict[str, list[Any]]:
    """The objects of an image as the lists have them; labels count from 1."""
    corners = annotation.boxes_px.tolist()
    return {
        "boxes": [[_number(value) for value in (x1, y1, x2 - 1, y2 - 1)] for x1, y1, x2, y2 in corners],
        "labels": (annotation.labels + 1).tolist(),
        "difficulties": annotation.difficult.astype(int).tolist(),
    }


def _number(value: float) -> int | float:
    """Integers as pytorch-SSD300 writes them; the few real fractions of VOC2012 stay."""
    return int(value) if value == int(value) else value


def find_lists(path: Path) -> Path | None:
    """The label map of the folder `path`, None if there are no lists."""
    return path / LABEL_MAP if path.is_dir() and has_lists(path) else None


def has_lists(folder: Path) -> bool:
    return (folder / LABEL_MAP).is_file() and any((folder / f"{part}_images.json").is_file() for part in PARTS)


@dataclass(frozen=True)
class ListsSource(Source):
    """The two lists of a folder, TRAIN and TEST. Relative paths start at the folder."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root

    @property
    def splits(self) -> Sequence[str]:
        return [part for part in PARTS if (self.root / f"{part}_images.json").is_file()]

    def find(self, wanted: str) -> str | None:
        """As pytorch-SSD300 has one list to train and one to test on, trainval and val are these."""
        roles = {"trainval": "TRAIN", "train": "TRAIN", "val": "TEST", "test": "TEST"}
        found = roles.get(role_of(wanted) or "")
        return found if found in self.splits else None

    def ids(self, split: str) -> Sequence[str]:
        file = self.root / f"{split}_images.json"
        return _checked_paths(_read_json(file, list), file)

    def read(self, split: str, *, require_images: bool) -> AnnotatedImages:
        """The images and objects of one of the two lists.

        Raises:
            UnusableSplitError: the list is empty.
            DataError: the list is not as pytorch-SSD300 writes it: with file and entry.
        """
        folder = self.root
        names = _read_label_map(folder / LABEL_MAP)
        images_file, objects_file = folder / f"{split}_images.json", folder / f"{split}_objects.json"
        images, objects = _read_json(images_file, list), _read_json(objects_file, list)
        if len(images) != len(objects):
            raise DataError(
                f"it has {len(objects)} entries where {images_file.name} has {len(images)}",
                where=objects_file,
                fix=AGAIN,
            )
        if not images:
            raise UnusableSplitError(f"the split is empty: {images_file.name} lists no image", where=folder, fix=AGAIN)
        paths = [self._image(path) for path in _checked_paths(images, images_file)]
        annotated = [
            AnnotatedImage(
                image_id=image_id,
                image_path=path if not require_images or is_there(path) else None,
                size_hw=None,
                objects=_listed_objects(entry, names, f"{objects_file}, entry {n}"),
                where=f"{objects_file}, entry {n} ({path})",
                has_size=False,
            )
            for n, (path, image_id, entry) in enumerate(zip(paths, _image_ids(paths, images), objects, strict=True), 1)
        ]
        return AnnotatedImages(
            images=annotated,
            split=split,
            notes=(f"pytorch-SSD300's lists (it has {LABEL_MAP}), split '{split.casefold()}'",),
            classes=tuple(names[1:]),
            count_names=lambda: Counter(item.name for image in annotated for item in image.objects),
            find_images="Relative paths start at the folder of the lists, absolute ones are used as they are: put the "
            "images there, or write the lists again as they were made, with `ssd300 prepare` or `ssd300 split`; split "
            "holds the same images out again for the same share and seed.",
        )

    def _image(self, written: str) -> Path:
        """The image, there or not; systems write a letter with an accent in two ways, of which a file name has one."""
        forms = (written, *(unicodedata.normalize(form, written) for form in ("NFC", "NFD")))
        paths = dict.fromkeys(self.root / form for form in forms)
        return next((path for path in paths if is_there(path)), self.root / written)

    def files(self) -> DataFiles:
        """All images of the lists. Folders elsewhere may hold others, which belong to other datasets."""
        used = [path for split in self.splits for name in self.ids(split) if (path := self._image(name)).is_file()]
        known = (self.root / name for name in (*LIST_FILES, "data.json"))
        return DataFiles(used=frozenset(used), folders=(), known=frozenset(known), why=_why_unused)


def _why_unused(_image: Path) -> Fault:
    return Fault("image-without-annotation", "no list has it, so it is not used")


def _read_label_map(path: Path) -> list[str]:
    """Names by label, background first."""
    label_map = _read_json(path, dict)
    labels = [label for name, label in label_map.items() if name != BACKGROUND]
    good = all(type(label) is int for label in labels) and sorted(labels) == list(range(1, len(labels) + 1))
    if not labels or not good or label_map.get(BACKGROUND, 0) != 0:
        raise DataError(
            "the labels are not 1, 2, 3… with background 0",
            where=path,
            fix="Correct the map, or write the lists again.",
        )
    return [BACKGROUND, *sorted(label_map.keys() - {BACKGROUND}, key=label_map.__getitem__)]


def _read_json(path: Path, kind: type) -> Any:
    if not path.is_file():
        raise DataError("there is no such list", where=path, fix=AGAIN)
    try:
        value = json.loads(read_text(path))
    except DataError as error:
        raise DataError(f"the list cannot be read: {error.what}", where=path, fix=AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"the list cannot be read ({error})", where=path, fix=AGAIN) from error
    if not isinstance(value, kind):
        raise DataError(f"the list is not a JSON {kind.__name__}", where=path, fix=AGAIN)
    return value


def _checked_paths(paths: list[Any], file: Path) -> list[str]:
    """The paths. Raises DataError for an entry that is not a path, or that is listed twice."""
    entries: dict[str, int] = {}
    for number, path in enumerate(paths, start=1):
        if not isinstance(path, str) or not path:
            raise DataError("the entry is not a path", where=f"{file}, entry {number}", fix=AGAIN)
        if path in entries:
            raise DataError(
                f"the image '{path}' is listed twice, first in entry {entries[path]}",
                where=f"{file}, entry {number}",
                fix="Remove one, from both lists.",
            )
        entries[path] = number
    return paths


def _image_ids(paths: Sequence[Path], listed: Sequence[str]) -> list[str]:
    """Stems; of equal ones, as when VOC folders are joined, with the year's folder; of still equal ones, the paths."""
    stems = Counter(path.stem for path in paths)
    ids = [
        path.stem if stems[path.stem] == 1 else f"{Path(absolute(path)).parent.parent.name}/{path.stem}"
        for path in paths
    ]
    seen = Counter(ids)
    return [image_id if seen[image_id] == 1 else path for image_id, path in zip(ids, listed, strict=True)]


def _listed_objects(entry: Any, names: Sequence[str], where: str) -> tuple[AnnotatedObject, ...]:
    columns: list[Any] = [entry.get(key) for key in COLUMNS] if isinstance(entry, dict) else [None]
    if not all(isinstance(column, list) for column in columns):
        raise DataError("the entry is not {boxes: […], labels: […], difficulties: […]}", where=where, fix=AGAIN)
    if len({len(column) for column in columns}) > 1:
        counts = ", ".join(f"{len(column)} {key}" for key, column in zip(COLUMNS, columns, strict=True))
        raise DataError(f"the entry has {counts}", where=where, fix=AGAIN)
    return tuple(_listed_object(box, label, difficult, names) for box, label, difficult in zip(*columns, strict=True))


def _listed_object(box: Any, label: Any, difficult: Any, names: Sequence[str]) -> AnnotatedObject:
    corners = _corners(box)
    fault = None
    if corners is None:
        fault = Fault("box", f"the box {reprlib.repr(box)} is not four numbers", AGAIN)
    elif type(label) is not int or not 0 < label < len(names):
        what = f"the label {reprlib.repr(label)} is not one of {LABEL_MAP}, 1 to {len(names) - 1}"
        fault = Fault("object", what, "Correct the label or the map, or write the lists again.")
    elif difficult not in (0, 1):
        fault = Fault("object", f"the difficulty {reprlib.repr(difficult)} is not 0 or 1", AGAIN)
    xmin, ymin, xmax, ymax = corners or (math.nan,) * 4
    return AnnotatedObject(
        name=names[label] if type(label) is int and 0 < label < len(names) else "",
        box_px=(xmin, ymin, xmax + 1, ymax + 1),  # see the top of the file
        written=corners,
        difficult=difficult == 1,
        fault=fault,
    )


def _corners(box: Any) -> Corners | None:
    if not isinstance(box, list) or len(box) != 4 or not all(type(value) in (int, float) for value in box):
        return None
    try:
        return (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
    except OverflowError:  # an integer of hundreds of digits
        return None

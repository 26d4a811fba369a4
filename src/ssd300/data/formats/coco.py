"""COCO annotations: a JSON file per split, as COCO itself, Roboflow and most annotation tools lay them out.

Boxes are (x, y, width, height) of a continuous plane, so no pixel is added or subtracted.
"""

import json
import math
import re
import reprlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ssd300.data.formats.annotations import (
    AnnotatedImage,
    AnnotatedImages,
    AnnotatedObject,
    Corners,
    DataFiles,
    Source,
    listed_twice,
    unique_ids,
)
from ssd300.data.formats.coco_files import OTHER_TASKS, coco_files, image_roots, leads_out, looks_like_coco
from ssd300.data.formats.coco_masks import box_of_segmentation
from ssd300.data.formats.coco_rows import from_xywh
from ssd300.data.formats.file_index import LABEL_FOLDERS, FileIndex, is_there, normal, walk
from ssd300.data.formats.text import read_text
from ssd300.data.problems import Fault, Problem
from ssd300.data.splits import UnusableSplitError, in_order
from ssd300.errors import DataError
from ssd300.images.header import is_image_name
from ssd300.system.wording import counted

MARKED = (1, "1", "true", "True")  # also what is no number in COCO itself
AGAIN = "Correct the file, or export it again."
_FILE_NAME = re.compile(rb'"file_name"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class CocoSource(Source):
    """The annotation files at a path, one per split."""

    path: Path

    @property
    def home(self) -> Path:
        return self.path

    @cached_property
    def by_split(self) -> dict[str, Path]:
        """The annotation file of each split."""
        return coco_files(self.path)

    @property
    def splits(self) -> Sequence[str]:
        return in_order(self.by_split)

    @cached_property
    def _home(self) -> Path:
        """The folder that holds images and annotations."""
        if self.path.is_dir():
            return self.path
        folder = self.path.parent
        return folder.parent if folder.name.casefold() in LABEL_FOLDERS else folder

    @cached_property
    def _images(self) -> FileIndex:
        return FileIndex(self._home, walk(self._home), is_image_name)

    def ids(self, split: str) -> Sequence[str]:
        """The images of a split, found without parsing the file: two splits may have other files of one name."""
        file = self.by_split[split]
        found = {name: self.image_path(file, split, name, required=True) for name in self._file_names(split)}
        return [f"{split}/{name}" if path is None else str(path) for name, path in found.items()]

    def _file_names(self, split: str) -> list[str]:
        data = self.by_split[split].read_bytes()
        return list(dict.fromkeys(json.loads(name) for name in _FILE_NAME.findall(data)))

    def read(self, split: str, *, require_images: bool) -> AnnotatedImages:
        """The images of an annotation file, by their ids. Crowd regions are marked, and difficult as in Caffe. Entries
        of one image are joined.

        Raises:
            UnusableSplitError: the file lists no image.
            DataError: the file is not COCO annotations: with file and entry.
        """
        file = self.by_split[split]
        content = read_content(file)
        names, notes = category_names(content["categories"], content["annotations"], file)
        images = _by_id(content["images"], f"{file}, images")
        if not images:
            raise UnusableSplitError(f"the split '{split}' is empty", where=file, fix="Name another with --split.")
        objects, orphans = _objects_by_image(content["annotations"], images, names, file)
        written = {key: _file_name(entry, file) for key, entry in images.items()}
        entries: dict[str, list[Any]] = defaultdict(list)
        for key, name in written.items():
            entries[normal(name)].append(key)
        listed = [written[keys[0]] for keys in entries.values()]
        ids = unique_ids([name.replace("\\", "/") for name in listed])
        paths = [self.image_path(file, split, name, required=require_images) for name in listed]
        crowds = sum(item.crowd for items in objects.values() for item in items)
        if crowds:
            notes.append(
                counted(crowds, "crowd {region is read as a difficult object|regions are read as difficult objects}")
            )
        return AnnotatedImages(
            images=[
                _image([(key, images[key]) for key in keys], objects, name=image_id, path=image_path, file=file)
                for keys, image_path, image_id in zip(entries.values(), paths, ids, strict=True)
            ],
            split=split,
            notes=(f"COCO annotations ({file.name}), split '{split}'", *notes),
            classes=tuple(names.values()),
            count_names=lambda: Counter(item.name for items in objects.values() for item in items),
            find_images=f"Put them into one of {', '.join(dict.fromkeys(map(str, image_roots(file, split))))}.",
            problems=(*orphans, *listed_twice(tuple(names.values()), str(file))),
        )

    def files(self) -> DataFiles:
        used = {path for split, file in self.by_split.items() for name in self._file_names(split)
                if (path := self.image_path(file, split, name, required=True)) is not None}  # fmt: skip
        files = frozenset(self.by_split.values())
        folders = dict.fromkeys([*sorted({path.parent for path in used}), *sorted({file.parent for file in files})])
        return DataFiles(
            used=frozenset(used) | files, folders=tuple(folders), label_suffix=".json", why=_why_unused
        )  # fmt: skip

    def image_path(self, file: Path, split: str, name: str, *, required: bool) -> Path | None:
        """The image of a file name: in the usual places, or the file of the folder with the longest end of it."""
        roots = image_roots(file, split)
        relative = name.replace("\\", "/")
        if not leads_out(relative):
            for root in roots:
                if is_there(root / relative):
                    return root / relative
        if (found := self._images.find_written(name)) is not None:
            return found
        if leads_out(relative):
            raise DataError(
                f"the file name '{name}' leads out of the folder, and no image below it has this name",
                where=file,
                fix="Put the images into the folder, or correct the names.",
            )
        return None if required else roots[0] / relative


def _why_unused(path: Path) -> Fault | None:
    if path.suffix == ".json":
        if path.name.startswith(OTHER_TASKS):
            return None
        unread = Fault("unlisted-annotation", "it is not read", "Name the file itself to read it.")
        return unread if looks_like_coco(path) else None
    return Fault("image-without-annotation", "no split has it, so it is not used")


def read_content(file: Path) -> dict[str, Any]:
    """What an annotation file holds. Raises DataError if it is not COCO annotations."""
    try:
        content = json.loads(read_text(file))
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError(f"the annotations cannot be read ({error})", where=file, fix=AGAIN) from error
    if isinstance(content, dict) and isinstance(content.get("images"), list) and content.get("annotations") is None:
        raise UnusableSplitError(
            "the file lists images without annotations", where=file, fix="Name another split with --split."
        )
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise DataError(f"it has no list '{key}', as COCO annotations have", where=file, fix=AGAIN)
    return content  # type: ignore[no-any-return]  # JSON


def _by_id(entries: Sequence[Any], where: str) -> dict[Any, dict[str, Any]]:
    """In the order of the ids, numbers before texts, as pycocotools has it: it decides between equal scores."""
    found: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(entries, start=1):
        key = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(key, (int, str)):
            raise DataError("the entry has no id", where=f"{where}, entry {number}", fix=AGAIN)
        if key in found:
            raise DataError(f"the id {key} is listed twice", where=f"{where}, entry {number}", fix=AGAIN)
        found[key] = entry
    return {key: found[key] for key in sorted(found, key=lambda key: (isinstance(key, str), key))}


def category_names(entries: Sequence[Any], annotations: Sequence[Any], file: Path) -> tuple[dict[Any, str], list[str]]:
    """Names by id, in the order of the ids, without Roboflow's first category that only groups the others."""
    categories = _by_id(entries, f"{file}, categories")
    used = {entry.get("category_id") for entry in annotations if isinstance(entry, dict)
            and isinstance(entry.get("category_id"), (int, str))}  # fmt: skip
    names: dict[Any, str] = {}
    notes = []
    parents = {entry.get("supercategory") for entry in categories.values()}
    for key, category in categories.items():
        name = category.get("name")
        if not isinstance(name, str) or not name.strip():
            raise DataError("the category has no name", where=f"{file}, category {key}", fix=AGAIN)
        if key not in used and name in parents and category.get("supercategory") == "none":
            notes.append(f"the category '{name}' has no objects and only groups the others: skipped")
            continue
        names[key] = name.strip()
    if twice := [name for name, count in Counter(names.values()).items() if count > 1]:
        raise DataError(f"two categories are called '{twice[0]}'", where=file, fix=AGAIN)
    return names, notes


def _objects_by_image(
    entries: Sequence[Any], images: Mapping[Any, Mapping[str, Any]], names: Mapping[Any, str], file: Path
) -> tuple[dict[Any, list[AnnotatedObject]], tuple[Problem, ...]]:
    """The objects of each image, by its id; [] for one without. And the objects that belong to none."""
    objects: dict[Any, list[AnnotatedObject]] = {key: [] for key in images}
    orphans = []
    for number, entry in enumerate(entries, start=1):
        owner = entry.get("image_id") if isinstance(entry, dict) else None
        if isinstance(owner, (list, dict)) or owner not in objects:
            what = Fault("object-without-image", f"there is no image with the id {reprlib.repr(owner)}")
            orphans.append(
                what.at(f"{file}, annotation {entry.get('id', number) if isinstance(entry, dict) else number}")
            )
        else:
            objects[owner].append(read_object(entry, names, image_size(images[owner])))
    return objects, tuple(orphans)


def read_object(entry: Mapping[str, Any], names: Mapping[Any, str], size_hw: tuple[int, int] | None) -> AnnotatedObject:
    """The object of an annotation, of an image of that size; one that cannot be used has a fault."""
    category = entry.get("category_id")
    known = not isinstance(category, (list, dict)) and category in names
    fault = None if known else Fault("object", f"there is no category with the id {reprlib.repr(category)}", AGAIN)
    mask = entry.get("segmentation")
    mask_hw = mask.get("size") if isinstance(mask, dict) and not entry.get("bbox") else None
    if fault is None and mask_hw is not None and size_hw is not None and list(mask_hw) != list(size_hw):
        fault = Fault(
            "object", f"the mask is for {mask_hw} pixels (height, width), the image has {list(size_hw)}", AGAIN
        )
    crowd = entry.get("iscrowd") in MARKED
    return AnnotatedObject(
        name=names[category] if known else "",
        box_px=_corners(entry),
        difficult=crowd or entry.get("difficult") in MARKED,
        crowd=crowd,
        fault=fault,
    )


def _corners(entry: Mapping[str, Any]) -> Corners:
    """The box, or where there is none, that of the segmentation; NaN where both are missing or not numbers."""
    try:
        x, y, width, height = (float(value) for value in entry.get("bbox") or ())
    except (TypeError, ValueError, OverflowError):
        if not entry.get("bbox") and (found := box_of_segmentation(entry.get("segmentation"))) is not None:
            return found
        return (math.nan,) * 4
    return from_xywh(x, y, width, height)


def _image(
    entries: Sequence[tuple[Any, Mapping[str, Any]]],
    objects: Mapping[Any, Sequence[AnnotatedObject]],
    *,
    name: str,
    path: Path | None,
    file: Path,
) -> AnnotatedImage:
    """The image of an entry, or of several entries of one file name."""
    keys = ", ".join(str(key) for key, _ in entries)
    sizes = {image_size(entry) for _, entry in entries}
    twice = (Fault("image-listed-twice", f"the entries {keys} are of one file; their objects are joined"),)
    return AnnotatedImage(
        image_id=name,
        image_path=path,
        size_hw=sizes.pop() if len(sizes) == 1 else None,
        objects=tuple(item for key, _ in entries for item in objects[key]),
        where=f"{file}, image {keys} ({entries[0][1]['file_name']})",
        fault=Fault("size", f"the entries {keys} of one file have different sizes") if len(sizes) > 1 else None,
        remarks=twice if len(entries) > 1 else (),
    )


def image_size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    """(height, width), also of numbers that are written as text; None for what is no size."""
    try:
        height, width = (int(float(image[key])) for key in ("height", "width"))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None


def _file_name(entry: Mapping[str, Any], file: Path) -> str:
    name = entry.get("file_name")
    if not isinstance(name, str) or not name:
        raise DataError("the image has no file_name", where=f"{file}, image {entry['id']}", fix=AGAIN)
    return name

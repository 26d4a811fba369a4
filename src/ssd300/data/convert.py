"""Annotated images of one format written in another. Boxes are unchanged on a way there and back.

What `load_dataset` does not read is not written either: VOC's pose, truncated, parts and segmented, COCO's segmentation
and keypoints; of a YOLO polygon the box around it is. Writers return what else their format cannot hold.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ssd300.data.choices import FormatName, OnBadLabel, WrittenFormat
from ssd300.data.dataset import Dataset
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.formats.coco_files import PREFIX
from ssd300.data.formats.coco_rows import annotation_row, category_rows
from ssd300.data.formats.voc_xml import to_xml
from ssd300.data.formats.yolo import to_line
from ssd300.data.load import build
from ssd300.data.problems import RULES, count_in_notes
from ssd300.data.recognition import open_data
from ssd300.data.sources import Choice, JoinedSources
from ssd300.data.splits import Role, UnusableSplitError, role_of
from ssd300.data.unused_files import list_files
from ssd300.errors import DataError
from ssd300.images.header import image_size_hw
from ssd300.images.upright import copy_upright
from ssd300.system.wording import counted
from ssd300.types import Annotation

YOLO_KEYS: Mapping[Role | None, str] = {"trainval": "train", "train": "train", "val": "val", "test": "test"}


class Written(NamedTuple):
    """What a format cannot hold, and remarks on what was written."""

    lost: Sequence[str] = ()
    notes: Sequence[str] = ()


Advance = Callable[[], None]  # called for each image that was written
Writer = Callable[[Path, Sequence[Dataset], Advance], Written]


def load_splits(
    data: Path,
    *,
    split: str | None,
    classes: Sequence[str] | None,
    format: FormatName,  # as `load_dataset`
    on_bad_label: OnBadLabel,
    only: Sequence[str] | None = None,
) -> tuple[list[Dataset], list[str]]:
    """A dataset for each split of the data, or for `split` alone, all with one list of classes; and notes on splits and
    files that are not converted. Raises DataError as `load_dataset` does, and if no split can be used.
    """
    found = open_data([data], format)
    choices, notes = ([found.named(split)], []) if split is not None else found.every()
    notes = [f"{note} and is not written again" for note in notes]
    read, unusable = _read_usable(found, choices)
    notes += unusable
    listed = dict.fromkeys(name for images in read for name in images.classes or ())
    classes = classes or tuple(listed) or None  # of all splits, as one may lack a class of another
    splits: list[Dataset] = []
    for images in read:
        known = splits[0].classes if splits else None
        others = splits[0].other_classes if splits else ()
        splits.append(
            build(
                images,
                data,
                classes=(*known, *others) if known is not None else classes,
                only=known if others else only,
                on_bad_label=on_bad_label,
            )
        )
    paths = Counter(annotation.image_path for dataset in splits for annotation in dataset.annotations)
    if twice := sum(count > 1 for count in paths.values()):
        notes.append(counted(twice, RULES["image-in-two-splits"].counted + ", and {is|are} written into both"))
    if split is None:
        notes += count_in_notes(list_files(found).problems)
    return splits, notes


def _read_usable(data: JoinedSources, choices: Sequence[Choice]) -> tuple[list[AnnotatedImages], list[str]]:
    """The splits that can be read, and notes on the others. Raises UnusableSplitError if there is none."""
    read: list[AnnotatedImages] = []
    unusable: list[UnusableSplitError] = []
    notes = []
    for choice in choices:
        try:
            read.append(data.read(choice, require_images=True))
        except UnusableSplitError as error:
            unusable.append(error)
            notes.append(f"the split '{choice.name}' cannot be used and is not written: {error}")
    if not read:
        raise unusable[0]
    return read, notes


def write_voc(folder: Path, splits: Sequence[Dataset], advance: Advance = lambda: None) -> Written:
    """Annotations, JPEGImages and ImageSets/Main, with images copied. VOC holds all that a dataset has."""
    copies = _Copies(advance)
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for dataset, names in _with_names(splits):
        for annotation, name in zip(dataset.annotations, names, strict=True):
            image = f"{name}{annotation.image_path.suffix}"
            objects = zip(
                (dataset.classes[label] for label in annotation.labels),
                map(tuple, annotation.boxes_px.tolist()),
                annotation.difficult.tolist(),
                annotation.crowd.tolist(),
                strict=True,
            )
            text = to_xml(image, _size(annotation), objects)
            (folder / "Annotations" / f"{name}.xml").write_text(text, encoding="utf-8")
            copies.add(annotation.image_path, folder / "JPEGImages" / image)
        ids = "".join(f"{name}\n" for name in names)
        (folder / "ImageSets" / "Main" / f"{dataset.split}.txt").write_text(ids, encoding="utf-8")
    return Written(notes=copies.notes())


def write_coco(folder: Path, splits: Sequence[Dataset], advance: Advance = lambda: None) -> Written:
    """annotations/instances_<split>.json, and a folder of images per split. COCO itself has no key `difficult`."""
    copies = _Copies(advance)
    (folder / "annotations").mkdir(parents=True)
    for dataset, names in _with_names(splits):
        files = folder / dataset.split
        files.mkdir()
        images: list[dict[str, Any]] = []
        objects: list[dict[str, Any]] = []
        for number, (annotation, name) in enumerate(zip(dataset.annotations, names, strict=True), start=1):
            height, width = _size(annotation)
            image = f"{name}{annotation.image_path.suffix}"
            images.append({"id": number, "file_name": image, "height": height, "width": width})
            copies.add(annotation.image_path, files / image)
            for row, box in enumerate(annotation.boxes_px.tolist()):
                label, crowd = int(annotation.labels[row]), bool(annotation.crowd[row])
                difficult = int(annotation.difficult[row])
                objects.append(annotation_row(len(objects) + 1, number, label, box, crowd=crowd, difficult=difficult))
        content = {"images": images, "annotations": objects, "categories": category_rows(dataset.classes)}
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        (folder / "annotations" / f"{PREFIX}{dataset.split}.json").write_text(text, encoding="utf-8")
    return Written(notes=copies.notes())


def write_yolo(folder: Path, splits: Sequence[Dataset], advance: Advance = lambda: None) -> Written:
    """data.yaml, images/<split> and labels/<split>. What is lost are the marks of difficult objects."""
    copies = _Copies(advance)
    description: dict[str, Any] = {"path": "."}
    lost = 0
    keys = _yolo_keys([dataset.split for dataset in splits])
    for dataset, names in _with_names(splits):
        for kind in ("images", "labels"):
            (folder / kind / dataset.split).mkdir(parents=True)
        for annotation, name in zip(dataset.annotations, names, strict=True):
            size_hw = _size(annotation)
            objects = zip(annotation.labels.tolist(), annotation.boxes_px.tolist(), strict=True)
            lines = [to_line(label, box, size_hw) for label, box in objects]
            (folder / "labels" / dataset.split / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
            image = f"{name}{annotation.image_path.suffix}"
            copies.add(annotation.image_path, folder / "images" / dataset.split / image)
            lost += int(annotation.difficult.sum())
        description[keys[dataset.split]] = f"images/{dataset.split}"
    description["names"] = dict(enumerate(splits[0].classes))
    text = yaml.safe_dump(description, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    notes = [f"the split '{split}' is called '{key}' in data.yaml" for split, key in keys.items() if split != key]
    if unusual := [key for key in keys.values() if key not in YOLO_KEYS.values()]:
        notes.append(f"other programs read train, val and test alone, not {', '.join(unusual)}")
    marks = [f"YOLO has no mark for difficult objects and crowds: lost for {lost}"] if lost else []
    return Written(lost=marks, notes=notes + copies.notes())


def _yolo_keys(splits: Sequence[str]) -> dict[str, str]:
    """The key in data.yaml of each split: train, val or test where one of them alone is for that; the only split is
    for training.
    """
    wanted = {split: YOLO_KEYS.get(role_of(split), "train" if len(splits) == 1 else split) for split in splits}
    taken: dict[str, str] = {}
    for split, key in wanted.items():
        name, number = key, 2
        while name in taken.values():
            name, number = f"{key}{number}", number + 1
        taken[split] = name
    return taken


WRITERS: Mapping[WrittenFormat, Writer] = {
    "voc": write_voc,
    "coco": write_coco,
    "yolo": write_yolo,
}


@dataclass
class _Copies:
    """Copies images, and counts those that are not copied byte by byte and those that no one can see."""

    advance: Advance
    turned: int = 0
    unreadable: list[Path] = field(default_factory=list)

    def add(self, source: Path, target: Path) -> None:
        try:
            self.turned += copy_upright(source, target)
        except DataError:
            self.unreadable.append(source)
            shutil.copyfile(source, target)
        self.advance()

    def notes(self) -> list[str]:
        notes = []
        if self.turned:
            notes.append(
                counted(
                    self.turned,
                    "{image|images} that EXIF data turns {is|are} written with turned pixels, without that data",
                )
            )
        if self.unreadable:
            unreadable = counted(len(self.unreadable), "{image|images} cannot be read and {is|are} copied")
            notes.append(f"{unreadable}; first {self.unreadable[0]}")
        return notes


def _with_names(splits: Sequence[Dataset]) -> Iterator[tuple[Dataset, list[str]]]:
    """A file name without ending for each image: its id, after the split's name if another image has it too."""
    taken: set[str] = set()
    for dataset in splits:
        names = []
        for annotation in dataset.annotations:
            parts = annotation.image_id.removesuffix(annotation.image_path.suffix).split("/")
            name = "_".join(part for part in parts if part.strip("."))  # not "..", which would hide the file
            name = "".join(letter if letter.isprintable() else "_" for letter in name).strip() or "image"
            while name in taken:
                name = f"{dataset.split}_{name}"
            taken.add(name)
            names.append(name)
        yield dataset, names


def _size(annotation: Annotation) -> tuple[int, int]:
    return annotation.size_hw or image_size_hw(annotation.image_path)

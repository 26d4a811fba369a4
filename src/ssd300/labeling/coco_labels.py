"""COCO labels: one JSON file for the images of a split. What an image has of it is what its version is of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300.data.choices import FormatName
from ssd300.data.formats.annotations import AnnotatedImage
from ssd300.data.formats.coco import CocoSource, image_size, read_object
from ssd300.data.frames import settle
from ssd300.data.splits import WHOLE
from ssd300.errors import DataError
from ssd300.images.header import read_header
from ssd300.labeling.coco_document import LABELED, CocoDocument, edited, new_entry
from ssd300.labeling.file_frame import to_file_frame
from ssd300.labeling.objects import Entry, LabeledObject, Labels, Read


class CocoLabels:
    """The images that the annotation files of a dataset list, and these files."""

    title, has_flags = "COCO", False
    format: FormatName = "coco"
    names_are_listed, names_are_numbered = True, False
    split_fault = ""
    split_lists: Sequence[str] = ()  # images that no split has are none of these data

    def __init__(self, path: Path) -> None:
        """Raises DataError for files that are not COCO annotations."""
        source = CocoSource(path)
        self.home = source.home if source.home.is_dir() else source.home.parent
        self._documents = {split: CocoDocument(file) for split, file in source.by_split.items()}
        self._owners: dict[Path, tuple[str, list[Any]]] = {}
        found_in: dict[str, list[Path]] = {split: [] for split in self._documents if split != WHOLE}
        for split, document in self._documents.items():
            for entry in document.content["images"]:
                found = source.image_path(document.file, split, str(entry.get("file_name", "")), required=True)
                if found is not None and split in found_in:
                    found_in[split].append(found)
                if found is not None and self._owners.setdefault(found, (split, []))[0] == split:
                    self._owners[found][1].append(entry["id"])
        self.images: Sequence[Path] = list(self._owners)
        self.splits: Mapping[str, Sequence[Path]] = found_in

    @property
    def classes(self) -> Sequence[str]:
        return list(dict.fromkeys(name for one in self._documents.values() for name in one.names.values()))

    def add_class(self, name: str) -> None:
        for split in self._documents:
            self._document(split).add_category(name)

    def rename_class(self, old: str, new: str) -> None:
        for split in self._documents:
            self._document(split).rename_category(old, new)

    def add_to_list(self, name: str, images: Sequence[Path]) -> Sequence[str]:
        raise DataError(f"there is no list '{name}' to add {len(images)} images to", fix="Load the page again.")

    def place(self, image: Path) -> Path:
        """The file that has the labels of an image, and those of others."""
        return self._documents[self._owners[image][0]].file

    def content(self, image: Path) -> bytes:
        """The entries of an image and its annotations, as JSON. Raises DataError if the file is gone or broken."""
        split, ids = self._owners[image]
        document = self._document(split)
        entries = [document.images[number] for number in ids if number in document.images]
        if not entries:
            raise DataError("the file does not list this image any more", where=document.file)
        annotations = [one for number in ids for one in document.of_image[number]]
        return _as_bytes(entries, annotations)

    def read(self, image: Path, content: bytes | None) -> Labels:
        """The labels of an image with this content. Nothing is raised: a fault is in the labels."""
        found = json.loads(content or b'{"images": [], "annotations": []}')
        settled = settle([self._annotated(image, found)])[0]
        entries = found["annotations"]
        exists = bool(entries) or any(entry.get(LABELED) is True for entry in found["images"])
        if settled.fault is not None:
            return Labels(exists=exists, fault=str(settled.fault))
        read = (
            Read(
                object=LabeledObject(
                    name=item.name, box_px=item.box_px if item.fault is None else None, fault=str(item.fault or "")
                ),
                part=entry,
                is_crowd=item.crowd,
            )
            for item, entry in zip(settled.objects, entries, strict=True)
        )
        return Labels(objects=tuple(read), exists=exists)

    def written(self, image: Path, content: bytes | None, entries: Sequence[Entry], *, exists: bool) -> bytes:
        """The content with these objects. Raises DataError for an unknown class or a broken image."""
        found = json.loads(content or b"{}")
        document = self._document(self._owners[image][0])
        in_file = to_file_frame(self._annotated(image, found), read_header(image))
        number = document.next_id()
        annotations = []
        for entry in entries:
            after, before = entry.after, entry.before
            if before is not None and (entry.is_unchanged or before.object.box_px is None or after.box_px is None):
                made = before.part
            elif after.box_px is None:
                raise DataError("an object has no box", where=image, fix="Draw it.")
            else:
                try:
                    category = document.category_id(after.name)
                except KeyError:
                    raise DataError(f"the data has no class '{after.name}'", fix="Add the class first.") from None
                box = in_file(after.box_px)
                old = None if before is None or before.object.box_px is None else in_file(before.object.box_px)
                if before is None:
                    made = new_entry(number, found["images"][0]["id"], category, box)
                    number += 1
                else:
                    made = edited(before.part, category, old, box)
            annotations.append(made)
        return _as_bytes([_marked(one, exists=exists and not annotations) for one in found["images"]], annotations)

    def write(self, image: Path, content: bytes | None) -> None:
        """Write the file with this content of an image, whole or not at all. Raises RunError, DataError."""
        found = json.loads(content or b"{}")
        self._document(self._owners[image][0]).replace(found["images"], found["annotations"])

    def _document(self, split: str) -> CocoDocument:
        if not self._documents[split].is_current:
            try:
                self._documents[split] = CocoDocument(self._documents[split].file)
            except OSError as error:
                where = self._documents[split].file
                raise DataError(f"the file cannot be opened ({error.strerror})", where=where) from error
        return self._documents[split]

    def _annotated(self, image: Path, found: dict[str, Any]) -> AnnotatedImage:
        split, _ = self._owners[image]
        sizes = {image_size(entry) for entry in found["images"]}
        size_hw = sizes.pop() if len(sizes) == 1 else None
        names = self._documents[split].names
        objects = tuple(read_object(one, names, size_hw) for one in found["annotations"])
        return AnnotatedImage(image_id=image.stem, image_path=image, size_hw=size_hw, objects=objects, where=str(image))


def _marked(entry: dict[str, Any], *, exists: bool) -> dict[str, Any]:
    """The entry of an image; one without objects is marked as labeled."""
    kept = {key: value for key, value in entry.items() if key != LABELED}
    return {**kept, LABELED: True} if exists else entry if entry.get(LABELED) is not True else kept


def _as_bytes(images: Sequence[Any], annotations: Sequence[Any]) -> bytes:
    return json.dumps({"images": images, "annotations": annotations}, ensure_ascii=False).encode()

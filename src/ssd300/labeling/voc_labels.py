"""PASCAL VOC labels of a folder of images: an XML file for each image, in place or in a folder of their own.

Where an image has no file yet, its place is beside the image, or in a folder of annotations if the data has one or the
images lie in several folders: there `ssd300 train` finds it.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ssd300.boxes import to_voc_pixels
from ssd300.data.choices import FormatName
from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedObject, Corners
from ssd300.data.formats.file_index import IMAGE_FOLDERS, LABEL_FOLDERS, folders_in, key_of
from ssd300.data.formats.voc_folder import ANNOTATIONS, IMAGES, VocFolder
from ssd300.data.formats.voc_xml import VocFile, parse_xml
from ssd300.data.frames import settle
from ssd300.errors import DataError
from ssd300.images.header import read_header
from ssd300.labeling.class_file import ClassFile
from ssd300.labeling.file_frame import to_file_frame
from ssd300.labeling.objects import Entry, LabeledObject, Labels, Read, in_file_order
from ssd300.labeling.voc_document import VocDocument, VocValues, edited, empty_document, flag_of
from ssd300.labeling.voc_splits import VocSplits
from ssd300.system.files import absolute, read_if_there, write_bytes


class VocLabels:
    """The images of some VOC folders, or of a folder without labels, and their XML files."""

    title, has_flags = "PASCAL VOC", True
    format: FormatName = "voc"
    names_are_listed = names_are_numbered = False

    def __init__(self, folders: Sequence[VocFolder], *, out: Path | None = None, classes: Sequence[str] = ()) -> None:
        """Raises DataError for two annotation files of one image."""
        self.home = out or folders[0].root
        self._out = out
        self._classes = ClassFile(self.home, classes)
        self._places: dict[Path, Path] = {}
        self._roots: dict[Path, Path] = {}
        for folder in folders:
            self._places |= _places(folder)
            self._roots |= dict.fromkeys(folder.images.files, folder.root)
        self.images: Sequence[Path] = [image for folder in folders for image in folder.images.files]
        self._splits = VocSplits(folders if out is None else [])
        self._owners: dict[Path, Path] = {}
        for image in self.images:
            self._owners.setdefault(self.place(image), image)

    @property
    def classes(self) -> Sequence[str]:
        """Those that are listed; the labels may have others."""
        return self._classes.names

    def add_class(self, name: str) -> None:
        self._classes.add(name)

    def rename_class(self, old: str, new: str) -> None:
        self._classes.rename(old, new)

    @property
    def splits(self) -> Mapping[str, Sequence[Path]]:
        """The images of each split; none for a folder of labels of their own, which has no lists."""
        return self._splits.images

    @property
    def split_fault(self) -> str:
        return self._splits.fault

    @property
    def split_lists(self) -> Sequence[str]:
        return self._splits.lists

    def add_to_list(self, name: str, images: Sequence[Path]) -> Sequence[str]:
        return self._splits.add(name, images)

    def place(self, image: Path) -> Path:
        """The file that is written for an image."""
        if self._out is None:
            return self._places[image]
        return self._out / ANNOTATIONS / f"{self._key(image)}.xml"

    def content(self, image: Path) -> bytes | None:
        """What the file of an image holds; None without one. Raises DataError if it cannot be opened."""
        places = self.place(image), self._places[image]
        return next((found for place in places if (found := read_if_there(place)) is not None), None)

    def read(self, image: Path, content: bytes | None) -> Labels:
        """The labels of an image whose file has this content. Nothing is raised: a fault is in the labels."""
        other = self._owners[self.place(image)]
        if other != image:
            return Labels(fault=f"{other.name} has the same name, so both would have the same file of labels")
        if content is None:
            return Labels()
        file = parse_xml(content)
        if file.fault is not None:
            return Labels(exists=True, fault=str(file.fault))
        try:
            parts = VocDocument(content).parts
        except DataError as error:
            return Labels(exists=True, fault=error.what)
        found = settle([_annotated(image, file)])[0]
        if found.fault is not None or len(parts) != len(found.objects):
            return Labels(exists=True, fault=str(found.fault or "its objects are not side by side"))
        read = (_read(item, part) for item, part in zip(found.objects, parts, strict=True))
        return Labels(objects=tuple(read), exists=True)

    def written(self, image: Path, content: bytes | None, entries: Sequence[Entry], *, exists: bool) -> bytes | None:
        """The content of the file with these objects; None for no file, without `exists`.

        Raises DataError if the file or the image cannot be read.
        """
        if not exists:
            return None
        header = read_header(image)
        base = empty_document(image.name, header.size_hw) if content is None else content
        document = VocDocument(base)
        in_file = to_file_frame(_annotated(image, parse_xml(base)), header)

        def values(item: LabeledObject, box_px: Corners) -> VocValues:
            corners = to_voc_pixels(*in_file(box_px))
            return VocValues(name=item.name, corners=corners, difficult=item.difficult, truncated=item.truncated)

        parts = []
        for entry in in_file_order(entries):
            after, before = entry.after, entry.before
            if before is not None and (entry.is_unchanged or before.object.box_px is None or after.box_px is None):
                part = before.part
            elif after.box_px is None:
                raise DataError("an object has no box", where=image, fix="Draw it.")
            elif before is None or before.object.box_px is None:
                part = document.new_part(values(after, after.box_px))
            else:
                old = values(before.object, before.object.box_px)
                part = edited(before.part, old, values(after, after.box_px))
            parts.append((entry.number, part))
        return document.with_parts(parts)

    def write(self, image: Path, content: bytes | None) -> None:
        """Write the file of an image whole or not at all; None removes it. Raises RunError."""
        place = self.place(image)
        if content is None:
            place.unlink(missing_ok=True)
            return
        write_bytes(place, content)
        if self._out is not None:
            _link(image, self._out / IMAGES / f"{self._key(image)}{image.suffix}")

    def _key(self, image: Path) -> str:
        return key_of(image.relative_to(self._roots[image]))


def _annotated(image: Path, file: VocFile) -> AnnotatedImage:
    return AnnotatedImage(
        image_id=image.stem, image_path=image, size_hw=file.size_hw, objects=file.objects, where=str(image)
    )


def _read(item: AnnotatedObject, part: str) -> Read:
    box_px = item.box_px if item.fault is None else None
    truncated = flag_of(part, "truncated")
    labeled = LabeledObject(
        name=item.name.strip(),
        box_px=box_px,
        difficult=item.difficult,
        truncated=truncated,
        fault=str(item.fault or ""),
    )
    return Read(object=labeled, part=part)


def _places(folder: VocFolder) -> dict[Path, Path]:
    """The XML file of each image, there or not."""
    places: dict[Path, Path] = {}
    for key, (file, *_) in folder.annotations.by_key.items():
        if len(images := folder.images.find(key)) == 1:
            places.setdefault(images[0], file)
    are_apart = len(folder.images.folders) > 1
    for image in folder.images.files:
        if image not in places:
            places[image] = _usual_place(image, folder.root, are_apart=are_apart)
    return places


def _usual_place(image: Path, root: Path, *, are_apart: bool) -> Path:
    """Where the file of an image belongs: in the nearest folder of annotations, else beside the image.

    `are_apart` is whether images lie in more than one folder: beside them, their files would not be found again.
    """
    above = next((folder for folder in image.parents if not folder.is_relative_to(root)), root)
    for folder in image.parents:
        if folder == above:
            break
        labels = [child for child in folders_in(folder) if child.name.casefold() in LABEL_FOLDERS]
        if labels:
            return labels[0] / f"{key_of(image.relative_to(folder))}.xml"
    if image.parent.name.casefold() in IMAGE_FOLDERS and image.parent != root:
        return image.parent.parent / ANNOTATIONS / f"{image.stem}.xml"
    return root / ANNOTATIONS / f"{key_of(image.relative_to(root))}.xml" if are_apart else image.with_suffix(".xml")


def _link(image: Path, link: Path) -> None:
    """Make the image known in another folder: by a link, or by a copy where the system allows no link."""
    if link.exists():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(absolute(image))
    except OSError:
        shutil.copyfile(image, link)

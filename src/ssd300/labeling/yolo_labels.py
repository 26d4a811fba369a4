"""YOLO labels: a text file for each image, and the list of classes that their numbers are of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ssd300.data.choices import FormatName
from ssd300.data.formats.annotations import AnnotatedImage, Corners
from ssd300.data.formats.yolo import read_line
from ssd300.data.formats.yolo_description import class_files, describe, find_yolo
from ssd300.data.formats.yolo_folder import CLASS_FILES, YoloFolder
from ssd300.data.frames import settle
from ssd300.data.splits import WHOLE, UnusableSplitError
from ssd300.errors import DataError
from ssd300.images.header import image_size_hw
from ssd300.labeling.objects import Entry, LabeledObject, Labels, Read, in_file_order
from ssd300.labeling.yolo_classes import add_name, rename
from ssd300.labeling.yolo_document import edited, lines_of, new_line, with_lines
from ssd300.system.files import read_if_there, write_bytes


class YoloLabels:
    """The images of all splits of a description, and their text files."""

    title, has_flags = "YOLO", False
    format: FormatName = "yolo"
    names_are_listed = names_are_numbered = True
    split_fault = ""
    split_lists: Sequence[str] = ()  # images that no split has are none of these data

    def __init__(self, path: Path) -> None:
        """Raises DataError where the description is not as YOLO has it."""
        self._path = path
        self._folder = self._described()
        self.home = path if path.is_dir() else self._folder.root
        found_in = _images(self._folder)
        self.images: Sequence[Path] = list(dict.fromkeys(one for images in found_in.values() for one in images))
        self.splits: Mapping[str, Sequence[Path]] = {name: one for name, one in found_in.items() if name != WHOLE}
        self._owners: dict[Path, Path] = {}
        for image in self.images:
            self._owners.setdefault(self.place(image), image)

    @property
    def classes(self) -> Sequence[str]:
        return self._folder.names

    def add_class(self, name: str) -> None:
        for file in self._class_files():
            add_name(file, self.classes, name)
        self._folder = self._described()

    def rename_class(self, old: str, new: str) -> None:
        for file in self._class_files():
            rename(file, self.classes, old, new)
        self._folder = self._described()

    def add_to_list(self, name: str, images: Sequence[Path]) -> Sequence[str]:
        raise DataError(f"there is no list '{name}' to add {len(images)} images to", fix="Load the page again.")

    def place(self, image: Path) -> Path:
        """The text file of an image, there or not."""
        return self._folder.label_file(image)

    def content(self, image: Path) -> bytes | None:
        """What the file of an image holds; None without one. Raises DataError if it cannot be opened."""
        return read_if_there(self.place(image))

    def read(self, image: Path, content: bytes | None) -> Labels:
        """The labels of an image whose file has this content. Nothing is raised: a fault is in the labels."""
        other = self._owners[self.place(image)]
        if other != image:
            return Labels(fault=f"{other.name} has the same name, so both would have the same file of labels")
        if content is None:
            return Labels()
        try:
            lines = lines_of(content)
        except UnicodeDecodeError:
            return Labels(exists=True, fault="the file of labels is not UTF-8 text")
        found = settle([self._annotated(image, lines)])[0]
        if found.fault is not None:
            return Labels(exists=True, fault=str(found.fault))
        objects = [
            LabeledObject(
                name=item.name, box_px=item.box_px if item.fault is None else None, fault=str(item.fault or "")
            )
            for item in found.objects
        ]
        read = (Read(object=one, part=line) for one, (_, line) in zip(objects, lines, strict=True))
        return Labels(objects=tuple(read), exists=True)

    def written(self, image: Path, content: bytes | None, entries: Sequence[Entry], *, exists: bool) -> bytes | None:
        """The content of the file with these objects; None for no file. Raises DataError for an unknown class."""
        if not exists:
            return None
        height, width = image_size_hw(image)

        def relative(box_px: Corners) -> Corners:
            return (box_px[0] / width, box_px[1] / height, box_px[2] / width, box_px[3] / height)

        lines = []
        for entry in in_file_order(entries):
            after, before = entry.after, entry.before
            if before is not None and (entry.is_unchanged or before.object.box_px is None or after.box_px is None):
                line = before.part
            elif after.box_px is None:
                raise DataError("an object has no box", where=image, fix="Draw it.")
            else:
                label, box = self._label(after.name), relative(after.box_px)
                old = None if before is None or before.object.box_px is None else relative(before.object.box_px)
                line = new_line(label, box) if before is None or old is None else edited(before.part, label, old, box)
            lines.append((entry.number, line))
        return with_lines(content or b"", lines)

    def write(self, image: Path, content: bytes | None) -> None:
        """Write the file of an image whole or not at all; None removes it. Raises RunError."""
        if content is None:
            self.place(image).unlink(missing_ok=True)
        else:
            write_bytes(self.place(image), content)

    def _label(self, name: str) -> int:
        if name not in self.classes:
            raise DataError(f"the data has no class '{name}'", fix="Add the class first.")
        return list(self.classes).index(name)

    def _annotated(self, image: Path, lines: Sequence[tuple[int, str]]) -> AnnotatedImage:
        objects = [read_line(line.split(), self._folder, place + 1) for place, line in lines]
        return AnnotatedImage(
            image_id=image.stem, image_path=image, size_hw=None, objects=tuple(objects), where=str(image),
            relative=True, has_size=False,
        )  # fmt: skip

    def _described(self) -> YoloFolder:
        file = find_yolo(self._path)
        if file is None:
            raise DataError("there is no data.yaml", where=self._path, fix="Name one, or its folder.")
        return describe(file, self._path)

    def _class_files(self) -> Sequence[Path]:
        """The files that list the classes; several must agree."""
        file = self._folder.file
        if file.suffix == ".data":
            raise DataError("darknet's class list is not changed here", where=file, fix="Change its .names file.")
        return class_files(self._folder.root) if file.name in CLASS_FILES else [file]


def _images(folder: YoloFolder) -> dict[str, list[Path]]:
    """The images of each split that are there."""
    images: dict[str, list[Path]] = {}
    for split in folder.splits:
        try:
            images[split] = [image for image in folder.images(split) if image.is_file()]
        except UnusableSplitError:
            continue
    return images

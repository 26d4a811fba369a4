"""PASCAL VOC folders in the layouts that tools write: where annotations and images are, and which splits there are.

Annotations and images may lie in folders of their own, side by side, or in folders for train, valid and test; an image
belongs to the annotation of the same name. Opens the lists alone.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from ssd300.data.formats.file_index import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    FileIndex,
    folders_in,
    key_of,
    nested,
    only_folder,
    walk,
)
from ssd300.data.formats.voc_lists import VocLists, find_lists, read_ids
from ssd300.data.splits import WHOLE, in_order, role_of
from ssd300.errors import DataError
from ssd300.images.header import is_image_name

ANNOTATIONS, IMAGES, IMAGE_SETS = "Annotations", "JPEGImages", "ImageSets"  # as VOC calls its folders
LOOKED_AT = 20  # XML files of a folder
ANNOTATION_WORDS = (b"annotation", b"object", b"image", b"dataset", b"html")


def find_voc(path: Path) -> Path | None:
    """The first folder of annotations that `path` is or holds."""
    return next(iter(voc_roots(path)), None) if path.is_dir() else None


def voc_roots(path: Path) -> list[Path]:
    """The datasets at `path`, in its folders, or in those that archives unpack to below them. None found gives []."""
    if _has_label_folder(path):
        return [path]
    children = folders_in(path)
    parts = [child for child in children if _is_part(child)]
    if _has_xml(path) or (parts and not all(map(_has_own_lists, parts))):
        return [path]
    if roots := [child for child in children if _has_label_folder(child)]:
        return roots
    if roots := [root for child in children for root in _unpacked(child)]:
        return roots
    inner = only_folder(path)
    return voc_roots(inner) if inner is not None else []


def _unpacked(folder: Path) -> list[Path]:
    """The datasets of an archive of VOC's, such as VOCtest_06-Nov-2007/VOCdevkit/VOC2007."""
    for inner in nested(folder):
        if _has_label_folder(inner):
            return [inner]
        if roots := [child for child in folders_in(inner) if _has_label_folder(child)]:
            return roots
    return []


def _has_own_lists(folder: Path) -> bool:
    return any((inner / IMAGE_SETS).is_dir() for inner in nested(folder))


def _is_part(folder: Path) -> bool:
    """Whether it is the folder of a split or of images and has XML or annotations, or a part that has."""
    if not (role_of(folder.name) or folder.name.casefold() in IMAGE_FOLDERS):
        return False
    return _has_xml(folder) or _has_label_folder(folder) or any(map(_is_part, folders_in(folder)))


def _has_label_folder(path: Path) -> bool:
    """Whether a folder for annotations is in it. One called Annotations is VOC's; others must hold XML."""
    folders = [child for child in folders_in(path) if child.name.casefold() in LABEL_FOLDERS]
    return any(_has_xml(child, below=True) for child in folders) or any(
        child.name == ANNOTATIONS and not any(child.glob("*.json")) for child in folders
    )


def _has_xml(path: Path, *, below: bool = False) -> bool:
    """Whether it holds an XML file, with `below` in folders of it too. os.walk, as globs are slow in large folders."""
    folders = os.walk(path) if below else islice(os.walk(path), 1)
    found = (Path(folder, name) for folder, _, names in folders for name in names if name.casefold().endswith(".xml"))
    return any(map(_is_annotation, islice(found, LOOKED_AT)))


def _is_annotation(file: Path) -> bool:
    """Whether its beginning has a word of annotations, also of other programs, unlike the settings of one."""
    try:
        with file.open("rb") as stream:
            beginning = stream.read(2000).replace(b"\0", b"").lower()  # in UTF-16 too
            return any(word in beginning for word in ANNOTATION_WORDS)
    except OSError:
        return False


def _split_folder(key: str) -> str:
    """The first folder of a key that is called as a split, "" without one."""
    return next((part for part in key.split("/")[:-1] if role_of(part)), "")


@dataclass(frozen=True)
class VocFolder:
    """The files of one dataset. An id is the key of an image and its annotation, a path without ending."""

    root: Path

    @cached_property
    def _files(self) -> list[Path]:
        return list(walk(self.root))

    @cached_property
    def annotations(self) -> FileIndex:
        """All XML files. Raises DataError for two of one id."""
        index = FileIndex(self.root, self._files, lambda path: path.suffix.casefold() == ".xml")
        for key, files in index.by_key.items():
            if len(files) > 1:
                raise DataError(
                    f"the image '{key}' has two annotation files",
                    where=f"{files[0]} and {files[1]}",
                    fix="Remove one of them, or move it out of the folder.",
                )
        return index

    @cached_property
    def images(self) -> FileIndex:
        return FileIndex(self.root, self._files, is_image_name)

    @cached_property
    def _lists(self) -> VocLists:
        return find_lists(self.root, lambda key: key in self.annotations.by_key or key in self.images.by_key)

    @property
    def lists(self) -> dict[str, tuple[Path, ...]]:
        """The list files of each split."""
        return self._lists.splits

    @property
    def class_lists(self) -> dict[str, tuple[Path, ...]]:
        """The lists of single classes, by their names."""
        return self._lists.of_classes

    @cached_property
    def split_folders(self) -> dict[str, list[str]]:
        """The ids in folders for train, valid, test that stand in for lists: those of annotations, else of images."""
        splits: dict[str, list[str]] = {}
        for key in self.annotations.by_key:
            images = self.images.find(key)
            of_image = key_of(images[0].relative_to(self.root)) if len(images) == 1 else key
            if name := _split_folder(key) or _split_folder(of_image):
                splits.setdefault(name, []).append(key)
        return splits

    @property
    def splits(self) -> Sequence[str]:
        return in_order(self.lists or self.split_folders or [WHOLE])

    def ids(self, split: str) -> list[str]:
        """The ids of a split of `splits`, or of a list of a class. Raises DataError for a list that cannot be used."""
        if files := self.lists.get(split) or self.class_lists.get(split):
            return read_ids(files, self.images, self.annotations)
        return self.split_folders.get(split) or list(self.annotations.by_key)

    def annotation_path(self, image_id: str) -> Path:
        """The XML file of an id; where it is not there, the place where it would be."""
        found = self.annotations.find(image_id)
        return found[0] if len(found) == 1 else self.label_folder / f"{image_id}.xml"

    @cached_property
    def label_folder(self) -> Path:
        named = [child for child in folders_in(self.root) if child.name.casefold() in LABEL_FOLDERS]
        places = [*named, *([self.root] if self.split_folders else self.annotations.folders)]
        return next(iter(places), self.root / ANNOTATIONS if self.lists else self.root)

    @cached_property
    def bare_images(self) -> list[Path]:
        """Images without an annotation file, in the folders that hold images with one."""
        paired = {path.parent for key in self.annotations.by_key for path in self.images.by_key.get(key, ())}
        folders = paired or {path.parent for path in self.images.files if path.parent.name == IMAGES}
        known = self.annotations.by_key
        return [
            path
            for key, files in self.images.by_key.items()
            if key not in known and len(self.annotations.find(key)) != 1
            for path in files
            if path.parent in folders
        ]

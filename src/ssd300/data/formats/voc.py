"""A split of one or several PASCAL VOC folders, with the names that classes have in VOC. No image is opened."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ssd300.data.choices import Purpose
from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedImages, Faults, NoSplitError
from ssd300.data.formats.voc_folder import (
    annotation_path,
    available_splits,
    find_image,
    images_without_annotation,
    read_split,
    voc_roots,
)
from ssd300.data.formats.voc_xml import VocFile, read_xml
from ssd300.errors import DataError

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
NO_LISTS = "all"  # the split of a folder without lists
SPLITS: Mapping[Purpose, tuple[str, ...]] = {"train": ("trainval", "train"), "test": ("test", "val")}


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one root has of a split: its name in notes and ids, the ids of its images, and a note.

    `split` is None where the root does not have the split; there are no ids then.
    """

    root: Path
    name: str
    split: str | None
    ids: Sequence[str]
    note: str


def read_voc(
    paths: Sequence[Path], split: str | None, purpose: Purpose, *, require_images: bool, faults: Faults = "raise"
) -> AnnotatedImages:
    """The images of a split of all roots at `paths`; of several, those that lack the split are skipped, with a note.

    Where one root has a test split, no other is tested on its val: that is part of the trainval that it trains on.

    Raises:
        DataError: no root has the split, an annotation is missing, an image has none, or a root is named twice.
    """
    roots = [root for path in paths for root in voc_roots(path)]
    names = _root_names(roots)
    wanted = _wanted_splits(roots, split, purpose)
    parts = [
        _choose_split(root, name, wanted, purpose, only=len(roots) == 1, faults=faults)
        for root, name in zip(roots, names, strict=True)
    ]
    splits = [part.split for part in parts if part.split is not None]
    if not splits:
        raise NoSplitError(
            f"no folder has a split to {purpose} on ({' or '.join(wanted)})",
            where=", ".join(map(str, roots)),
            fix="Name another with --split.",
        )
    files = _read_files([annotation_path(part.root, image_id) for part in parts for image_id in part.ids], faults)
    return AnnotatedImages(
        images=_annotated_images(parts, files, require_images=require_images),
        split="+".join(dict.fromkeys(splits)),
        notes=(*(f"{part.name}: {part.note}" for part in parts), *_misnamed(files)),
        classes=None,
        all_names=partial(_all_names, roots, files),
        find_images="Put them into JPEGImages, or remove their ids from the list of the split.",
    )


def _wanted_splits(roots: Sequence[Path], split: str | None, purpose: Purpose) -> tuple[str, ...]:
    """The split to read; of several the first that a root has."""
    if split is not None:
        return (split,)
    if purpose == "test" and any("test" in available_splits(root) for root in roots):
        return ("test",)
    return SPLITS[purpose]


def _read_files(paths: Sequence[Path], faults: Faults) -> dict[Path, VocFile]:
    """Every file by its path, in this order. Raises DataError for absent ones unless they are to be reported."""
    if faults == "raise" and (absent := [path for path in paths if not path.is_file()]):
        raise DataError(
            f"there is no annotation file for {len(absent)} of {len(paths)} images",
            where=f"first {absent[0]}",
            fix="Add it (without objects where the image shows none), or remove the id from the list.",
        )
    return {path: _read_or_fault(path) for path in paths}


def _annotated_images(
    parts: Sequence[_Part], files: Mapping[Path, VocFile], *, require_images: bool
) -> list[AnnotatedImage]:
    """The images of all parts. An id that several parts have is preceded by the part's name."""
    counts = Counter(image_id for part in parts for image_id in part.ids)
    images = []
    for part in parts:
        for image_id in part.ids:
            path = annotation_path(part.root, image_id)
            images.append(
                AnnotatedImage(
                    image_id=f"{part.name}/{image_id}" if counts[image_id] > 1 else image_id,
                    image_path=_image_path(part.root, image_id, required=require_images),
                    size_hw=files[path].size_hw,
                    objects=files[path].objects,
                    where=str(path),
                    fault=files[path].fault,
                )
            )
    return images


def _misnamed(files: Mapping[Path, VocFile]) -> list[str]:
    renamed = [path for path, file in files.items() if file.misnamed]
    if not renamed:
        return []
    return [f"{len(renamed)} annotation(s) name another image, first {renamed[0]}; their own name decides"]


def _all_names(roots: Sequence[Path], files: Mapping[Path, VocFile]) -> set[str]:
    """The names of the objects of every annotation file of the roots; `files` are read already."""
    others = (path for root in roots for path in sorted((root / "Annotations").glob("*.xml")) if path not in files)
    return {item.name for file in (*files.values(), *map(_read_or_fault, others)) for item in file.objects}


def _root_names(roots: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ. Raises DataError for a root that is named twice."""
    whole = [Path(os.path.abspath(root)) for root in roots]  # noqa: PTH100  # the name of a link is its own
    if twice := [root for root, count in Counter(whole).items() if count > 1]:
        raise DataError("the folder is named twice", where=twice[0], fix="Name it once.")
    depth = 1
    while len({root.parts[-depth:] for root in whole}) < len(whole):
        depth += 1
    return ["/".join(root.parts[-depth:]) for root in whole]


def _choose_split(
    root: Path, name: str, wanted: Sequence[str], purpose: Purpose, *, only: bool, faults: Faults
) -> _Part:
    """The first split of `wanted` that the root has. Raises NoSplitError if it has none and is the `only` root."""
    there = available_splits(root)
    if not there and wanted == SPLITS[purpose]:
        ids = _all_ids(root, faults)
        note = f"PASCAL VOC without split lists, all {len(ids)} annotations are read"
        return _Part(root=root, name=name, split=NO_LISTS, ids=ids, note=note)
    for split in wanted:
        if split in there:
            note = f"PASCAL VOC (it has Annotations), split '{split}'"
            return _Part(root=root, name=name, split=split, ids=read_split(root, split), note=note)
    if not only:
        note = f"has no split {' or '.join(wanted)}, skipped"
        return _Part(root=root, name=name, split=None, ids=(), note=note)
    raise NoSplitError(
        f"there is no split to {purpose} on ({' or '.join(wanted)})",
        where=root / "ImageSets" / "Main",
        fix=f"Splits here: {', '.join(there) or 'none'}. Name one with --split.",
    )


def _all_ids(root: Path, faults: Faults) -> list[str]:
    """The ids of all annotations. Raises DataError for an image that has none, as no list excludes it."""
    if faults == "raise" and (bare := images_without_annotation(root)):
        raise DataError(
            f"there is no annotation file for {len(bare)} image(s)",
            where=f"first {bare[0]}",
            fix="Add it (without objects where the image shows none), or list the images to use in ImageSets/Main.",
        )
    return sorted(path.stem for path in (root / "Annotations").glob("*.xml"))


def _read_or_fault(path: Path) -> VocFile:
    try:
        return read_xml(path)
    except DataError as error:
        return VocFile(size_hw=None, objects=(), fault=error.what)


def _image_path(root: Path, image_id: str, *, required: bool) -> Path | None:
    """Where the image is; or, where none is required, where VOC would have it."""
    folder = root / "JPEGImages"
    found = find_image(root, image_id) if folder.is_dir() else None
    return found or (None if required else folder / f"{image_id}.jpg")

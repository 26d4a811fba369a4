"""PASCAL VOC folders: years and lists of splits.

Knows nothing of pixels of images.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ssd300.data.formats.labels import Faults, LabelledImage, LabelledImages, NoSplitError, Purpose
from ssd300.data.formats.voc_xml import VocFile, read_xml
from ssd300.errors import DataError
from ssd300.images.read import SUFFIXES

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
NO_LISTS = "all"  # the split of a folder without lists
SPLITS: Mapping[Purpose, tuple[str, ...]] = {"train": ("trainval", "train"), "test": ("test", "val")}


def voc_roots(path: Path) -> list[Path]:
    """The folders with `Annotations` at or directly below `path`, or below its VOCdevkit. None found gives []."""
    if (path / "Annotations").is_dir():
        return [path]
    roots = sorted(child for child in path.iterdir() if (child / "Annotations").is_dir())
    return roots or (voc_roots(path / "VOCdevkit") if (path / "VOCdevkit").is_dir() else [])


def read_voc(
    roots: Sequence[Path], split: str | None, purpose: Purpose, *, require_images: bool, faults: Faults = "raise"
) -> LabelledImages:
    """The images of a split of all `roots`; of several, those that lack it are left out and noted.

    Where one root has a test split, no other is tested on its val: that is part of the trainval that it trains on.

    Raises:
        DataError: no such split anywhere, an annotation that is missing, an image without one, or a root named twice.
    """
    names = _root_names(roots)
    wanted = (split,) if split is not None else SPLITS[purpose]
    if split is None and purpose == "test" and any("test" in available_splits(root) for root in roots):
        wanted = ("test",)
    notes, splits = [], []
    listed: list[tuple[Path, str]] = []
    for root, name in zip(roots, names, strict=True):
        chosen, ids, note = _choose_split(root, wanted, purpose, only=len(roots) == 1, faults=faults)
        notes.append(f"{name}: {note}")
        if chosen is not None:
            splits.append(chosen)
            listed += [(root, image_id) for image_id in ids]
    if not splits:
        raise NoSplitError(
            f"no folder has a split to {purpose} on ({' or '.join(wanted)})",
            where=", ".join(map(str, roots)),
            fix="Name another with --split.",
        )
    paths = [root / "Annotations" / f"{image_id}.xml" for root, image_id in listed]
    if faults == "raise" and (absent := [path for path in paths if not path.is_file()]):
        raise DataError(
            f"there is no annotation file for {len(absent)} of {len(paths)} images",
            where=f"first {absent[0]}",
            fix="Add it (without objects where the image shows none), or take the id out of the list.",
        )
    files = [_read_or_fault(path) for path in paths]
    if renamed := [path for path, file in zip(paths, files, strict=True) if file.misnamed]:
        notes.append(f"{len(renamed)} annotation(s) name another image, first {renamed[0]}; their own name decides")
    seen, named = Counter(image_id for _, image_id in listed), dict(zip(roots, names, strict=True))

    def all_names() -> set[str]:
        read = set(paths)
        others = (path for root in roots for path in sorted((root / "Annotations").glob("*.xml")) if path not in read)
        return {item.name for file in (*files, *map(_read_or_fault, others)) for item in file.objects}

    return LabelledImages(
        images=[
            LabelledImage(
                image_id=f"{named[root]}/{image_id}" if seen[image_id] > 1 else image_id,
                image_path=_image_path(root, image_id, required=require_images),
                size_hw=file.size_hw,
                objects=file.objects,
                where=str(path),
                fault=file.fault,
            )
            for (root, image_id), path, file in zip(listed, paths, files, strict=True)
        ],
        split="+".join(dict.fromkeys(splits)),
        notes=tuple(notes),
        classes=None,
        all_names=all_names,
        find_images="Put them into JPEGImages, or take their ids out of the list of the split.",
    )


def _root_names(roots: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that tell the roots apart. Raises DataError where one stands twice."""
    whole = [Path(os.path.abspath(root)) for root in roots]  # noqa: PTH100  # the name of a link is its own
    if twice := [root for root, count in Counter(whole).items() if count > 1]:
        raise DataError("the folder is named twice", where=twice[0], fix="Name it once.")
    depth = 1
    while len({root.parts[-depth:] for root in whole}) < len(whole):
        depth += 1
    return ["/".join(root.parts[-depth:]) for root in whole]


def _choose_split(
    root: Path, wanted: Sequence[str], purpose: Purpose, *, only: bool, faults: Faults
) -> tuple[str | None, list[str], str]:
    """The split's name (the first of `wanted` that is there), its ids and what to say; None if another may have it."""
    there = available_splits(root)
    if not there and wanted == SPLITS[purpose]:
        ids = _all_ids(root, faults)
        return NO_LISTS, ids, f"PASCAL VOC without split lists, all {len(ids)} annotations are taken"
    for name in wanted:
        if name in there:
            return name, read_split(root, name), f"PASCAL VOC (it has Annotations), split '{name}'"
    if not only:
        return None, [], f"has no split {' or '.join(wanted)}, left out"
    raise NoSplitError(
        f"there is no split to {purpose} on ({' or '.join(wanted)})",
        where=root / "ImageSets" / "Main",
        fix=f"Splits here: {', '.join(there) or 'none'}. Name one with --split.",
    )


def images_without_annotation(root: Path) -> list[Path]:
    ids = {path.stem for path in (root / "Annotations").glob("*.xml")}
    images = (path for path in sorted((root / "JPEGImages").glob("*")) if path.suffix.lower() in SUFFIXES)
    return [path for path in images if path.stem not in ids]


def _all_ids(root: Path, faults: Faults) -> list[str]:
    """The ids of all annotations. Raises DataError for an image that has none, as no list says that it is left out."""
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


def read_split(root: Path, split: str) -> list[str]:
    """Ids of `ImageSets/Main/<split>.txt`; of a class's own list, where -1, 0 or 1 follows every id, all ids.

    Raises:
        DataError: no such list, an id twice, or one that leads out of the folder.
    """
    path = root / "ImageSets" / "Main" / f"{split}.txt"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(
            f"there is no list of the split '{split}'",
            where=path,
            fix=f"Splits here: {', '.join(available_splits(root)) or 'none'}. Name one with --split.",
        ) from error
    rows = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    flagged = all(line.rsplit(maxsplit=1)[1:] in (["-1"], ["0"], ["1"]) for _, line in rows)
    ids: dict[str, int] = {}
    for number, line in rows:
        name = line.rsplit(maxsplit=1)[0] if flagged else line
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DataError(
                f"the id '{name}' leads out of the folder", where=f"{path}:{number}", fix="Correct the list."
            )
        if name in ids:
            raise DataError(
                f"the id '{name}' stands twice, first in line {ids[name]}",
                where=f"{path}:{number}",
                fix="Take one out.",
            )
        ids[name] = number
    return list(ids)


def available_splits(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "ImageSets" / "Main").glob("*.txt"))


def _image_path(root: Path, image_id: str, *, required: bool) -> Path | None:
    """Where the image is; or, where none is required, where VOC would have it."""
    folder = root / "JPEGImages"
    found = find_image(root, image_id) if folder.is_dir() else None
    return found or (None if required else folder / f"{image_id}.jpg")


def find_image(root: Path, image_id: str) -> Path | None:
    """The image of an id in `JPEGImages`, by the usual endings in either case."""
    for suffix in SUFFIXES:
        for written in (suffix, suffix.upper()):
            if (path := root / "JPEGImages" / f"{image_id}{written}").is_file():
                return path
    return None

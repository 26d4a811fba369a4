"""PASCAL VOC folders: years, split lists and XML. The one place where VOC's pixels, counted from 1, become ours.

Knows nothing of pixels of pictures, and reads nothing that an XML names.
"""

import math
import xml.etree.ElementTree as PlainTree  # only for documents without a DTD, see `_parse`
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from ssd300.data.labels import (
    LabelledObject,
    LabelledPicture,
    LabelledPictures,
    NoSplitError,
    Purpose,
    box_fault,
    cut_at_border,
)
from ssd300.errors import DataError

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
SPLITS: Mapping[Purpose, tuple[str, ...]] = {"train": ("trainval", "train"), "test": ("test", "val")}


def voc_roots(path: Path) -> list[Path]:
    """The folders with `Annotations` at or directly below `path`, or below its VOCdevkit. None found gives []."""
    if (path / "Annotations").is_dir():
        return [path]
    roots = sorted(child for child in path.iterdir() if (child / "Annotations").is_dir())
    return roots or (voc_roots(path / "VOCdevkit") if (path / "VOCdevkit").is_dir() else [])


def read_voc(roots: Sequence[Path], split: str | None, purpose: Purpose, *, require_images: bool) -> LabelledPictures:
    """The pictures of a split of all `roots`; of several, those that lack it are left out and noted.

    Raises:
        DataError: no such split anywhere, or an annotation that cannot be read.
    """
    notes, splits = [], []
    files: list[tuple[Path, str, VocFile]] = []
    for root in roots:
        chosen, ids, note = _choose_split(root, split, purpose, only=len(roots) == 1)
        notes.append(note)
        if chosen is not None:
            splits.append(chosen)
            files += [(root, image_id, read_xml(root / "Annotations" / f"{image_id}.xml")) for image_id in ids]
    seen = Counter(image_id for _, image_id, _ in files)

    def all_names() -> set[str]:
        read = {(root, image_id) for root, image_id, _ in files}
        others = (path for root in roots for path in sorted((root / "Annotations").glob("*.xml"))
                  if (root, path.stem) not in read)  # fmt: skip
        every = [file for _, _, file in files] + [read_xml(path) for path in others]
        return {item.name for file in every for item in file.objects}

    return LabelledPictures(
        pictures=[
            LabelledPicture(
                image_id=f"{root.name}/{image_id}" if seen[image_id] > 1 else image_id,
                image_path=find_image(root, image_id) if require_images else root / "JPEGImages" / f"{image_id}.jpg",
                size_hw=file.size_hw,
                objects=file.objects,
                where=str(root / "Annotations" / f"{image_id}.xml"),
            )
            for root, image_id, file in files
        ],
        split="+".join(dict.fromkeys(splits)),
        notes=tuple(notes),
        classes=None,
        all_names=all_names,
    )


def _choose_split(root: Path, split: str | None, purpose: Purpose, *, only: bool) -> tuple[str | None, list[str], str]:
    """The split's name, its ids and what to say about it; None where another root may have it."""
    there = available_splits(root)
    if split is not None:
        if split not in there and not only:
            return None, [], f"{root.name}: has no split '{split}', left out"
        return split, read_split(root, split), f"{root.name}: PASCAL VOC (it has Annotations), split '{split}' as asked"
    if not there:
        ids = sorted(path.stem for path in (root / "Annotations").glob("*.xml"))
        return "all", ids, f"{root.name}: PASCAL VOC without split lists, all {len(ids)} annotations are taken"
    for name in SPLITS[purpose]:
        if name in there:
            return name, read_split(root, name), f"{root.name}: PASCAL VOC (it has Annotations), {purpose}s on '{name}'"
    if not only:
        return None, [], f"{root.name}: has no split to {purpose} on, left out"
    raise NoSplitError(
        f"there is no split to {purpose} on ({' or '.join(SPLITS[purpose])})",
        where=root / "ImageSets" / "Main",
        fix=f"Splits here: {', '.join(there)}. Name one with --split.",
    )


@dataclass(frozen=True, kw_only=True)
class VocFile:
    size_hw: tuple[int, int] | None
    objects: tuple[LabelledObject, ...]


def read_split(root: Path, split: str) -> list[str]:
    """Ids of `ImageSets/Main/<split>.txt`; of a list with a third column (-1, 0, 1) all ids.

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
    ids: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        words = line.strip().rsplit(maxsplit=1)
        name = words[0] if len(words) == 2 and words[1] in ("-1", "0", "1") else line.strip()
        if not name:
            continue
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


def find_image(root: Path, image_id: str) -> Path | None:
    """The picture of an id in `JPEGImages`, by the usual endings in either case."""
    for suffix in SUFFIXES:
        for written in (suffix, suffix.upper()):
            if (path := root / "JPEGImages" / f"{image_id}{written}").is_file():
                return path
    return None


def read_xml(path: Path) -> VocFile:
    """One annotation. A part of an object (`<part>`) is no object. Faults of boxes are reported, not judged.

    Raises:
        DataError: the file is missing, is not VOC XML, declares entities, or a value is missing.
    """
    try:
        root = _parse(path.read_bytes())
    except OSError as error:
        raise DataError("there is no annotation file", where=path, fix="Add the XML, or take the id out.") from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DataError(f"this is not readable XML ({error})", where=path, fix="Write the file again.") from error
    size_hw = _size(root)
    return VocFile(
        size_hw=size_hw,
        objects=tuple(_object(item, n, size_hw, path) for n, item in enumerate(root.findall("object"), start=1)),
    )


def _parse(data: bytes) -> Element:
    # defusedxml is pure Python and several times slower; without a DTD there is nothing to defuse. UTF-16 hides one.
    if (
        b"<!" not in data.replace(b"<!--", b"")
        and b"\0" not in data
        and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        return PlainTree.fromstring(data)
    root: Element = defusedxml.ElementTree.fromstring(data, forbid_dtd=False)
    return root


def _size(root: Element) -> tuple[int, int] | None:
    try:
        height, width = int(float(root.findtext("size/height", ""))), int(float(root.findtext("size/width", "")))
    except (ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None


def _object(item: Element, number: int, size_hw: tuple[int, int] | None, path: Path) -> LabelledObject:
    name = item.findtext("name")
    if name is None or not name.strip():
        raise DataError("the object has no name", where=f"{path}, object {number}", fix="Add its class.")
    corners = []
    for tag in ("xmin", "ymin", "xmax", "ymax"):
        text = item.findtext(f"bndbox/{tag}")
        try:
            corners.append(float(text)) if text is not None else corners.append(math.nan)
        except ValueError:
            corners.append(math.nan)
    shown = (corners[0], corners[1], corners[2], corners[3])
    box = _from_voc(shown)
    fault = box_fault(box, size_hw, shown)
    if size_hw is not None and fault is None:
        box = cut_at_border(box, size_hw)
    difficult = (item.findtext("difficult") or "0").strip() == "1"
    return LabelledObject(name=name, box_px=box, difficult=difficult, fault=fault)


def _from_voc(corners: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """VOC counts pixels from 1 and includes the last: (1, 1, 2, 2) is two pixels wide."""
    xmin, ymin, xmax, ymax = corners
    return (xmin - 1, ymin - 1, xmax, ymax)

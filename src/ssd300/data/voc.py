"""PASCAL VOC folders: split lists and XML. The one place where VOC's pixels, counted from 1, become ours.

Knows nothing of pixels of pictures, and reads nothing that an XML names.
"""

import math
import xml.etree.ElementTree as PlainTree  # only for documents without a DTD, see `_parse`
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from ssd300.errors import DataError

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
BORDER_SLACK_PX = 1.0  # a box may reach this far outside and is cut


@dataclass(frozen=True, kw_only=True)
class VocObject:
    """One object; `box_px` is 0-based and half-open. `fault` says what is wrong with the box, None if nothing is."""

    name: str
    box_px: tuple[float, float, float, float]
    difficult: bool
    fault: str | None


@dataclass(frozen=True, kw_only=True)
class VocFile:
    size_hw: tuple[int, int] | None
    objects: tuple[VocObject, ...]


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


def _object(item: Element, number: int, size_hw: tuple[int, int] | None, path: Path) -> VocObject:
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
    box = _from_voc((corners[0], corners[1], corners[2], corners[3]))
    fault = _fault((corners[0], corners[1], corners[2], corners[3]), size_hw)
    if size_hw is not None and fault is None:
        height, width = size_hw
        box = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))
    difficult = (item.findtext("difficult") or "0").strip() == "1"
    return VocObject(name=name, box_px=box, difficult=difficult, fault=fault)


def _from_voc(corners: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """VOC counts pixels from 1 and includes the last: (1, 1, 2, 2) is two pixels wide."""
    xmin, ymin, xmax, ymax = corners
    return (xmin - 1, ymin - 1, xmax, ymax)


def _fault(corners: tuple[float, float, float, float], size_hw: tuple[int, int] | None) -> str | None:
    values = ", ".join(f"{corner:g}" for corner in corners)
    xmin, ymin, xmax, ymax = corners
    if not all(math.isfinite(corner) for corner in corners):
        return f"the box ({values}) has a corner that is missing or not a number"
    if xmax < xmin or ymax < ymin:
        return f"the box ({values}) is inverted"
    if xmax == xmin or ymax == ymin:
        return f"the box ({values}) is empty"
    if size_hw is not None:
        height, width = size_hw
        low, right, bottom = 1 - BORDER_SLACK_PX, width + BORDER_SLACK_PX, height + BORDER_SLACK_PX
        if xmin < low or ymin < low or xmax > right or ymax > bottom:
            return f"the box ({values}) reaches out of the picture of {width} x {height}"
    return None

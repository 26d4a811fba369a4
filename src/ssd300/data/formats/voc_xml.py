"""One PASCAL VOC annotation file, read and written.

Opens no other file, whatever the XML names.
"""

import math
import xml.etree.ElementTree as PlainTree  # only for documents without a DTD, see `_parse`
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from ssd300.boxes import CORNERS, from_voc_pixels, to_voc_pixels
from ssd300.data.formats.annotations import AnnotatedObject, box_fault, cut_at_border
from ssd300.errors import DataError


@dataclass(frozen=True, kw_only=True)
class VocFile:
    """One XML file. `misnamed` if its <filename> is another than its own name. With a `fault` it has no objects."""

    size_hw: tuple[int, int] | None
    objects: tuple[AnnotatedObject, ...]
    misnamed: bool = False
    fault: str | None = None


def read_xml(path: Path) -> VocFile:
    """One annotation file. Pose, truncated, parts and segmented are not read. A bad box is an object with a fault.

    Raises:
        DataError: the file cannot be opened, is not XML, declares entities, or an object has no name.
    """
    try:
        root = _parse(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"the annotation file cannot be opened ({error.strerror})", where=path, fix="Check its permissions."
        ) from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DataError(f"this is not readable XML ({error})", where=path, fix="Write the file again.") from error
    size_hw = _size(root)
    image = PureWindowsPath((root.findtext("filename") or "").strip())  # a path with either kind of slash
    return VocFile(
        size_hw=size_hw,
        objects=tuple(_object(item, n, size_hw, path) for n, item in enumerate(root.findall("object"), start=1)),
        misnamed=image.name != "" and path.stem not in (image.stem, image.name),
    )


def to_xml(
    image: str,
    size_hw: tuple[int, int],
    objects: Iterable[tuple[str, Sequence[float], bool, bool]],
    *,
    scores: Sequence[float] = (),
) -> str:
    """The text of a file that `read_xml` reads. An object is its name, box (xyxy, ours), and whether it is difficult
    and whether it is a crowd.

    Whole numbers are written as such, others in full. VOC has neither `<crowd>` nor `<score>`: the first is written for
    crowds only, the second where there are `scores`, one per object.
    """
    height, width = size_hw
    rows = []
    for number, (name, box, difficult, crowd) in enumerate(objects):
        tags = zip(CORNERS, to_voc_pixels(*box), strict=True)
        corners = "".join(f"<{tag}>{int(value) if value == int(value) else value}</{tag}>" for tag, value in tags)
        marks = f"<difficult>{int(difficult)}</difficult>" + ("<crowd>1</crowd>" if crowd else "")
        marks += f"<score>{scores[number]}</score>" if scores else ""
        rows.append(f"  <object><name>{escape(name)}</name>{marks}<bndbox>{corners}</bndbox></object>\n")
    return (
        f"<annotation>\n  <filename>{escape(image)}</filename>\n"
        f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
        + "".join(rows)
        + "</annotation>\n"
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


def _object(item: Element, number: int, size_hw: tuple[int, int] | None, path: Path) -> AnnotatedObject:
    name = item.findtext("name")
    if name is None or not name.strip():
        raise DataError(f"object {number} has no name", where=path, fix="Add its class.")
    corners = []
    for tag in CORNERS:
        text = item.findtext(f"bndbox/{tag}")
        try:
            corners.append(float(text)) if text is not None else corners.append(math.nan)
        except ValueError:
            corners.append(math.nan)
    shown = (corners[0], corners[1], corners[2], corners[3])
    box = from_voc_pixels(*shown)
    fault = box_fault(box, size_hw, shown)
    if size_hw is not None and fault is None:
        box = cut_at_border(box, size_hw)
    difficult, crowd = ((item.findtext(tag) or "0").strip() == "1" for tag in ("difficult", "crowd"))
    return AnnotatedObject(name=name, box_px=box, difficult=difficult or crowd, crowd=crowd, fault=fault)

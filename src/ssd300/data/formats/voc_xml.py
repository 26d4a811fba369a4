"""One PASCAL VOC annotation file, read and written.

Opens no other file, whatever the XML names.
"""

import math
import re
import xml.etree.ElementTree as PlainTree  # only for documents without a DTD, see `_parse`
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from ssd300.boxes import CORNERS, VOC_FIRST_PIXEL, from_voc_pixels, to_voc_pixels
from ssd300.data.formats.annotations import NO_ANNOTATION_FILE, AnnotatedObject, Corners
from ssd300.data.problems import Fault

OTHER_ROOTS = {
    "annotations": "; it is CVAT's own: export it as PASCAL VOC there",
    "dataset": "; it is that of dlib's imglab: export the annotations as PASCAL VOC",
    "html": "; it is a page, perhaps of an error: download it again",
}
# Of files without <object>: what other formats have in its place.
FOREIGN = frozenset(("bndbox", "box", "bbox", "rect", "rectangle", "boundingbox", "polygon", "polyline", "points",
                     "point", "shape", "shapes", "xmin", "xtl", "x1", "x", "cx", "label"))  # fmt: skip
OTHER_SHAPES = ("polygon", "robndbox", "mask", "segm", "point", "line", "ellipse", "rbox")


@dataclass(frozen=True, kw_only=True)
class VocFile:
    """One XML file. `image` is what its <filename> names, "" without one. With a `fault` it has no objects."""

    size_hw: tuple[int, int] | None
    objects: tuple[AnnotatedObject, ...]
    image: str = ""
    fault: Fault | None = None


def read_xml(path: Path) -> VocFile:
    """One annotation file. Pose, truncated, parts and segmented are not read; namespaces and the case of tags are
    ignored. A file that cannot be used has a fault, a bad object too; nothing is raised.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return VocFile(size_hw=None, objects=(), fault=NO_ANNOTATION_FILE)
    except OSError as error:
        return _unusable(f"the annotation file cannot be opened ({error.strerror})")
    return parse_xml(data)


def parse_xml(data: bytes) -> VocFile:
    """As `read_xml`, for the content of a file."""
    try:
        root = _parse(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        return _unusable(f"this is not readable XML ({error})")
    if b"xmlns" in data or re.search(rb"<\s*[A-Z]", data):
        _plain_tags(root)
    if root.tag != "annotation":
        what = f"the root of the XML is <{root.tag}>, not <annotation> as in PASCAL VOC"
        return _unusable(what + OTHER_ROOTS.get(root.tag, ""))
    items = list(root.iter("object"))
    boxes = sum(len(item.findall("bndbox")) + len(item.findall("part/bndbox")) for item in items)
    if (stray := sum(1 for _ in root.iter("bndbox")) - boxes) > 0:
        return _unusable(f"{stray} <bndbox> belong to no <object>")
    if not items and (shapes := sorted({element.tag for element in root.iter()} & FOREIGN)):
        return _unusable(f"it has no <object> as in PASCAL VOC, but <{'>, <'.join(shapes)}>")
    return VocFile(
        size_hw=_size(root),
        objects=tuple(map(_object, items)),
        image=PureWindowsPath((root.findtext("filename") or "").strip()).name,  # a path with either kind of slash
    )


def _unusable(what: str) -> VocFile:
    return VocFile(size_hw=None, objects=(), fault=Fault("annotation", what))


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
    try:
        return _parse_with_expat(data)
    except ValueError:  # "multi-byte encodings are not supported", as GBK
        declared = re.match(rb"""\s*<\?xml[^>]*?encoding=["']([\w.-]+)["'][^>]*\?>""", data)
        if declared is None:
            raise
        return _parse_with_expat(data[declared.end() :].decode(declared[1].decode()).encode())


def _parse_with_expat(data: bytes) -> Element:
    # defusedxml is pure Python and several times slower; without a DTD there is nothing to defuse. UTF-16 hides one.
    if (
        b"<!" not in data.replace(b"<!--", b"")
        and b"\0" not in data
        and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        return PlainTree.fromstring(data)
    root: Element = defusedxml.ElementTree.fromstring(data, forbid_dtd=False)
    return root


def _plain_tags(root: Element) -> None:
    for element in root.iter():
        if isinstance(element.tag, str):  # not a comment
            element.tag = element.tag.rpartition("}")[2].casefold()


def _size(root: Element) -> tuple[int, int] | None:
    try:
        height, width = int(float(root.findtext("size/height", ""))), int(float(root.findtext("size/width", "")))
    except (ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None


def _object(item: Element) -> AnnotatedObject:
    name = (item.findtext("name") or "").strip(" \t\r\n")
    written, fault = _corners(item)
    if not name:
        fault = Fault("object", "the object has no name", "Add its class.")
    difficult, unclear = _mark(item, "difficult")
    crowd, _ = _mark(item, "crowd")
    remarks = [unclear] if unclear else []
    if fault is None and VOC_FIRST_PIXEL > min(written) >= 0:
        numbers = ", ".join(f"{value:g}" for value in written)
        remarks.append(Fault("counted-from-0", f"the box ({numbers}) has a corner below 1"))
    return AnnotatedObject(
        name=item.findtext("name") or "",
        box_px=from_voc_pixels(*written),
        written=written,
        difficult=difficult or crowd,
        crowd=crowd,
        fault=fault,
        remarks=tuple(remarks),
    )


def _corners(item: Element) -> tuple[Corners, Fault | None]:
    """The numbers of its <bndbox>, NaN for those that are missing or not numbers."""
    boxes = item.findall("bndbox")
    if len(boxes) != 1:
        others = ", ".join(f"<{child.tag}>" for child in item if child.tag in OTHER_SHAPES)
        what = f"the object has {len(boxes) or 'no'} <bndbox>" + (f", but {others}" if others else "")
        return (math.nan,) * 4, Fault("object", what, "Export boxes, as PASCAL VOC has them.")
    corners = []
    for tag in CORNERS:
        found = boxes[0].findall(tag)
        try:
            corners.append(_number(found[0].text or "") if len(found) == 1 else math.nan)
        except ValueError:
            corners.append(math.nan)
    texts = [" ".join((boxes[0].findtext(tag) or "").split()) for tag in CORNERS]
    unread = [text for text, corner in zip(texts, corners, strict=True) if math.isnan(corner)]
    if any(text and text.casefold() != "nan" for text in unread):
        what = f"the box ({', '.join(texts)}) has a corner that is missing or not a number"
        return (math.nan,) * 4, Fault("box", what)
    return (corners[0], corners[1], corners[2], corners[3]), None


def _number(text: str) -> float:
    """Raises ValueError for what is no number; Python alone takes `2_1` for one."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _mark(item: Element, tag: str) -> tuple[bool, Fault | None]:
    text = (item.findtext(tag) or "0").strip().casefold()
    if text in ("1", "1.0", "true", "yes"):
        return True, None
    known = text in ("", "0", "0.0", "false", "no", "unspecified")
    return False, None if known else Fault("difficult-value", f"<{tag}> is '{text}'; it is read as 0")

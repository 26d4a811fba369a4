"""One PASCAL VOC file, edited as a text: what is not touched stays as it is, byte for byte.

An object's part is its text, from `<object>` to `</object>`. New objects are written in the file's own indentation.
"""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from ssd300.boxes import CORNERS
from ssd300.data.formats.annotations import Corners
from ssd300.errors import DataError
from ssd300.labeling.xml_spans import Span, spans_of

FLAGS = ("truncated", "difficult")  # in the order in which VOC has them
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding=["']([\w.-]+)["']""")
_INDENT = re.compile(rb"\r?\n[ \t]*\Z")


@dataclass(frozen=True, kw_only=True)
class VocValues:
    """What is written of an object: `corners` are VOC's own numbers, by `CORNERS`."""

    name: str
    corners: Corners
    difficult: bool = False
    truncated: bool = False

    def texts(self) -> dict[str, str]:
        """The text of each element."""
        corners = {tag: number(value) for tag, value in zip(CORNERS, self.corners, strict=True)}
        flags = {tag: str(int(getattr(self, tag))) for tag in FLAGS}
        return {"name": escape(self.name), **flags, **corners}


class VocDocument:
    """The text of a file. `parts` are those of its objects.

    Raises DataError where it cannot be edited so that the rest of its bytes is kept.
    """

    def __init__(self, content: bytes) -> None:
        self._mark, self._encoding = _encoding(content)
        try:
            text = content[len(self._mark) :].decode(self._encoding)
            same = text.encode(self._encoding) == content[len(self._mark) :]
            self._xml = text.encode()
            self._root = spans_of(self._xml)
        except (UnicodeError, LookupError, ExpatError, ValueError) as error:
            raise DataError(f"the XML cannot be edited ({error})", fix="Save it as UTF-8.") from error
        self._objects = [span for span in self._root.walk() if span.tag == "object"]
        nested = any(b.start < a.end for a, b in zip(self._objects, self._objects[1:], strict=False))
        if nested or not same or self._root.is_closed_at_once:
            raise DataError("the XML cannot be edited: its objects are not side by side", fix="Export it again.")
        self.parts = tuple(self._xml[span.start : span.end].decode() for span in self._objects)

    def with_parts(self, parts: Sequence[tuple[int | None, str]]) -> bytes:
        """The file with these objects instead of its own, in ascending order of their places.

        Each has the number of the object that it takes the place of, or None for one that is added behind the one
        before it.
        """
        pieces: list[bytes] = []
        place = 0
        kept = {number: text for number, text in parts if number is not None}
        added = _added_behind(parts)
        first = self._before(self._objects[0].start) if self._objects else self._before(self._root.content_end)
        pieces.append(self._xml[:first])
        pieces += [self._separator + text.encode() for text in added.get(-1, ())]
        place = first
        for number, span in enumerate(self._objects):
            if number in kept:
                pieces += [self._xml[place : span.start], kept[number].encode()]
            else:
                pieces.append(self._xml[place : self._before(span.start)])
            pieces += [self._separator + text.encode() for text in added.get(number, ())]
            place = span.end
        pieces.append(self._xml[place:])
        return self._mark + b"".join(pieces).decode().encode(self._encoding)

    def new_part(self, values: VocValues) -> str:
        """The text of a new object."""
        newline, indent = self._newline, self._indent
        return object_text(values, newline=newline, indent=indent, step=indent or "\t")

    def _before(self, place: int) -> int:
        """Where the white space before a place begins."""
        return len(self._xml[:place].rstrip())

    @property
    def _separator(self) -> bytes:
        return (self._newline + self._indent).encode()

    @property
    def _newline(self) -> str:
        head = self._xml[self._root.start : self._root.end]
        return "" if b"\n" not in head else "\r\n" if b"\r\n" in head else "\n"

    @property
    def _indent(self) -> str:
        """The white space before an object, or else before the first element of the file."""
        beginnings = [span.start for span in (*self._objects, *self._root.children)]
        found = next((found for place in beginnings if (found := _INDENT.search(self._xml[:place]))), None)
        return "" if found is None else found[0].decode().lstrip("\r\n")


def _added_behind(parts: Sequence[tuple[int | None, str]]) -> Mapping[int, list[str]]:
    """The texts that are added, by the number of the object before them; -1 is before the first one."""
    added: dict[int, list[str]] = {}
    last = -1
    for number, text in parts:
        if number is None:
            added.setdefault(last, []).append(text)
        else:
            last = number
    return added


def edited(part: str, before: VocValues, after: VocValues) -> str:
    """The text of an object with other values; only the text of those that differ is changed."""
    old = before.texts()
    changes = {tag: text for tag, text in after.texts().items() if text != old[tag]}
    xml = part.encode()
    item = spans_of(xml)
    box = item.first("bndbox")
    for tag, text in changes.items():
        owner = box if tag in CORNERS else item
        span = None if owner is None else owner.first(tag)
        xml = _with_flag(xml, item, tag, text) if span is None else _with_text(xml, span, text)
        item = spans_of(xml)
        box = item.first("bndbox")
    return xml.decode()


def _with_text(xml: bytes, span: Span, text: str) -> bytes:
    if span.is_closed_at_once:
        name = re.match(rb"<([^\s/>]+)", xml[span.start :])
        assert name is not None  # it is an element
        filled = b"<%s>%s</%s>" % (name[1], text.encode(), name[1])
        return xml[: span.start] + filled + xml[span.end :]
    content = xml[span.content_start : span.content_end]
    stripped = content.strip()
    start = span.content_start + (content.index(stripped) if stripped else 0)
    return xml[:start] + text.encode() + xml[start + len(stripped) :]


def _with_flag(xml: bytes, item: Span, tag: str, text: str) -> bytes:
    """The text of an object with an element that it did not have, behind its name."""
    name = item.first("name")
    place = item.content_start if name is None else name.end
    white = _INDENT.search(xml[: place if name is None else name.start])
    return xml[:place] + (white[0] if white else b"") + f"<{tag}>{text}</{tag}>".encode() + xml[place:]


def object_text(values: VocValues, *, newline: str, indent: str, step: str) -> str:
    """A whole `<object>`; `indent` is that of its own tags, of which the first one is not written."""
    texts = values.texts()
    step = step if newline else ""
    line, deeper = newline + indent + step, newline + indent + 2 * step
    flat = "".join(f"{line}<{tag}>{texts[tag]}</{tag}>" for tag in ("name", *FLAGS))
    corners = "".join(f"{deeper}<{tag}>{texts[tag]}</{tag}>" for tag in CORNERS)
    return f"<object>{flat}{line}<bndbox>{corners}{line}</bndbox>{newline}{indent}</object>"


def empty_document(image: str, size_hw: tuple[int, int]) -> bytes:
    """A file for an image without objects."""
    height, width = size_hw
    size = f"<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>"
    name = f"<filename>{escape(image)}</filename>"
    return f"<annotation>\n\t{name}\n\t<size>\n\t\t{size}\n\t</size>\n</annotation>\n".encode()


def flag_of(part: str, tag: str) -> bool:
    """Whether an object's text has a flag set that the reader of datasets does not need."""
    if tag not in part.casefold():
        return False
    xml = part.encode()
    span = spans_of(xml).first(tag)
    return span is not None and xml[span.content_start : span.content_end].strip().lower() in (b"1", b"true", b"yes")


def number(value: float) -> str:
    """A whole number without a point, others in full."""
    return str(int(value)) if value == int(value) else str(value)


def _encoding(content: bytes) -> tuple[bytes, str]:
    """The byte order mark, b"" without one, and the encoding. Raises DataError for UTF-16 without a mark."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return mark, encoding
    if b"\0" in content:
        raise DataError("the XML is UTF-16 without a byte order mark", fix="Save it as UTF-8.")
    declared = _DECLARED.match(content)
    return b"", "utf-8" if declared is None else declared[1].decode()

"""Where the elements of an XML text begin and end, so that it can be edited as a text. Offsets are of UTF-8 bytes.

Only for a text that `data/formats/voc_xml` has read: that refuses what is hostile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat


@dataclass(kw_only=True)
class Span:
    """An element from its first byte to behind its last; its content likewise. `tag` is in lower case, without prefix.

    Of `<a/>` the content is empty and lies at its end.
    """

    tag: str
    start: int
    content_start: int
    content_end: int = -1
    end: int = -1
    children: list["Span"] = field(default_factory=list)

    @property
    def is_closed_at_once(self) -> bool:
        return self.content_start == self.end

    def first(self, tag: str) -> "Span | None":
        """The first child of this tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def walk(self) -> Iterator["Span"]:
        """The element and all below it, in the order of their first bytes."""
        yield self
        for child in self.children:
            yield from child.walk()


def spans_of(xml: bytes) -> Span:
    """The root element. Raises expat.ExpatError for what is not XML."""
    parser = expat.ParserCreate("utf-8")  # whatever the declaration says: the caller has decoded it
    open_: list[Span] = []
    roots: list[Span] = []

    def start(name: str, _attributes: object) -> None:
        place = parser.CurrentByteIndex
        span = Span(tag=name.rpartition(":")[2].casefold(), start=place, content_start=_behind_tag(xml, place))
        (open_[-1].children if open_ else roots).append(span)
        open_.append(span)

    def end(_name: str) -> None:
        span, place = open_.pop(), parser.CurrentByteIndex
        if xml.startswith(b"</", place) and place >= span.content_start:
            span.content_end, span.end = place, xml.index(b">", place) + 1
        else:
            span.content_end = span.end = span.content_start

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(xml, True)
    return roots[0]


def _behind_tag(xml: bytes, place: int) -> int:
    """Where the start tag at `place` ends: at its `>`, but not at one within quotes."""
    quote = 0
    for index in range(place, len(xml)):
        letter = xml[index]
        if quote:
            quote = 0 if letter == quote else quote
        elif letter in b"\"'":
            quote = letter
        elif letter == ord(">"):
            return index + 1
    raise ValueError("a tag does not end")  # expat has seen its end

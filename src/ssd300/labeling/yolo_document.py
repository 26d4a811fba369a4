"""A YOLO text file, edited line by line: a line that is not touched stays as it is, byte for byte.

An object's part is its line. Of a changed line the numbers behind the box, such as the points of a pose, are kept; a
polygon is moved and stretched with its box.
"""

from collections.abc import Sequence

from ssd300.data.formats.annotations import Corners
from ssd300.data.formats.yolo import BOX_NUMBERS

SMALLEST = 1e-12  # of a polygon's side, that can be stretched


def lines_of(content: bytes) -> list[tuple[int, str]]:
    """The lines with an object, each with its place among all lines, without its end. Raises UnicodeDecodeError."""
    return [(place, line) for place, line in enumerate(_text(content).splitlines()) if line.strip()]


def with_lines(content: bytes, lines: Sequence[tuple[int | None, str]]) -> bytes:
    """The file with these lines as its objects, in ascending order of their places.

    Each has the number of the object that it takes the place of, or None for one that is added behind the one before.
    """
    text = _text(content)
    newline = "\r\n" if "\r\n" in text else "\n"
    all_lines = text.splitlines(keepends=True)
    places = [place for place, _ in lines_of(content)]
    written: list[str] = []
    at = 0

    def end_last() -> None:
        if written and not written[-1].endswith(("\n", "\r")):
            written[-1] += newline

    for number, line in lines:
        if number is None:
            end_last()
            written.append(line + newline)
            continue
        written += [old for place, old in enumerate(all_lines[at : places[number]], at) if place not in places]
        old = all_lines[places[number]]
        end_last()
        written.append(line + old[len(old.rstrip("\r\n")) :])
        at = places[number] + 1
    rest = [old for place, old in enumerate(all_lines[at:], at) if place not in places]
    if rest:
        end_last()
    mark = content[: len(content) - len(text.encode())]
    return mark + "".join([*written, *rest]).encode()


def edited(line: str, label: int, before: Corners, after: Corners) -> str:
    """The line of an object with another class or box; boxes are relative xyxy."""
    columns = line.split()
    if columns[0] != str(label) and float(columns[0]) != label:
        line = line.replace(columns[0], str(label), 1)
        columns = line.split()
    if before == after:
        return line
    values = columns[1:]
    is_polygon = len(values) > BOX_NUMBERS + 1 and _is_around(values, before)
    moved = _stretched(values, before, after) if is_polygon else [*_centered(after), *values[BOX_NUMBERS:]]
    return " ".join([columns[0], *moved])


def new_line(label: int, box: Corners) -> str:
    """The line of a new object; the box is relative xyxy."""
    return " ".join([str(label), *_centered(box)])


def _centered(box: Corners) -> list[str]:
    xmin, ymin, xmax, ymax = box
    return [str(value) for value in ((xmin + xmax) / 2, (ymin + ymax) / 2, xmax - xmin, ymax - ymin)]


def _is_around(values: Sequence[str], box: Corners) -> bool:
    """Whether the numbers are the points of a polygon in this box, and not a box with more behind it."""
    x, y = [float(value) for value in values[::2]], [float(value) for value in values[1::2]]
    around = (min(x), min(y), max(x), max(y))
    return len(values) % 2 == 0 and all(abs(a - b) < 1e-3 for a, b in zip(around, box, strict=True))


def _stretched(values: Sequence[str], before: Corners, after: Corners) -> list[str]:
    moved = []
    for place, text in enumerate(values):
        low, high = before[place % 2], before[place % 2 + 2]
        new_low, new_high = after[place % 2], after[place % 2 + 2]
        share = (float(text) - low) / max(high - low, SMALLEST)
        moved.append(str(new_low + share * (new_high - new_low)))
    return moved


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig")

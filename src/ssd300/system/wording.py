"""Words for people: counts with their nouns, some of many names, and lines that fit on a terminal."""

import os
import re
from collections.abc import Sequence
from typing import Any

SHOWN_NAMES, NAME_LENGTH = 6, 40
PIECES = re.compile(r"\s*(?:`[^`]*`\S*|\S+)")  # a command in backticks is one
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
FORMS = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


def words(text: str) -> frozenset[str]:
    """The words of a long list in source code."""
    return frozenset(text.split())


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """The count and its noun: '1 image', '2,000 images'. `nouns` is a plural that does not just end in s."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def some(names: Sequence[str]) -> str:
    """The first names and how many more there are: 'cat, dog and 18 more'."""
    more = len(names) - SHOWN_NAMES
    first = (name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…" for name in names[:SHOWN_NAMES])
    return ", ".join(first) + (f" and {more:,} more" if more > 0 else "")


def counted(count: int, text: str) -> str:
    """The count and a text that agrees with it: each {one|several} in it becomes one of the two.

    `counted(2, "{image is|images are} missing")` is '2 images are missing'.
    """
    return f"{count:,} {re.sub(FORMS, lambda forms: forms[1 if count == 1 else 2], text)}"


def on_one_line(text: str) -> str:
    """The text with its line breaks and other controls written out, as Python does. A file's name may hold any."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def wrapped(text: str, width: int, *, indent: int | None = None) -> str:
    """Each line of the text broken between words, if it is longer than `width`, never within a command.

    What follows a break is indented by so many spaces; by default two more than the line is. A line that is a command
    stays whole, as do words that are longer, such as paths.
    """
    return "\n".join(_wrapped(line, width, indent) for line in text.split("\n"))


def _wrapped(line: str, width: int, indent: int | None) -> str:
    begin = line.lstrip()
    if len(line) <= width or begin.startswith("ssd300 "):
        return line
    spaces = " " * (len(line) - len(begin) + 2 if indent is None else indent)
    lines = [""]
    for piece in PIECES.findall(line):
        if lines[-1].strip() and len(lines[-1]) + len(piece) > width:
            lines.append(spaces + piece.lstrip())
        else:
            lines[-1] += piece
    return "\n".join(lines)


def fitted(text: str, stream: Any) -> str:
    """The text as it is or, if the stream is a terminal, wrapped at its width."""
    try:
        width = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError, AttributeError):  # closed, or a stand-in that is no file
        width = 0
    return wrapped(text, width) if width else text

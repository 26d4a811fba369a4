"""Paths in a list file or on standard input, in the encodings of all systems; there also the bytes of one image."""

import codecs
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ssd300.detection.contents import Content, Note
from ssd300.errors import DataError
from ssd300.images.kinds import HEAD_BYTES, foreign_kind, is_image_head
from ssd300.system.web import MAX_BYTES
from ssd300.system.wording import counted, some

STDIN_NAME = "stdin"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BYTES, _CONTROLS = re.compile("[\ud800-\udfff]"), re.compile("[\x00-\x08\x0e-\x1f]")  # both are in no text
QUOTED = re.compile(r"""(["']).+\1""")
_ONE_PER_LINE = "Give one path per line."


def piped(note: Note) -> Sequence[Path | Content]:
    """What standard input holds: paths, or one image.

    Raises:
        DataError: it is empty, too long, or neither of them.
    """
    where = "standard input"
    content = _standard_input()
    if len(content) > MAX_BYTES:
        raise DataError(f"it has more than {MAX_BYTES:,} bytes", where=where, fix="Save it as a file, and name that.")
    head = content[:HEAD_BYTES]
    if is_image_head(head):
        return [Content(STDIN_NAME, lambda: content)]
    if (other := foreign_kind(head)) is not None:
        raise DataError(f"this is {other.what}", where=where, fix=f"Save it as a file first. {other.fix}")
    return listed_paths(content, Path(), where, note)


def listed_paths(content: bytes, root: Path, where: str, note: Note) -> list[Path]:
    """The paths of a list, one per line, relative to `root`. Blank lines are no paths, nor are lines that begin with #,
    unless a file is called so; `note` takes a line on those.

    Raises:
        DataError: it is not text, or has no path.
    """
    text = list_text(content)
    if text is None or "\0" in text:
        raise DataError("the list is not text", where=where, fix=_ONE_PER_LINE)
    paths: list[Path] = []
    comments: list[str] = []
    for line in filter(str.strip, re.split(r"\r\n|\r|\n", text)):
        path = existing_path(root, line)
        if line.lstrip().startswith("#") and not _exists(path):
            comments.append(line.strip())
        else:
            paths.append(path)
    if not paths:
        raise DataError("no path is listed", where=where, fix=_ONE_PER_LINE)
    if comments:
        what = counted(
            len(comments), "{line|lines} that {begins|begin} with # {is|are} left out as {a comment|comments}"
        )
        note(f"{where}: {what}: {some(comments)}")
    return paths


def _standard_input() -> bytes:
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:  # a stand-in that holds text
        return os.fsencode(sys.stdin.read())
    content: bytes = buffer.read(MAX_BYTES + 1)
    return content


def list_text(content: bytes) -> str | None:
    """The text: UTF-8, or UTF-16 as Windows writes it; bytes that are neither stay as the system's names have them."""
    if content.startswith(_UTF16):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        for encoding, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
            if len(content) % 2 == 0 and zeros.count(0) * 2 > len(zeros):
                return content.decode(encoding, errors="replace")
        return None
    text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="surrogateescape")
    return None if _BYTES.search(text) and _CONTROLS.search(text) else text


def existing_path(root: Path, line: str) -> Path:
    """The path of a line as it stands, or else without the spaces around it, or without quotes, in which Windows copies
    a path; each also as the name that it has in a list in Windows' encoding. The first that exists counts.
    """
    name = line.strip()
    for candidate in (line, name, *([name[1:-1]] if QUOTED.fullmatch(name) else [])):
        for path in (root / candidate, *_in_windows_encoding(root, candidate)):
            if _exists(path):
                return path
    return root / name


def _in_windows_encoding(root: Path, name: str) -> list[Path]:
    try:
        name.encode()
    except UnicodeEncodeError:
        return [root / os.fsencode(name).decode("cp1252", errors="replace")]
    return []


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  # Path.exists raises for a name that is longer than any file's

"""Which files of a folder or an archive are images or videos, and what the others are called."""

import stat
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from ssd300.detection.video_names import CODE_SUFFIXES, VIDEO_SUFFIXES, is_text
from ssd300.images.header import LITTER, is_image_name
from ssd300.images.kinds import HEAD_BYTES, PHOTO_SUFFIXES, is_image_head

KINDS_SHOWN = 3
LITTER_NAMES = ("thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r")  # in lower case, as systems write them
LITTER_FOLDERS = ("__MACOSX", "@eaDir")


def is_readable_name(name: str) -> bool:
    """Whether a file of this name is taken for an image or a video by its ending alone.

    A photo of a kind that may not be read here counts: it is reported as an image that cannot be read.
    """
    return not is_litter(name) and (
        PurePath(name).suffix.lower() in (*VIDEO_SUFFIXES, *PHOTO_SUFFIXES) or is_image_name(name)
    )


def is_readable(name: str, head: Callable[[], bytes]) -> bool:
    """As `is_readable_name`, and by the file's first bytes, which `head` gives, where the ending does not tell."""
    if PurePath(name).suffix.lower() in CODE_SUFFIXES and is_text(head()):
        return False
    return is_readable_name(name) or (not is_litter(name) and is_image_head(head()))


def is_litter(name: str) -> bool:
    """Whether a file is what a system leaves in folders and archives without being asked."""
    path = PurePath(name)
    return (
        path.name.startswith(LITTER)
        or path.name.lower() in LITTER_NAMES
        or (path.name.startswith(".") and not is_image_name(path.name))
        or any(part in LITTER_FOLDERS for part in path.parts)
    )


def file_head(path: Path) -> bytes:
    """The first bytes of a regular file; none of another, which reading could wait for, or if it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def described(files: Sequence[Path | str]) -> str:
    """How many of each kind, the most frequent first: '2 .csv, 1 folder, 1 without ending'."""
    kinds = Counter(_kind(file) for file in files)
    shown = [f"{count:,} {_plural(kind) if count > 1 else kind}" for kind, count in kinds.most_common(KINDS_SHOWN)]
    left = len(files) - sum(count for _, count in kinds.most_common(KINDS_SHOWN))
    return ", ".join([*shown, *([f"{left:,} of other kinds"] if left else [])])


def _kind(file: Path | str) -> str:
    if isinstance(file, Path) and file.is_dir():
        return "folder"
    return PurePath(file).suffix.lower() or "without ending"


def _plural(kind: str) -> str:
    return f"{kind}s" if kind == "folder" else kind

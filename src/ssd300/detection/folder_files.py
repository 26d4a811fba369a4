"""Which files of a folder or an archive are images or videos, and what the others are called."""

import glob
import os
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
ALL_BELOW = "**/*"  # the pattern of all files in a folder and in those below it
CHILDREN_SEEN = 20_000  # files and folders, at most, that are looked at for advice


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


def is_hidden_folder(name: str) -> bool:
    """Whether a folder is none of the user's: patterns do not enter it either, or a system made it."""
    return name.startswith(".") or name in LITTER_FOLDERS


def all_below(folder: Path) -> str:
    """The pattern of all files in a folder and in those below it."""
    return str(Path(glob.escape(str(folder))) / ALL_BELOW)


def folders_with_images(folder: Path) -> list[Path]:
    """The folders at any depth below that hold files with names of images or videos, in order."""
    found: list[Path] = []
    entered: set[str] = set()
    seen = 0
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        seen += len(folders) + len(files)
        if real in entered or seen > CHILDREN_SEEN:  # a link that leads upwards, or a whole disk
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden_folder(name))
        if any(is_readable_name(name) for name in files):
            found.append(Path(place))
    return found


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

"""What to detect on: files, folders, patterns, lists of paths, addresses, videos and cameras."""

import glob
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from ssd300.detection.video import CAMERA, VIDEO_SUFFIXES, is_live
from ssd300.errors import DataError, UsageError
from ssd300.images.header import LITTER, is_image_name
from ssd300.system.files import spelled_like
from ssd300.system.web import is_address

STDIN = ("-", "/dev/stdin")
LIST_SUFFIX = ".txt"
CAMERA_WORDS = ("webcam", "camera", "cam", "camera:", "/dev/video0")
KINDS_SHOWN, CHILDREN_SEEN = 3, 20_000
Source = Path | str  # a str is an address, a camera or a stream


def find_sources(sources: Sequence[str]) -> list[Source]:
    """Images and videos in the order of the sources, those of a folder or pattern sorted by path; duplicates stay.

    Paths in a list file are relative to it, those on standard input to the working folder. A list holds paths only: an
    address in it is read as one.

    Raises:
        UsageError: there is no source.
        DataError: a source does not exist, or holds no image.
    """
    if not sources:
        raise UsageError(
            "no image was named",
            fix="Name images, videos, folders, patterns, a list (.txt), addresses, camera:0, or - for stdin.",
        )
    images: list[Source] = []
    for source in sources:
        path = Path(source)
        if is_address(source) or is_live(source):
            images.append(source)
        elif source in STDIN:
            images += _listed(sys.stdin, Path(), "standard input")
        elif path.is_dir():
            found = sorted(child for child in path.iterdir() if _is_readable(child))
            if not found:
                raise _no_images(path)
            images += found
        elif path.exists() and path.suffix.lower() == LIST_SUFFIX:
            try:
                with path.open(encoding="utf-8-sig") as lines:
                    images += _listed(lines, path.parent, str(path))
            except UnicodeDecodeError as error:
                raise DataError(
                    "the list is not text", where=path, fix="Name a file with one path per line."
                ) from error
        elif path.exists():
            images.append(path)
        elif glob.has_magic(source):
            matched = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207  # which takes no absolute pattern
            matched = [name for name in matched if _is_readable(name)]
            if not matched:
                raise DataError("no image matches the pattern", where=source, fix=_pattern_advice(source))
            images += matched
        else:
            raise DataError("there is no such image", where=path, fix=_advice(source))
    return images


def _is_readable(path: Path) -> bool:
    """Whether a file in a folder or of a pattern is an image or a video, by its name; others are ignored."""
    is_video = path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(LITTER)
    return is_video or is_image_name(path)


def _advice(source: str) -> str:
    if source.isdigit() or source.casefold() in CAMERA_WORDS:
        return f"Name the camera {CAMERA}{source if source.isdigit() else 0}."
    if source.startswith("www."):
        return f"Name the address https://{source}."
    return spelled_like(Path(source), "Check the path.")


def _pattern_advice(pattern: str) -> str:
    return (
        "Check the pattern; 'a/**/*.jpg' also finds images in the folders below a."
        if "**" not in pattern
        else ("Check the pattern, and that it has quotes around it.")
    )


def _no_images(folder: Path) -> DataError:
    """The error of a folder without images, with what it holds, and the folder in it that has some."""
    children = list(islice(sorted(folder.iterdir()), CHILDREN_SEEN))
    kinds = Counter("folder" if child.is_dir() else child.suffix or "other file" for child in children)
    counts = [
        f"{count} {kind}" + ("s" if count > 1 and not kind.startswith(".") else "")
        for kind, count in kinds.most_common(KINDS_SHOWN)
    ]
    seen = f"it holds {', '.join(counts)}" if counts else "it is empty"
    below = [child for child in children if child.is_dir() and any(map(_is_readable, child.iterdir()))]
    below.sort(key=lambda child: child.name != "JPEGImages")
    fix = f"Name its images: {below[0]}." if below else "Name the folder that they are in, or 'a/**/*.jpg'."
    return DataError(f"the folder has no images; {seen}", where=folder, fix=fix)


def _listed(lines: Iterable[str], root: Path, where: str) -> list[Source]:
    names = [line.strip() for line in lines]
    images: list[Source] = [root / name for name in names if name]
    if not images:
        raise DataError("no path is listed", where=where, fix="Give one path per line.")
    return images

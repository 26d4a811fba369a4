"""The names of the files that detection writes for each source, and the check that no source is overwritten."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote, urlsplit

from ssd300.detection.sources import Source
from ssd300.detection.video_names import is_video
from ssd300.errors import UsageError
from ssd300.system.web import is_address

CLASSES = "classes"  # the stem of YOLO's list of class names, so no image may have it
LONGEST = 160  # bytes of a name, so that a number and an ending fit behind it
# Controls, bytes that are not UTF-8, and what separates folders somewhere.
UNWANTED = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff:/\\\\]"
ANNOTATED_IMAGE, ANNOTATED_VIDEO = ".jpg", ".mp4"


def output_names(sources: Sequence[Source]) -> list[str]:
    """One name per source, without an ending: its stem, with a number where that name is taken.

    The files of a video's frames are named `<name>_<frame>`, so no other source may have such a name.
    """
    own = [_stem(source) for source in sources]
    stems = set(own)
    names: list[str] = []
    taken = {CLASSES}
    counts: dict[str, int] = {}
    for source, stem in zip(sources, own, strict=True):
        name = stem
        while (
            name in taken
            or (name != stem and name in stems)
            or (is_video(source) and _is_a_frames_name(stems, of=name))
        ):
            counts[stem] = counts.get(stem, 1) + 1
            name = f"{stem}_{counts[stem]}"
        taken.add(name)
        names.append(name)
    return names


def with_file(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The row of an image or frame, with `file` where the files of its source are not called like the source itself.

    `name` is that of `output_names`.
    """
    if PurePath(row["image"]).stem == name:
        return dict(row)
    return {"image": row["image"], "file": name, **row}


def check_sources_stay(sources: Sequence[Source], folder: Path) -> None:
    """Raises UsageError where an annotated copy in `folder` would overwrite one of the sources."""
    copies = {
        (folder / f"{name}{ending}").resolve()
        for name in output_names(sources)
        for ending in (ANNOTATED_IMAGE, ANNOTATED_VIDEO)
    }
    for source in sources:
        if isinstance(source, Path) and source.resolve() in copies:
            raise UsageError("the output would overwrite a source", where=source, fix="Name another --out.")


def _stem(source: Source) -> str:
    """The stem of a file's name, of an address without its query, as a name that every system takes."""
    name = str(source)
    if isinstance(source, str) and is_address(source):
        name = unquote(urlsplit(source).path)
    stem = re.sub(UNWANTED, "_", Path(name).stem)
    while len(stem.encode()) > LONGEST:
        stem = stem[:-1]
    return stem or "image"


def _is_a_frames_name(stems: Iterable[str], *, of: str) -> bool:
    return any(re.fullmatch(rf"{re.escape(of)}_\d{{6,}}", stem) for stem in stems)

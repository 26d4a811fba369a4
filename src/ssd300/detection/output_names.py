"""The names of the files that detection writes for each source, and the check that no source is overwritten."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ssd300.detection.sources import Source
from ssd300.detection.video import is_video
from ssd300.errors import UsageError

CLASSES = "classes"  # the stem of YOLO's list of class names, so no image may have it
ANNOTATED_IMAGE, ANNOTATED_VIDEO = ".jpg", ".mp4"


def output_names(sources: Sequence[Source]) -> list[str]:
    """One name per source, without an ending: its stem, with a number where that name is taken.

    The files of a video's frames are named `<name>_<frame>`, so no other source may have such a name.
    """
    own = [Path(str(source).split("?")[0]).stem.replace(":", "_") or "image" for source in sources]
    stems = set(own)
    names: list[str] = []
    taken = {CLASSES}
    counts: dict[str, int] = {}
    for source, stem in zip(sources, own, strict=True):
        name = stem
        while (
            name in taken
            or (name != stem and name in stems)
            or (is_video(str(source)) and _is_a_frames_name(stems, of=name))
        ):
            counts[stem] = counts.get(stem, 1) + 1
            name = f"{stem}_{counts[stem]}"
        taken.add(name)
        names.append(name)
    return names


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


def _is_a_frames_name(stems: Iterable[str], *, of: str) -> bool:
    return any(re.fullmatch(rf"{re.escape(of)}_\d{{6,}}", stem) for stem in stems)

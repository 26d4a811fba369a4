"""Every image of datasets, those of all splits and those without labels too, and which of them have labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ssd300.data.choices import FormatName
from ssd300.data.formats.annotations import NO_ANNOTATION_FILE, AnnotatedImage
from ssd300.data.recognition import FORMATS, open_data
from ssd300.data.splits import UnusableSplitError
from ssd300.data.unused_files import list_files
from ssd300.images.header import is_image_name
from ssd300.system.files import absolute

LABEL_SUFFIXES = (".xml", ".txt")  # of a file of labels for one image
WITHOUT_LABELS = ("image-without-annotation", NO_ANNOTATION_FILE.rule)
UNLISTED = (*WITHOUT_LABELS, "unlisted-image", "ambiguous-image")  # rules about images that no split has


class FoundImage(NamedTuple):
    """An image file, which may be missing, and whether it has labels.

    It has some if it has objects, or a file of labels of its own that lists none.
    """

    path: Path
    has_labels: bool


def is_dataset(path: Path) -> bool:
    """Whether the path holds data of a format that can be read, perhaps of several."""
    return path.exists() and any(one.find(path) is not None for one in FORMATS.values())


def all_images(paths: Sequence[Path], format: FormatName = "auto", split: str | None = None) -> list[FoundImage]:
    """The images of the datasets at `paths`, each file once, sorted by path; or those of one split alone.

    Raises:
        DataError: as `open_data`; there is no such split; or a file of annotations is broken.
    """
    data = open_data(paths, format)
    found: dict[str, FoundImage] = {}

    def add(path: Path, *, has_labels: bool) -> None:
        key = absolute(path)
        found[key] = FoundImage(path, has_labels or (key in found and found[key].has_labels))

    choices = data.every()[0] if split is None else [data.named(split)]
    for choice in choices:
        try:
            part = data.read(choice, require_images=False)
        except UnusableSplitError:
            if split is not None:
                raise
            continue  # a split without any labels: its images are among the files
        for image in part.images:
            if image.image_path is not None:
                add(image.image_path, has_labels=_has_labels(image))
        for path in part.bare_images:
            add(path, has_labels=False)
    if split is None:
        for path in (path for one in data.files() for path in one.used if is_image_name(path)):
            if absolute(path) not in found:
                add(path, has_labels=False)
        for problem in list_files(data).problems:
            if problem.rule in UNLISTED and absolute(Path(problem.file)) not in found:
                add(Path(problem.file), has_labels=problem.rule not in WITHOUT_LABELS)
    return [found[key] for key in sorted(found)]


def _has_labels(image: AnnotatedImage) -> bool:
    if image.objects:
        return True
    file = Path(image.where)
    return image.fault is None and file.suffix.casefold() in LABEL_SUFFIXES and file.is_file()

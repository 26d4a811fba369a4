"""Files that lie among the data and that nothing uses: images without labels, labels without an image."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ssd300.data.checks.problem import Problem
from ssd300.data.formats.labels import LabelledImages
from ssd300.data.formats.voc import images_without_annotation, voc_roots
from ssd300.data.formats.yolo import NO_LABELS, labels_file
from ssd300.images.read import SUFFIXES


def stray_files(paths: Sequence[Path], form: str, splits: Mapping[str, LabelledImages]) -> list[Problem]:
    """What lies beside the images of `splits`, which must be all that the data has, and belongs to none of them."""
    if form == "voc":
        roots = [root for path in paths for root in voc_roots(path)]
        bare = [image for root in roots for image in images_without_annotation(root)]
        return [_stray_image(image, "it has no annotation file") for image in bare]
    images = {image.image_path for split in splits.values() for image in split.images if image.image_path}
    unused = [_stray_image(path, "no split has it") for path in _others(images, SUFFIXES)]
    if form != "yolo":
        return unused
    labels = {labels_file(image) for image in images}
    return unused + [_stray_labels(path) for path in _others(labels, (".txt",)) if path.name not in NO_LABELS]


def _others(known: Iterable[Path], suffixes: Sequence[str]) -> list[Path]:
    """The files of these kinds in the folders of `known` that are none of them."""
    known = set(known)
    found = (path for folder in sorted({path.parent for path in known}) for path in sorted(folder.glob("*")))
    return [path for path in found if path.suffix.lower() in suffixes and path not in known]


def _stray_image(path: Path, why: str) -> Problem:
    return Problem(
        level="warning", file=str(path), object=None, rule="image-without-annotation",
        message=f"{why}, so nobody trains on it",
        fix="Label it, with an annotation without objects where it shows none, or take it away.",
    )  # fmt: skip


def _stray_labels(path: Path) -> Problem:
    return Problem(
        level="warning", file=str(path), object=None, rule="annotation-without-image",
        message="there is no image of this name, so its labels are not used",
        fix="Put the image back, give it the same name, or take the text file away.",
    )  # fmt: skip

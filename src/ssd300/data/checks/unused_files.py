"""Files in its folders that a dataset does not use: images without an annotation, annotations without an image."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ssd300.data.checks.problem import Problem
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.formats.voc_folder import images_without_annotation, voc_roots
from ssd300.data.formats.yolo import NOT_ANNOTATIONS, labels_file
from ssd300.images.read import SUFFIXES


def unused_files(paths: Sequence[Path], format: str, splits: Mapping[str, AnnotatedImages]) -> list[Problem]:
    """Unused images, and for YOLO unused text files. `splits` must be all splits of the data at `paths`."""
    if format == "voc":
        roots = [root for path in paths for root in voc_roots(path)]
        bare = [image for root in roots for image in images_without_annotation(root)]
        return [_unused_image(image, "it has no annotation file") for image in bare]
    images = {image.image_path for split in splits.values() for image in split.images if image.image_path}
    unused = [_unused_image(path, "no split has it") for path in _others(images, SUFFIXES)]
    if format != "yolo":
        return unused
    annotations = {labels_file(image) for image in images}
    others = [path for path in _others(annotations, (".txt",)) if path.name not in NOT_ANNOTATIONS]
    return unused + [_unused_annotation(path) for path in others]


def _others(known: Iterable[Path], suffixes: Sequence[str]) -> list[Path]:
    """The files of these kinds in the folders of `known` that are not in `known`."""
    known = set(known)
    found = (path for folder in sorted({path.parent for path in known}) for path in sorted(folder.glob("*")))
    return [path for path in found if path.suffix.lower() in suffixes and path not in known]


def _unused_image(path: Path, why: str) -> Problem:
    return Problem(
        level="warning", file=str(path), object=None, rule="image-without-annotation",
        message=f"{why}, so it is not used",
        fix="Annotate it (without objects where it shows none), or remove it.",
    )  # fmt: skip


def _unused_annotation(path: Path) -> Problem:
    return Problem(
        level="warning", file=str(path), object=None, rule="annotation-without-image",
        message="there is no image of this name, so its objects are not used",
        fix="Put the image back, give it the same name, or remove the text file.",
    )  # fmt: skip

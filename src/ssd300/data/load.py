"""`load_dataset`: annotated images from a folder, whatever its format, checked once and then trusted."""

from collections.abc import Sequence
from pathlib import Path

from ssd300.data.choices import FormatName, OnBadLabel, Purpose
from ssd300.data.dataset import Dataset
from ssd300.data.formats.annotations import AnnotatedImages, Faults
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.data.policy import AnnotationBuilder
from ssd300.data.recognition import recognize_all
from ssd300.errors import DataError
from ssd300.images.read import animation_notes


def load_dataset(
    *paths: str | Path,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    format: FormatName = "auto",  # the name of the option
    on_bad_label: OnBadLabel = "error",
    drop_difficult: bool = False,
    require_images: bool = True,
    purpose: Purpose = "train",
) -> Dataset:
    """Read PASCAL VOC folders (a VOCdevkit, a year's folder, or any with `Annotations`; several are joined), COCO
    annotations, YOLO data, or a folder of pytorch-SSD300's lists; `format` 'auto' recognizes which.

    Without `split`, it is the usual one for `purpose` in that format. Classes are those given; else those that the data
    lists; else VOC's if every label is one of them, or those of all annotations in sorted order.

    Raises:
        DataError: no format or more than one fits, the split is empty or absent, a class is unknown (the first one is
            named), images are missing (counted, the first is named), or boxes or annotation files are bad under
            `on_bad_label` (counted, the first ones are named).
    """
    found = read_split(
        [Path(path) for path in paths], format, split, purpose, require_images=require_images, faults="raise"
    )
    root = Path(paths[0])
    if not found.images:
        raise DataError(f"the split '{found.split}' is empty", where=root, fix="Name another with --split.")
    names = tuple(classes) if classes is not None else found.classes or _collect_classes(found)
    _check_classes(names, root)
    builder = AnnotationBuilder(names, on_bad_label, drop_difficult=drop_difficult)
    annotations = [annotation for image in found.images if (annotation := builder.build(image)) is not None]
    builder.raise_faults(root, found.find_images)
    if not annotations:
        raise DataError("no image is left", where=root, fix="See the faults with --on-bad-label error.")
    animations = animation_notes(annotation.image_path for annotation in annotations)
    return Dataset(
        annotations=annotations,
        classes=names,
        root=root,
        split=found.split,
        notes=(*found.notes, *builder.notes(), *animations),
        dropped={name: count for name, count in builder.dropped.items() if count},
    )


def read_split(
    paths: Sequence[Path],
    format: FormatName,  # as `load_dataset`
    split: str | None,
    purpose: Purpose,
    *,
    require_images: bool,
    faults: Faults,
) -> AnnotatedImages:
    """A split as its files have it, before any policy is applied. Raises DataError as `load_dataset` does."""
    return recognize_all(paths, format).read(paths, split, purpose, require_images=require_images, faults=faults)


def split_names(paths: Sequence[Path], format: FormatName) -> list[str]:  # as `load_dataset`
    """All splits of the data, none of them part of another; [] where it has no lists. Raises DataError as
    `load_dataset` does.
    """
    return recognize_all(paths, format).splits(paths)


def _collect_classes(found: AnnotatedImages) -> tuple[str, ...]:
    names = {item.name.strip() for image in found.images for item in image.objects}
    if names <= set(VOC_CLASSES):
        return VOC_CLASSES
    return tuple(sorted(names | {name.strip() for name in found.all_names()}))


def _check_classes(classes: Sequence[str], where: Path) -> None:
    if "background" in classes:
        raise DataError(
            "a class is called 'background'", where=where, fix="Remove background; every model has it already."
        )
    if len(set(classes)) != len(classes) or not classes:
        raise DataError("the classes are empty or one is listed twice", where=where, fix="Correct the class list.")

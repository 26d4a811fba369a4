"""`load_dataset`: annotated images from a folder, whatever its format, checked once and then trusted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ssd300.data.choices import FormatName, OnBadLabel, Purpose
from ssd300.data.class_lists import check_class_list
from ssd300.data.classes import ClassNames, choose_classes
from ssd300.data.dataset import Dataset, fold
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.formats.file_index import is_there
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.data.policy import SHOWN_CLASSES, AnnotationBuilder
from ssd300.data.problems import count_in_notes
from ssd300.data.recognition import open_data
from ssd300.data.shards.cache import ShardCache
from ssd300.data.shards.dataset import USUAL_CACHE, open_shards, refuse_options, shards_among
from ssd300.data.sources import JoinedSources
from ssd300.data.splits import UnusableSplitError
from ssd300.data.unused_files import list_files
from ssd300.errors import DataError, did_you_mean
from ssd300.images.header import animation_notes
from ssd300.system.wording import counted


def load_dataset(
    *paths: str | Path,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    only: Sequence[str] | None = None,
    format: FormatName = "auto",  # the name of the option
    on_bad_label: OnBadLabel = "error",
    drop_difficult: bool = False,
    require_images: bool = True,
    purpose: Purpose = "train",
    shard_cache: ShardCache = USUAL_CACHE,
) -> Dataset:
    """Read PASCAL VOC folders (a VOCdevkit, a year's folder, or any with annotations and images), COCO annotations,
    YOLO data, or folders of pytorch-SSD300's lists; several of one format are joined; `format` 'auto' recognizes which.

    Without `split`, it is the usual one for `purpose`; a test split that cannot be used gives way to the next one, with
    a note. Classes are those given; else those that the data lists; else VOC's if every label is one of them, or those
    of all annotations in sorted order. With `only`, those alone, and objects of others are excluded and counted.

    Boxes are in pixels of the image as it is shown, and sizes are those of the pixels: see `frames`.

    One path may be a folder or an address of shards, as `ssd300 shard` writes them. To train on, their annotations
    stay in the files. `shard_cache` is for addresses. Options that choose among labels do not apply to them.

    Raises:
        UsageError: shards are named beside other data, or with such an option.
        DataError: no format or more than one fits, the split is empty or absent or has no labels, a class is unknown
            (counted, the first one is named), images are missing (counted, the first is named), or boxes or annotation
            files are bad under `on_bad_label` (counted, the first ones are named).
    """
    if (place := shards_among(paths)) is not None:
        options = {"--only": only, "--drop-difficult": drop_difficult, "--format": format != "auto"}
        options |= {"--classes": classes if purpose == "train" else None, "--on-bad-label": on_bad_label != "error"}
        refuse_options(place, options)
        dataset = open_shards(place, split, purpose, shard_cache)[0]
        return dataset if classes is None else _with_classes(dataset, classes, place)
    data = open_data([Path(path) for path in paths], format)
    found, notes = read_usable(data, split, purpose, require_images=require_images)
    return build(
        found,
        Path(paths[0]),
        classes=classes,
        only=only,
        on_bad_label=on_bad_label,
        drop_difficult=drop_difficult,
    ).with_notes(*notes, *count_in_notes(list_files(data).problems))


def _with_classes(dataset: Dataset, classes: Sequence[str], place: str) -> Dataset:
    try:
        return dataset.with_classes(classes)
    except ValueError as error:
        raise DataError(str(error), where=place, fix="Add them to the classes.") from error


def read_usable(
    data: JoinedSources, split: str | None, purpose: Purpose, *, require_images: bool
) -> tuple[AnnotatedImages, list[str]]:
    """The split that is named; else the first for the purpose that can be used, for evaluation one with objects if
    there is any, and notes on those that cannot. Raises DataError as `load_dataset` does.
    """
    if split is not None:
        return data.read(data.named(split), require_images=require_images), []
    notes: list[str] = []
    empty: AnnotatedImages | None = None
    first: UnusableSplitError | None = None
    for choice in data.choices(purpose):
        try:
            found = data.read(choice, require_images=require_images)
        except UnusableSplitError as error:
            first = first or error
            notes.append(f"the split '{choice.name}' cannot be used: {error}")
            continue
        if purpose == "train" or any(image.objects for image in found.images):
            return found, notes
        empty = empty or found
        notes.append(f"no image of the split '{choice.name}' has an object")
    if empty is None:
        raise first or UnusableSplitError("there is no split to read", where=data.root)
    return empty, notes


def build(
    found: AnnotatedImages,
    root: Path,
    *,
    classes: Sequence[str] | None,
    on_bad_label: OnBadLabel,
    only: Sequence[str] | None = None,
    drop_difficult: bool = False,
) -> Dataset:
    """A dataset of images as the files have them. Raises DataError as `load_dataset` does."""
    if classes is not None:
        check_class_list(classes, where=root)
    listed = classes if classes is not None else found.classes
    counts = found.count_names() if listed is None else Counter(_names(found))
    names = choose_classes(listed, counts, where=str(root))
    check_class_list(names.classes, where=root, fix="Rename the class in the annotations.")
    chosen = None if only is None else _chosen(only, names, root)
    builder = AnnotationBuilder(names, on_bad_label, only=chosen, drop_difficult=drop_difficult)
    annotations = [annotation for image in found.images if (annotation := builder.build(image)) is not None]
    builder.drop_orphans(found.problems)
    builder.raise_faults(root, found)
    if not annotations:
        raise DataError("no image is left", where=root, fix="See the faults with --on-bad-label error.")
    dataset = Dataset(
        annotations=annotations,
        classes=builder.classes,
        root=root,
        split=found.split,
        other_classes=tuple(name for name in names.classes if name not in builder.classes),
        dropped={name: count for name, count in builder.dropped.items() if count},
    )
    warnings = [problem for problem in found.problems if problem.level == "warning"]
    warnings += [warning for image in found.images for warning in image.warnings()]
    return dataset.with_notes(
        *found.notes,
        *count_in_notes([*names.problems, *warnings]),
        *builder.notes(),
        *_left_out(found, on_bad_label),
        *_missing_images(dataset),
        *_absent_classes(dataset),
        *animation_notes(annotation.image_path for annotation in annotations),
    )


def _left_out(found: AnnotatedImages, on_bad_label: OnBadLabel) -> list[str]:
    """A note on images without an annotation file, which `drop-image` leaves out."""
    count = len(found.bare_images) if on_bad_label == "drop-image" else 0
    return [f"{counted(count, '{image|images} without an annotation file {is|are} left out')}"] if count else []


def _names(found: AnnotatedImages) -> Iterable[str]:
    return (item.name for image in found.images for item in image.objects)


def _absent_classes(dataset: Dataset) -> list[str]:
    """A note on classes of a list, or of other splits, that have no object; but not on VOC's 20."""
    if dataset.classes == VOC_CLASSES:
        return []
    absent = [name for name, count in dataset.objects_per_class().items() if not count]
    names = _short(absent)
    return (
        [f"{len(absent)} of {len(dataset.classes)} classes have no object in '{dataset.split}': {names}"]
        if absent
        else []
    )


def _short(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_CLASSES]) + (", …" if len(names) > SHOWN_CLASSES else "")


def _missing_images(dataset: Dataset) -> list[str]:
    """A note where images are not required, and some are there but not all."""
    absent = [item.image_path for item in dataset.annotations if not is_there(item.image_path)]
    if not absent or len(absent) == len(dataset):
        return []
    return [f"{len(absent)} of {len(dataset)} images are missing, first {absent[0]}"]


def _chosen(only: Sequence[str], names: ClassNames, root: Path) -> list[str]:
    """The classes of `--only` as the data writes them, in the order of the data's."""
    wanted = {fold(name) for name in only}
    if unknown := [name for name in only if fold(name) not in names.usual]:
        raise DataError(
            f"--only names {', '.join(unknown)}, which is no class of the data",
            where=root,
            fix=did_you_mean(unknown[0], names.classes, f"The classes are {_short(names.classes)}."),
        )
    return [name for name in names.classes if fold(name) in wanted]

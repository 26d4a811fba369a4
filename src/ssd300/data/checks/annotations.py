"""Problems of annotations: files and boxes that cannot be used, misspelled classes, classes that a split lacks."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ssd300.data.classes import is_background, usual_names
from ssd300.data.dataset import fold
from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedImages
from ssd300.data.formats.file_index import is_there
from ssd300.data.problems import Fault, Problem
from ssd300.system.wording import counted, plural


def annotation_problems(
    splits: Mapping[str, AnnotatedImages], classes: Mapping[str, Mapping[str, int]]
) -> list[Problem]:
    """All of them; `classes` are the counts of `count_classes`."""
    images = [image for split in splits.values() for image in split.images]
    some = any(image.image_path is not None and is_there(image.image_path) for image in images)
    problems = [problem for image in images for problem in _problems_of_image(image, some_are_there=some)]
    of_no_image = dict.fromkeys(problem for split in splits.values() for problem in split.problems)
    return [
        *problems, *of_no_image, *_spellings(splits), *_in_two_splits(splits), *_absent_classes(splits, classes),
        *_background(classes),
    ]  # fmt: skip


def count_classes(splits: Mapping[str, AnnotatedImages]) -> dict[str, dict[str, int]]:
    """Objects per class and split: first the classes that the data lists, then the others in sorted order. Spellings of
    one class are counted together; objects without a class are not.
    """
    listed = _listed(splits)
    items = [(name, item.name) for name, split in splits.items() for image in split.images for item in image.objects
             if item.name.strip()]  # fmt: skip
    written = Counter(name for _, name in items)
    usual = usual_names(listed, written)
    names = {name: usual[fold(name)] for name in (*listed, *sorted(written))}
    counts = {name: dict.fromkeys(splits, 0) for name in names.values()}
    for split_name, name in items:
        counts[names[name]][split_name] += 1
    return counts


def _problems_of_image(image: AnnotatedImage, *, some_are_there: bool) -> Iterable[Problem]:
    """`some_are_there`: not only annotations were given, so an image that is not there is missing."""
    if image.fault is not None:
        yield image.fault.at(image.where)
    elif image.image_path is None or (some_are_there and not is_there(image.image_path)):
        yield Fault("missing-image", f"the image {image.image_id} is missing").at(image.where)
    for number, item in enumerate(image.objects, start=1):
        if item.fault is not None:
            yield item.fault.at(image.where, number, name=item.name)
    yield from image.warnings()


def _listed(splits: Mapping[str, AnnotatedImages]) -> list[str]:
    """The classes that the data lists, each as it is written once."""
    return list(dict.fromkeys(name for split in splits.values() for name in split.classes or ()))


def _spellings(splits: Mapping[str, AnnotatedImages]) -> Iterable[Problem]:
    """Names that are another name but for case or spaces; of each group the first of a list is right, or the most
    frequent one.
    """
    images = [image for split in splits.values() for image in split.images]
    counts = Counter(item.name for image in images for item in image.objects if item.name.strip())
    first = {item.name: image.where for image in reversed(images) for item in image.objects}
    listed = _listed(splits)
    usual_of = usual_names(listed, counts)
    for name in sorted(counts):
        usual = usual_of[fold(name)]
        if name == usual or name in listed:  # which its reader reports
            continue
        yield Fault(
            "class-spelling",
            f"the class '{name}' ({plural(counts[name], 'object')}) is '{usual}' ({counts[usual]:,}) but for case or "
            "spaces",
            f"Write '{usual}' everywhere; every command takes them for one.",
        ).at(first[name])


def _in_two_splits(splits: Mapping[str, AnnotatedImages]) -> Iterable[Problem]:
    """Images that two splits list."""
    first: dict[Path, str] = {}
    for name, split in splits.items():
        for image in split.images:
            if image.image_path is None:
                continue
            other = first.setdefault(image.image_path, name)
            if other != name:
                yield Fault("image-in-two-splits", f"it is in '{other}' and '{name}'").at(str(image.image_path))


def _absent_classes(
    splits: Mapping[str, AnnotatedImages], classes: Mapping[str, Mapping[str, int]]
) -> Iterable[Problem]:
    if not any(any(counts.values()) for counts in classes.values()):
        yield Fault("no-objects", "no image has an object").at("")
        return
    for split in splits:
        for name, counts in classes.items():
            if not counts[split] and not is_background(name):
                yield Fault("absent-class", f"the split {split} has no '{name}'").at("")


def _background(classes: Mapping[str, Mapping[str, int]]) -> Iterable[Problem]:
    """Classes called background: an error where objects have one."""
    for name, counts in classes.items():
        if is_background(name):
            used = sum(counts.values())
            what = (
                f"{counted(used, '{object is|objects are}')} of the class '{name}'"
                if used
                else f"the class '{name}' is dropped"
            )
            problem = Fault("background-class", what).at("")
            yield replace(problem, level="error", fix="Rename the class.") if used else problem
